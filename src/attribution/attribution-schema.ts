import * as z from 'zod';
import { MODELS } from '../domain/attribution.ts';
import { LEFT_OUT_REASONS } from '../domain/journey.ts';
import { INTERVALS } from '../domain/time.ts';
import { KINDS } from '../domain/touchpoint-fields.ts';
import { AccountId, GoalKey } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { ModelQuery } from '../stats/credit-fields.ts';
import { GoalsQuery, Group, WhereConversionQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

export const MAX_ROWS = 10_000;

export const AttributionQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...ModelQuery.shape,
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().meta({
    description: 'Splits rows and totals by the local day, ISO week or month of the conversion.',
  }),
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).meta({
    description: 'Rows by credit of the first model; the rest is one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});
export type AttributionQuery = z.output<typeof AttributionQuery>;

/**
 * The report's parameters, so that a frontend can pass them on. Those that choose conversions change nothing where
 * one conversion is named.
 */
export const ExplanationQuery = z.object({
  ...ModelQuery.shape,
  goal: z.array(GoalKey).optional().meta({ description: 'Of the report; changes nothing here.' }),
  ...NamedRangeQuery.shape,
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().meta({ description: 'Of the report; changes nothing here.' }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(MAX_ROWS)
    .optional()
    .meta({ description: 'Of the report; changes nothing here.' }),
});
export type ExplanationQuery = z.output<typeof ExplanationQuery>;

const Share = z.object({ conversions: z.number(), value: z.number() });
const Credit = z.partialRecord(z.enum(MODELS), Share).meta({
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['conversions', 'value'],
    properties: { conversions: { type: 'number' }, value: { type: 'number' } },
  },
});
const totals = {
  conversions: z.number().int().meta({ description: 'Net: without retracted ones.' }),
  value: z.number().meta({ description: 'Net of adjustments.' }),
  gross_conversions: z.number().int(),
  gross_value: z.number(),
  attributed: Share.meta({ description: 'Of conversions with a journey.' }),
  unattributed: Share.optional().meta({
    description:
      'Of conversions without any touchpoint in their journey. Left out under a narrowed read token, whose totals hold conversions with a journey only.',
  }),
};

export const AttributionReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).meta({ description: 'Attribution is bookkeeping, no measured cause.' }),
    totals: z.object({
      ...totals,
      currency: z.string(),
      by_interval: z.array(z.object({ interval: z.string(), ...totals })).optional(),
    }),
    data: z.array(
      z.object({
        interval: z
          .string()
          .optional()
          .meta({ description: 'Local start date of the day, ISO week or month.' }),
        group: Group,
        other: z.literal(true).optional().meta({ description: 'All groups beyond `limit`.' }),
        touchpoints: z.number().int().meta({ description: 'Distinct touchpoints in at least one journey.' }),
        influenced_conversions: z
          .number()
          .int()
          .meta({ description: 'Journeys that hold the group. Not additive over groups.' }),
        assisted_conversions: z.number().int().meta({
          description: "Journeys that hold it, but not as the last touch's group. Not additive.",
        }),
        credit: Credit,
      }),
    ),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'AttributionReport' });
export type AttributionReport = z.output<typeof AttributionReport>;

export const Explanation = z
  .object({
    conversion: z.object({
      id: z.string(),
      goal: z.string(),
      person_id: z.uuid(),
      account_id: AccountId.nullable(),
      occurred_at: z.string().meta({ format: 'date-time' }),
      value: z.number().nullable(),
      net_value: z.number().nullable(),
      currency: z.string(),
      retracted: z.boolean(),
      counted: z.boolean().meta({
        description: 'Whether reports count it: not retracted, and the first where the goal counts once.',
      }),
    }),
    settings: z.record(z.string(), z.unknown()),
    considered: z.array(
      z.object({
        id: z.string(),
        occurred_at: z.string().meta({ format: 'date-time' }),
        kind: z.enum(KINDS),
        channel: z.string(),
        group: Group,
        age_seconds: z.number().meta({ description: 'Before the conversion.' }),
        milestones: z
          .array(z.string())
          .optional()
          .meta({ description: 'The goals of `milestones` whose touch this is; left out where none is.' }),
        weights: z
          .partialRecord(z.enum(MODELS), z.number())
          .meta({ type: 'object', additionalProperties: { type: 'number' } }),
        credits: z.partialRecord(z.enum(MODELS), z.number()).meta({
          type: 'object',
          additionalProperties: { type: 'number' },
          description: 'Weight times net value, in `currency`.',
        }),
      }),
    ),
    left_out: z
      .array(z.object({ id: z.string(), reason: z.enum(LEFT_OUT_REASONS) }))
      .meta({ description: 'At most 1000, newest first.' }),
    left_out_counts: z
      .partialRecord(z.enum(LEFT_OUT_REASONS), z.number().int())
      .meta({ type: 'object', additionalProperties: { type: 'integer' } }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.output<typeof Explanation>;
