import * as z from 'zod';
import { COUNTINGS, GOAL_KINDS } from '../domain/settings.ts';
import { STAGES } from '../domain/touchpoint-fields.ts';
import { Amount, Currency } from '../http/fields.ts';
import { TouchpointFilter } from '../stats/touchpoint-filter.ts';

const Match = z.strictObject({ touchpoints: z.array(TouchpointFilter).min(1).max(20) }).meta({
  description:
    'Filters. A touchpoint that meets one records a conversion `tp:<id>` of this goal in the same transaction.',
});

export const GoalInput = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ example: 'Purchase' }),
    kind: z.enum(GOAL_KINDS).meta({
      description:
        '`conversion`: lead, trial, purchase, contract. `cultivation`: follow, subscribe, like, join.',
    }),
    stage: z.enum(STAGES).nullish(),
    lookback_days: z
      .number()
      .int()
      .min(1)
      .max(365)
      .default(90)
      .meta({ description: 'How far back from a conversion its journey reaches.' }),
    default_value: Amount.nullish().meta({
      description: 'The value of conversions that are sent without one.',
    }),
    currency: Currency.nullish().meta({
      description: "The currency of `default_value`. Defaults to the workspace's.",
    }),
    counting: z.enum(COUNTINGS).default('every').meta({
      description:
        "`once`: only a person's first unretracted conversion ever counts; with `scope=account`, the account's.",
    }),
    match: Match.nullish(),
  })
  .meta({ id: 'GoalInput' });
export type GoalInput = z.output<typeof GoalInput>;

export const Goal = z
  .object({
    key: z.string(),
    name: z.string(),
    kind: z.enum(GOAL_KINDS),
    stage: z.enum(STAGES).nullable(),
    lookback_days: z.number().int(),
    default_value: z.number().nullable(),
    currency: z.string().nullable(),
    counting: z.enum(COUNTINGS),
    match: z
      .object({ touchpoints: z.array(z.record(z.string(), z.array(z.string().nullable()))) })
      .nullable(),
    created_at: z.string().meta({ format: 'date-time' }),
    updated_at: z.string().meta({ format: 'date-time' }),
    archived_at: z
      .string()
      .nullable()
      .meta({ description: 'When it was archived. It accepts no new conversions and stays in reports.' }),
  })
  .meta({ id: 'Goal' });
export type Goal = z.output<typeof Goal>;

export const goalExample: Goal = {
  key: 'purchase',
  name: 'Purchase',
  kind: 'conversion',
  stage: 'purchase',
  lookback_days: 90,
  default_value: null,
  currency: null,
  counting: 'every',
  match: null,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  archived_at: null,
};
