import * as z from 'zod';
import { DAY_MS, MAX_RANGE_DAYS } from '../domain/time.ts';
import { Amount, Currency, Day, MAX_SHORT_TEXT, OriginText, SenderId } from '../http/fields.ts';

/** A row of spend as sent. */
export const SpendInput = z
  .strictObject({
    id: SenderId.nullish(),
    from: Day.meta({ description: "The first day, in the workspace's time zone." }),
    to: Day.meta({ description: 'The last day, inclusive.', example: '2026-05-31' }),
    channel: z.string().min(1).max(64).nullish().meta({
      description:
        'As in touchpoints. If left out, derived by the same rules from `source` and `medium`, if both are sent.',
      example: 'paid_search',
    }),
    source: OriginText.nullish().meta({ description: 'As in touchpoints.', example: 'google' }),
    medium: OriginText.nullish().meta({ description: 'As in touchpoints.', example: 'cpc' }),
    campaign: z
      .string()
      .min(1)
      .max(MAX_SHORT_TEXT)
      .nullish()
      .meta({ description: 'As in touchpoints.', example: 'spring' }),
    amount: Amount,
    currency: Currency.nullish().meta({ description: "Defaults to the workspace's." }),
  })
  .refine(({ from, to }) => from <= to, {
    path: ['to'],
    message: '`to` is before `from`; send the later day as `to`',
  })
  .refine(({ from, to }) => new Date(to).getTime() - new Date(from).getTime() < MAX_RANGE_DAYS * DAY_MS, {
    path: ['to'],
    message: `A row has at most ${MAX_RANGE_DAYS} days; split it`,
  })
  .meta({ id: 'SpendInput' });
export type SpendInput = z.output<typeof SpendInput>;

const said = {
  from: z.string().meta({ format: 'date' }),
  to: z.string().meta({ format: 'date' }),
  channel: z.string().nullable(),
  source: z.string().nullable(),
  medium: z.string().nullable(),
  campaign: z.string().nullable(),
  amount: z.number(),
  currency: z.string(),
};

export const Spend = z
  .object({
    id: z.string(),
    ...said,
    version: z.number().int().meta({ description: 'The number of times the row was replaced, plus one.' }),
    received_at: z.string().meta({ format: 'date-time', description: 'When the row was first received.' }),
    updated_at: z
      .string()
      .meta({ format: 'date-time', description: 'When the current version was received.' }),
  })
  .meta({ id: 'Spend' });
export type Spend = z.output<typeof Spend>;

export const SpendWithHistory = z
  .object({
    ...Spend.shape,
    history: z
      .array(
        z.object({
          version: z.number().int(),
          replaced_at: z.string().meta({ format: 'date-time' }),
          ...said,
        }),
      )
      .meta({ description: 'Earlier versions of the row, newest first.' }),
  })
  .meta({ id: 'SpendWithHistory' });
export type SpendWithHistory = z.output<typeof SpendWithHistory>;

export const spendInputExample = {
  id: 'google-spring-2026-05',
  from: '2026-05-01',
  to: '2026-05-31',
  channel: 'paid_search',
  source: 'google',
  campaign: 'spring',
  amount: 1240.5,
  currency: 'EUR',
};

export const spendExample: Spend = {
  ...spendInputExample,
  medium: null,
  version: 2,
  received_at: '2026-06-01T04:00:00.000Z',
  updated_at: '2026-06-02T04:00:00.000Z',
};
