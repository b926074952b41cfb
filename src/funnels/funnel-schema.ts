import * as z from 'zod';
import { FUNNEL_ENTRIES, FUNNEL_ORDERS } from '../domain/funnel.ts';
import { FUNNEL_COUNTS } from '../domain/funnel-report.ts';
import { REPORT_SCOPES } from '../domain/settings.ts';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { Currency, GoalKey } from '../http/fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';
import { TouchpointFilter } from '../stats/touchpoint-filter.ts';
import { FUNNEL_STATES } from './funnel-question.ts';
import { checkFunnel, checkState } from './funnel-rules.ts';

export const MAX_STEPS = 10;
const MAX_EXCLUSIONS = 10;
const MAX_GOALS = 20;
const MAX_WINDOW_SECONDS = 366 * 86_400;
export const MAX_BREAKDOWN = 3;

const NAME = z.string().min(1).max(200);

const ConversionFilter = z
  .strictObject({
    goal: z
      .array(GoalKey)
      .min(1)
      .max(MAX_GOALS)
      .meta({ example: ['purchase'] }),
  })
  .meta({ description: 'Conversions of one of these goals.' });

const filter = { touchpoint: TouchpointFilter.optional(), conversion: ConversionFilter.optional() };

const EITHER = { message: 'Send `touchpoint` or `conversion`, one of the two' };

function isEither({ touchpoint, conversion }: { touchpoint?: unknown; conversion?: unknown }): boolean {
  return (touchpoint === undefined) !== (conversion === undefined);
}

export const FunnelStep = z
  .strictObject({
    name: NAME.nullish().meta({
      description: 'Left out: made of what the step matches.',
      example: 'Mentioned us',
    }),
    ...filter,
  })
  .refine(isEither, EITHER)
  .meta({
    id: 'FunnelStep',
    description: 'What a step matches: `touchpoint` or `conversion`, one of the two.',
  });
export type FunnelStep = z.output<typeof FunnelStep>;

/** The rules refuse those that are not there. */
const stepNumber = z.number().int().min(1).meta({ maximum: MAX_STEPS });

export const FunnelExclude = z
  .strictObject({
    ...filter,
    after_step: stepNumber.nullish().meta({ description: 'The first step if left out.' }),
    before_step: stepNumber.nullish().meta({ description: 'The last step if left out.' }),
  })
  .refine(isEither, EITHER)
  .meta({
    id: 'FunnelExclude',
    description:
      'No event that matches may lie between these two steps of a chain; `touchpoint` or `conversion`, one of the two.',
  });
export type FunnelExclude = z.output<typeof FunnelExclude>;

export const BreakdownBy = z.array(z.enum(DIMENSIONS)).min(1).max(MAX_BREAKDOWN);

const FunnelBreakdown = z.strictObject({
  by: BreakdownBy.meta({ description: 'One to three fields of touchpoints.', example: ['channel'] }),
  at_step: stepNumber.default(1),
});

/** What a saved funnel keeps: all but the time that is asked about. */
const definition = {
  steps: z
    .array(FunnelStep)
    .min(2, 'Send at least 2 steps')
    .max(MAX_STEPS, `Send at most ${MAX_STEPS} steps`),
  order: z.enum(FUNNEL_ORDERS).default('ordered').meta({
    description:
      '`ordered`: each step is a later event than the one before. `strict`: and nothing lies between them. `any`: steps in whatever order, and step k is the k-th of them that was matched.',
  }),
  window_seconds: z
    .number()
    .int()
    .min(1)
    .max(MAX_WINDOW_SECONDS, `At most ${MAX_WINDOW_SECONDS}, which is 366 days`)
    .meta({ description: 'From the first matched event to the last, inclusive.', example: 604_800 }),
  entry: z.enum(FUNNEL_ENTRIES).default('any').meta({
    description: '`any`: the start that leads furthest counts. `first`: only the first start in the range.',
  }),
  count: z.enum(FUNNEL_COUNTS).default('people').meta({
    description:
      '`completions`: each time a step was reached counts, without overlap. Values, seconds and groups stay those of one chain for each.',
  }),
  scope: z
    .enum(REPORT_SCOPES)
    .default('person')
    .meta({ description: 'Who goes through the funnel. A person without an account is alone.' }),
  hold: z.array(z.enum(DIMENSIONS)).max(DIMENSIONS.length).default([]).meta({
    description:
      'Fields in which all matched touchpoints agree: one thread, one campaign. An empty field agrees with nothing.',
  }),
  exclude: z.array(FunnelExclude).max(MAX_EXCLUSIONS).default([]),
  breakdown: FunnelBreakdown.nullish().meta({
    description:
      'Groups by the fields of the event that each chain has at the step. The 50 largest at step 1; the rest is one group with `other: true`.',
  }),
  currency: Currency.nullish().meta({ description: "Of all values; the workspace's by default." }),
};

const range = { ...NamedRangeQuery.shape };

const compare = z
  .enum(['previous_period'])
  .nullish()
  .meta({ description: 'Also asks the same of the time of equal length right before `from`.' });

export const FunnelBody = z
  .strictObject({ ...range, ...definition, compare })
  .superRefine(checkFunnel)
  .meta({ id: 'FunnelBody' });
export type FunnelBody = z.output<typeof FunnelBody>;

/** The body of the report, so that a frontend can pass it on. What chooses numbers changes nothing in a list. */
export const FunnelPeopleBody = z
  .strictObject({
    ...range,
    ...definition,
    count: definition.count.meta({ description: 'Of the report; changes nothing here.' }),
    breakdown: definition.breakdown.meta({ description: 'Of the report; changes nothing here.' }),
    currency: definition.currency.meta({ description: 'Of the report; changes nothing here.' }),
    compare: compare.meta({ description: 'Of the report; changes nothing here.' }),
    step: stepNumber.meta({ example: 2 }),
    state: z.enum(FUNNEL_STATES).meta({
      description: '`reached`: came to the step. `dropped`: came to the step before it and no further.',
    }),
  })
  .superRefine(checkFunnel)
  .superRefine(checkState)
  .meta({ id: 'FunnelPeopleBody' });
export type FunnelPeopleBody = z.output<typeof FunnelPeopleBody>;

export const FunnelInput = z
  .strictObject({ name: NAME.meta({ example: 'Mention to purchase' }), ...definition })
  .superRefine(checkFunnel)
  .meta({ id: 'FunnelInput' });
export type FunnelInput = z.output<typeof FunnelInput>;

export const FunnelKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a–z, 0–9, _ and -, at most 64 characters')
  .meta({ example: 'mention-to-purchase' });

export const Funnel = z
  .object({
    key: FunnelKey,
    name: NAME,
    ...definition,
    order: z.enum(FUNNEL_ORDERS),
    entry: z.enum(FUNNEL_ENTRIES),
    count: z.enum(FUNNEL_COUNTS),
    scope: z.enum(REPORT_SCOPES),
    hold: definition.hold.unwrap(),
    exclude: definition.exclude.unwrap(),
    breakdown: FunnelBreakdown.nullable(),
    currency: z.string().nullable().meta({ description: "Null: the workspace's." }),
    created_at: z.string().meta({ format: 'date-time' }),
    updated_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Funnel' });
export type Funnel = z.output<typeof Funnel>;
