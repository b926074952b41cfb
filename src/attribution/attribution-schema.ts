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

/** The most touchpoints of a journey that an explanation shows: half of them its first ones, half its last. */
export const MAX_CONSIDERED = 1000;

export const AttributionQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...ModelQuery.shape,
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().meta({
    description: 'Splits rows and totals by the local day, ISO week or month of the conversion.',
  }),
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).meta({
    description:
      'Maximum number of rows, largest credit of the first model first. All other groups are one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});
export type AttributionQuery = z.output<typeof AttributionQuery>;

/**
 * The parameters of the report, so that a frontend can pass them on. Parameters that select conversions have
 * no effect, because the path names one conversion.
 */
export const ExplanationQuery = z.object({
  ...ModelQuery.shape,
  goal: z.array(GoalKey).optional().meta({ description: 'A parameter of the report; has no effect here.' }),
  ...NamedRangeQuery.shape,
  where_conversion: WhereConversionQuery,
  interval: z
    .enum(INTERVALS)
    .optional()
    .meta({ description: 'A parameter of the report; has no effect here.' }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(MAX_ROWS)
    .optional()
    .meta({ description: 'A parameter of the report; has no effect here.' }),
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
  conversions: z.number().int().meta({ description: 'Net: without retracted conversions.' }),
  value: z.number().meta({ description: 'Net of adjustments.' }),
  gross_conversions: z.number().int(),
  gross_value: z.number(),
  attributed: Share.meta({ description: 'Conversions with a touchpoint in their journey.' }),
  unattributed: Share.optional().meta({
    description:
      'Conversions without any touchpoint in their journey. Omitted under a narrowed read token, whose totals contain only conversions with a journey.',
  }),
};

export const AttributionReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z
      .literal(true)
      .meta({ description: 'Attribution is bookkeeping over observed data, not a measured cause.' }),
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
        other: z.literal(true).optional().meta({ description: 'The row of all groups beyond `limit`.' }),
        touchpoints: z.number().int().meta({ description: 'Distinct touchpoints in at least one journey.' }),
        influenced_conversions: z
          .number()
          .int()
          .meta({ description: 'Journeys that contain the group. Not additive over groups.' }),
        assisted_conversions: z.number().int().meta({
          description:
            'Journeys that contain the group, but not as the group of the last touch. Not additive.',
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
      person_id: z.uuid().optional().meta({
        description:
          'Omitted under a read token with `where`, `where_conversion` or the scope `account`, which is not to tell who converted.',
      }),
      account_id: AccountId.nullable().optional().meta({
        description:
          'Omitted under a read token with `where`, `where_conversion` or the scope `person`: it may come from items that the token does not show.',
      }),
      occurred_at: z.string().meta({ format: 'date-time' }),
      value: z.number().nullable(),
      net_value: z.number().nullable(),
      currency: z.string(),
      retracted: z.boolean(),
      counted: z.boolean().meta({
        description:
          'Whether reports count it: it is not retracted, and it is the first one if the goal counts once.',
      }),
    }),
    settings: z.record(z.string(), z.unknown()),
    considered_count: z.number().int().meta({ description: 'The number of touchpoints of the journey.' }),
    considered: z
      .array(
        z.object({
          id: z.string(),
          occurred_at: z.string().meta({ format: 'date-time' }),
          kind: z.enum(KINDS),
          channel: z.string(),
          group: Group,
          age_seconds: z.number().meta({ description: 'Time from the touchpoint to the conversion.' }),
          milestones: z.array(z.string()).optional().meta({
            description: 'The goals of `milestones` whose touch this is; omitted if there are none.',
          }),
          weights: z
            .partialRecord(z.enum(MODELS), z.number())
            .meta({ type: 'object', additionalProperties: { type: 'number' } }),
          credits: z.partialRecord(z.enum(MODELS), z.number()).meta({
            type: 'object',
            additionalProperties: { type: 'number' },
            description: 'Weight times net value, in `currency`.',
          }),
        }),
      )
      .meta({
        description: `The journey, oldest first; of more than ${MAX_CONSIDERED} touchpoints the first and the last ${MAX_CONSIDERED / 2}.`,
      }),
    left_out: z
      .array(z.object({ id: z.string(), reason: z.enum(LEFT_OUT_REASONS) }))
      .meta({ description: 'At most 1,000, newest first.' }),
    left_out_counts: z
      .partialRecord(z.enum(LEFT_OUT_REASONS), z.number().int())
      .meta({ type: 'object', additionalProperties: { type: 'integer' } }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.output<typeof Explanation>;
