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
  .meta({ description: 'Matches conversions of one of these goals.' });

const filter = { touchpoint: TouchpointFilter.optional(), conversion: ConversionFilter.optional() };

const EITHER = { message: 'Send `touchpoint` or `conversion`, one of the two' };

function isEither({ touchpoint, conversion }: { touchpoint?: unknown; conversion?: unknown }): boolean {
  return (touchpoint === undefined) !== (conversion === undefined);
}

export const FunnelStep = z
  .strictObject({
    name: NAME.nullish().meta({
      description: 'If omitted, it is made of the fields that the step matches.',
      example: 'Mentioned us',
    }),
    ...filter,
  })
  .refine(isEither, EITHER)
  .meta({
    id: 'FunnelStep',
    description: 'The events that a step matches: `touchpoint` or `conversion`, one of the two.',
  });
export type FunnelStep = z.output<typeof FunnelStep>;

/** No maximum here: `checkFunnel` rejects a step that the funnel does not have. */
const stepNumber = z.number().int().min(1).meta({ maximum: MAX_STEPS });

export const FunnelExclude = z
  .strictObject({
    ...filter,
    after_step: stepNumber.nullish().meta({ description: 'Default: the first step.' }),
    before_step: stepNumber.nullish().meta({ description: 'Default: the last step.' }),
  })
  .refine(isEither, EITHER)
  .meta({
    id: 'FunnelExclude',
    description:
      'No matching event may lie between these two steps of a chain. Send `touchpoint` or `conversion`, one of the two.',
  });
export type FunnelExclude = z.output<typeof FunnelExclude>;

export const BreakdownBy = z.array(z.enum(DIMENSIONS)).min(1).max(MAX_BREAKDOWN);

const FunnelBreakdown = z.strictObject({
  by: BreakdownBy.meta({ description: 'One to three fields of touchpoints.', example: ['channel'] }),
  at_step: stepNumber.default(1),
});

/** The fields that a saved funnel keeps: all but the range. */
const definition = {
  steps: z
    .array(FunnelStep)
    .min(2, 'Send at least 2 steps')
    .max(MAX_STEPS, `Send at most ${MAX_STEPS} steps`),
  order: z.enum(FUNNEL_ORDERS).default('ordered').meta({
    description:
      '`ordered`: each step is a later event than the previous one. `strict`: the same, with no other event in between. `any`: steps in any order; step k is the k-th of them that was matched.',
  }),
  window_seconds: z
    .number()
    .int()
    .min(1)
    .max(MAX_WINDOW_SECONDS, `At most ${MAX_WINDOW_SECONDS}, which is 366 days`)
    .meta({ description: 'Seconds from the first matched event to the last, inclusive.', example: 604_800 }),
  entry: z.enum(FUNNEL_ENTRIES).default('any').meta({
    description:
      '`any`: the start that leads furthest counts. `first`: only the first start in the range counts.',
  }),
  count: z.enum(FUNNEL_COUNTS).default('people').meta({
    description:
      '`people`: each entity counts once per step. `completions`: each chain to a step counts, without overlap; values, seconds and groups still come from one chain per entity.',
  }),
  scope: z.enum(REPORT_SCOPES).default('person').meta({
    description:
      'The entity that moves through the funnel: a person, or everyone at an account. A person without an account is an entity alone.',
  }),
  hold: z.array(z.enum(DIMENSIONS)).max(DIMENSIONS.length).default([]).meta({
    description:
      'Fields in which all matched touchpoints have to agree, such as one thread or one campaign. An empty field agrees with nothing.',
  }),
  exclude: z.array(FunnelExclude).max(MAX_EXCLUSIONS).default([]),
  breakdown: FunnelBreakdown.nullish().meta({
    description:
      'Groups entities by fields of the event that their chain has at a step. The 50 largest groups at step 1 are shown; all others are one group with `other: true`.',
  }),
  currency: Currency.nullish().meta({ description: "Currency of all values; default the workspace's." }),
};

const range = { ...NamedRangeQuery.shape };

const compare = z
  .enum(['previous_period'])
  .nullish()
  .meta({ description: 'Adds the same report for the previous period of equal length.' });

export const FunnelBody = z
  .strictObject({ ...range, ...definition, compare })
  .superRefine(checkFunnel)
  .meta({ id: 'FunnelBody' });
export type FunnelBody = z.output<typeof FunnelBody>;

/**
 * The body of the report, so that a frontend can pass it on. Fields that do not select people
 * have no effect here.
 */
export const FunnelPeopleBody = z
  .strictObject({
    ...range,
    ...definition,
    count: definition.count.meta({ description: 'A field of the report; has no effect here.' }),
    breakdown: definition.breakdown.meta({ description: 'A field of the report; has no effect here.' }),
    currency: definition.currency.meta({ description: 'A field of the report; has no effect here.' }),
    compare: compare.meta({ description: 'A field of the report; has no effect here.' }),
    step: stepNumber.meta({ example: 2 }),
    state: z.enum(FUNNEL_STATES).meta({
      description: '`reached`: reached the step. `dropped`: reached the previous step, and no further one.',
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
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'Send a–z, 0–9, _ and -, at most 64 characters')
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
    currency: z.string().nullable().meta({ description: "Null: the workspace's currency." }),
    created_at: z.string().meta({ format: 'date-time' }),
    updated_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Funnel' });
export type Funnel = z.output<typeof Funnel>;
