import * as z from 'zod';
import { ADJUSTMENT_KINDS } from '../domain/settings.ts';
import {
  AccountId,
  Amount,
  Currency,
  GoalKey,
  Instant,
  PersonId,
  Properties,
  SenderId,
} from '../http/fields.ts';
import { AccountInput } from '../ingest/account.ts';
import { PersonMap } from '../ingest/person.ts';

/** Ids of conversions that touchpoints record through the `match` of a goal. */
const RESERVED = /^tp[:.]/;

/** A conversion as sent. */
export const ConversionInput = z
  .strictObject({
    id: SenderId.refine((id) => !RESERVED.test(id), {
      message: 'Choose another id; tp: and tp. begin the ids of conversions that touchpoints record',
    }).nullish(),
    goal: GoalKey,
    person: PersonMap,
    account: AccountInput.nullish(),
    occurred_at: Instant.nullish().meta({
      description: 'When it happened. Defaults to now; at most 24 hours in the future.',
    }),
    value: Amount.nullish().meta({ description: "Defaults to the goal's `default_value`." }),
    currency: Currency.nullish().meta({
      description: "The currency of `value`. Defaults to the workspace's.",
    }),
    properties: Properties.nullish(),
  })
  .meta({ id: 'ConversionInput' });
export type ConversionInput = z.output<typeof ConversionInput>;

/** A conversion as stored, with its current net value. */
export const Conversion = z
  .object({
    id: z.string(),
    goal: z.string(),
    person_id: PersonId,
    account_id: AccountId.nullable().meta({ description: "The person's account at that time." }),
    occurred_at: z.string().meta({ format: 'date-time' }),
    received_at: z.string().meta({ format: 'date-time' }),
    value: z.number().nullable().meta({ description: 'Gross: as sent, or the default value of the goal.' }),
    currency: z.string().meta({
      description:
        'The currency of the values. Without a value, it is the one sent or else that of the goal, and restatements are in it.',
    }),
    net_value: z.number().nullable().meta({ description: 'The value after adjustments; 0 if retracted.' }),
    retracted: z.boolean(),
    touchpoint_id: z
      .string()
      .nullable()
      .meta({ description: "The touchpoint that recorded it through the goal's `match`." }),
    properties: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Conversion' });
export type Conversion = z.output<typeof Conversion>;

/** Ids of retractions that the server records when a touchpoint is voided. */
const RESERVED_ADJUSTMENT = /^void:/;

const adjustmentFields = {
  id: SenderId.refine((id) => !RESERVED_ADJUSTMENT.test(id), {
    message: 'Choose another id; void: begins the ids of retractions that voided touchpoints record',
  }).nullish(),
  kind: z.enum(ADJUSTMENT_KINDS),
  value: Amount.nullish().meta({
    description:
      'The new total in the currency of the conversion. Required for a restatement; a retraction has none.',
  }),
  occurred_at: Instant.nullish().meta({
    description: 'When it happened. Defaults to now. The last restatement decides.',
  }),
};

const isWhole = (adjustment: { kind: string; value?: string | null | undefined }) =>
  (adjustment.kind === 'restatement') === (adjustment.value != null);
const whole = {
  path: ['value'],
  message: 'Send the new total with a restatement, and no value with a retraction',
};

/** An adjustment as sent. The path names the conversion. */
export const AdjustmentInput = z
  .strictObject(adjustmentFields)
  .refine(isWhole, whole)
  .meta({ id: 'AdjustmentInput' });

/** The same with the id of its conversion, as it is recorded, or kept as a rejection. */
export const AdjustmentItem = z
  .strictObject({ ...adjustmentFields, conversion_id: SenderId })
  .refine(isWhole, whole);
export type AdjustmentItem = z.output<typeof AdjustmentItem>;

export const Adjustment = z
  .object({
    id: z.string(),
    conversion_id: z.string(),
    kind: z.enum(ADJUSTMENT_KINDS),
    value: z.number().nullable(),
    occurred_at: z.string().meta({ format: 'date-time' }),
    received_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Adjustment' });
export type Adjustment = z.output<typeof Adjustment>;

export const conversionExample: z.input<typeof ConversionInput> = {
  id: 'order-1',
  goal: 'purchase',
  person: { email: 'ann@acme.com' },
  occurred_at: '2026-05-03T09:30:00Z',
  value: 99.9,
  currency: 'EUR',
};

export const storedConversionExample: Conversion = {
  id: 'order-1',
  goal: 'purchase',
  person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  account_id: null,
  occurred_at: '2026-05-03T09:30:00.000Z',
  received_at: '2026-05-03T09:30:00.420Z',
  value: 99.9,
  currency: 'EUR',
  net_value: 99.9,
  retracted: false,
  touchpoint_id: null,
  properties: null,
};

export const adjustmentExample: Adjustment = {
  id: 'refund-1',
  conversion_id: 'order-1',
  kind: 'restatement',
  value: 49.9,
  occurred_at: '2026-05-10T09:30:00.000Z',
  received_at: '2026-05-10T09:30:00.120Z',
};
