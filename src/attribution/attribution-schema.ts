import { z } from '@hono/zod-openapi';
import { DEFAULT_HALF_LIFE_DAYS, type EndShares, MODELS, needsMilestones } from '../domain/attribution.ts';
import { LEFT_OUT_REASONS } from '../domain/journey.ts';
import { INTERVALS } from '../domain/time.ts';
import { DIMENSIONS, KINDS } from '../domain/touchpoint-fields.ts';
import { ApiError } from '../http/errors.ts';
import { AccountId, GoalKey } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, JourneyQuery, WhereConversionQuery } from '../http/journey-fields.ts';
import { NamedRangeQuery } from '../http/report-fields.ts';

export const MAX_ROWS = 10_000;

const Weights = z
  .array(z.string().nullable())
  .length(3, 'Send three numbers: first, middle, last')
  .transform((parts, context): EndShares => {
    const [first, middle, last] = parts.map((part) => Number(part || Number.NaN));
    const shares = { first: first ?? Number.NaN, middle: middle ?? Number.NaN, last: last ?? Number.NaN };
    const fine = Object.values(shares).every((share) => Number.isFinite(share) && share >= 0 && share <= 1e6);
    if (fine && shares.first + shares.last > 0) return shares;
    context.addIssue({ code: 'custom', message: 'Three numbers from 0 to 1000000, first + last above 0' });
    return z.NEVER;
  })
  .openapi({
    type: 'array',
    items: { type: 'number' },
    description:
      'For `custom`: shares of the first touch, of all between, and of the last; normalised to sum 1.',
    example: [1, 2, 1],
  });

const Milestones = z
  .array(GoalKey)
  .length(2, 'Name two goals: lead, opportunity')
  .refine(([lead, opportunity]) => lead !== opportunity, 'Name two different goals')
  .transform(([lead = '', opportunity = '']) => ({ lead, opportunity }))
  .openapi({
    type: 'array',
    items: { type: 'string' },
    minItems: 2,
    maxItems: 2,
    description:
      "For `w_shaped` and `full_path`: the goals that are the lead and the opportunity. A milestone's touch is the journey's last at or before the first unretracted conversion of that goal inside the journey's window; without one, its share is renormalised away.",
    example: ['lead', 'opportunity'],
  });

/** What decides the weights of a journey; the report and the explanation share it. */
const modelQuery = {
  models: z
    .array(z.enum(MODELS))
    .min(1)
    .default(['linear'])
    .openapi({ description: 'Attribution models, side by side.', example: ['linear', 'time_decay'] }),
  half_life_days: z
    .number()
    .min(0.1)
    .max(365)
    .default(DEFAULT_HALF_LIFE_DAYS)
    .openapi({ description: 'For `time_decay`.' }),
  weights: Weights.optional(),
  milestones: Milestones.optional(),
  ...JourneyQuery.shape,
};

export const AttributionQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...modelQuery,
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().openapi({
    description: 'Splits rows and totals by the local day, ISO week or month of the conversion.',
  }),
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).openapi({
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
  ...modelQuery,
  goal: z.array(GoalKey).optional().openapi({ description: 'Of the report; changes nothing here.' }),
  ...NamedRangeQuery.shape,
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().openapi({ description: 'Of the report; changes nothing here.' }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(MAX_ROWS)
    .optional()
    .openapi({ description: 'Of the report; changes nothing here.' }),
});
export type ExplanationQuery = z.output<typeof ExplanationQuery>;

/** Rules that no single parameter can break. */
export function checkModelQuery(query: Pick<ExplanationQuery, 'models' | 'weights' | 'milestones'>): void {
  const fail = (pointer: string, detail: string) =>
    new ApiError('invalid_request', detail, { errors: [{ pointer, detail }] });
  const isCustom = query.models.includes('custom');
  if (isCustom && !query.weights) throw fail('?weights', 'The model custom needs weights=first,middle,last.');
  if (!isCustom && query.weights)
    throw fail('?weights', 'weights are for the model custom; add it to models.');
  const isByMilestones = needsMilestones(query.models);
  if (isByMilestones && !query.milestones)
    throw fail('?milestones', 'The models w_shaped and full_path need milestones=lead,opportunity.');
  if (!isByMilestones && query.milestones)
    throw fail('?milestones', 'milestones are for the models w_shaped and full_path; add one to models.');
  if (new Set(query.models).size < query.models.length) throw fail('?models', 'Name each of models once.');
}

const Share = z.object({ conversions: z.number(), value: z.number() });
const Credit = z.partialRecord(z.enum(MODELS), Share).openapi({
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['conversions', 'value'],
    properties: { conversions: { type: 'number' }, value: { type: 'number' } },
  },
});
const Group = z
  .partialRecord(z.enum(DIMENSIONS), z.string().nullable())
  .nullable()
  .openapi({ type: ['object', 'null'], additionalProperties: { type: ['string', 'null'] } });

const totals = {
  conversions: z.number().int().openapi({ description: 'Net: without retracted ones.' }),
  value: z.number().openapi({ description: 'Net of adjustments.' }),
  gross_conversions: z.number().int(),
  gross_value: z.number(),
  attributed: Share.openapi({ description: 'Of conversions with a journey.' }),
  unattributed: Share.openapi({ description: 'Of conversions without any touchpoint in their journey.' }),
};

export const AttributionReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).openapi({ description: 'Attribution is bookkeeping, no measured cause.' }),
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
          .openapi({ description: 'Local start date of the day, ISO week or month.' }),
        group: Group,
        other: z.literal(true).optional().openapi({ description: 'All groups beyond `limit`.' }),
        touchpoints: z
          .number()
          .int()
          .openapi({ description: 'Distinct touchpoints in at least one journey.' }),
        influenced_conversions: z
          .number()
          .int()
          .openapi({ description: 'Journeys that hold the group. Not additive over groups.' }),
        assisted_conversions: z.number().int().openapi({
          description: "Journeys that hold it, but not as the last touch's group. Not additive.",
        }),
        credit: Credit,
      }),
    ),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .openapi('AttributionReport');
export type AttributionReport = z.output<typeof AttributionReport>;

export const Explanation = z
  .object({
    conversion: z.object({
      id: z.string(),
      goal: z.string(),
      person_id: z.uuid(),
      account_id: AccountId.nullable(),
      occurred_at: z.string().openapi({ format: 'date-time' }),
      value: z.number().nullable(),
      net_value: z.number().nullable(),
      currency: z.string().nullable(),
      retracted: z.boolean(),
      counted: z.boolean().openapi({
        description: 'Whether reports count it: not retracted, and the first where the goal counts once.',
      }),
    }),
    settings: z.record(z.string(), z.unknown()),
    considered: z.array(
      z.object({
        id: z.string(),
        occurred_at: z.string().openapi({ format: 'date-time' }),
        kind: z.enum(KINDS),
        channel: z.string(),
        group: Group,
        age_seconds: z.number().openapi({ description: 'Before the conversion.' }),
        milestones: z
          .array(z.string())
          .optional()
          .openapi({ description: 'The goals of `milestones` whose touch this is; left out where none is.' }),
        weights: z
          .partialRecord(z.enum(MODELS), z.number())
          .openapi({ type: 'object', additionalProperties: { type: 'number' } }),
        credits: z.partialRecord(z.enum(MODELS), z.number()).openapi({
          type: 'object',
          additionalProperties: { type: 'number' },
          description: 'Weight times net value, in `currency`.',
        }),
      }),
    ),
    left_out: z
      .array(z.object({ id: z.string(), reason: z.enum(LEFT_OUT_REASONS) }))
      .openapi({ description: 'At most 1000, newest first.' }),
    left_out_counts: z
      .partialRecord(z.enum(LEFT_OUT_REASONS), z.number().int())
      .openapi({ type: 'object', additionalProperties: { type: 'integer' } }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .openapi('Explanation');
export type Explanation = z.output<typeof Explanation>;
