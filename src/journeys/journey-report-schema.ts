import * as z from 'zod';
import { MAX_PATH_END, PATH_STATES } from '../domain/paths.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, JourneyQuery, WhereConversionQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

const MAX_ROWS = 10_000;
/** A limit that no journey reaches. */
const MAX_TOUCHES = 1_000_000;

const touches = z.number().int().min(0).max(MAX_TOUCHES).optional();

export const JourneysQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...JourneyQuery.shape,
  where_conversion: WhereConversionQuery,
  collapse: z.boolean().default(true).meta({
    description: 'Collapses consecutive repeats of a group in a path: x, x, email becomes x, email.',
  }),
  min_touches: touches.meta({
    description:
      'Only journeys of at least this number of touchpoints, counted before `collapse`. Applies to the whole report.',
  }),
  max_touches: touches.meta({
    description:
      'Only journeys of at most this number of touchpoints, counted before `collapse`. Applies to the whole report.',
  }),
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).meta({
    description:
      'Maximum number of paths, most conversions first. All other paths are one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});
export type JourneysQuery = z.output<typeof JourneysQuery>;

const DimensionValue = z.string().nullable();
const GroupValue = z.union([DimensionValue, z.array(DimensionValue)]).meta({
  description:
    'The value of the dimension; null if the touchpoint has none. For several dimensions, a list of their values in the order of `group_by`.',
});

const Share = z.object({ conversions: z.number().int(), value: z.number() });

const PathNode = z
  .object({
    state: z.enum(PATH_STATES).meta({
      description:
        '`start`: before the first touchpoint. `group`: at touchpoints of `group`. `conversion` and `null`: the end of the journey, with and without a conversion.',
    }),
    group: GroupValue.optional(),
  })
  .meta({
    id: 'PathNode',
    description: 'A node of a flow. `group` is present only if `state` is `group`.',
  });

const Distribution = z
  .object({
    median: z.number().nullable().meta({ description: 'Exact; null without any journey.' }),
    p90: z.number().nullable(),
    buckets: z.array(
      z.object({
        from: z.number().int().meta({ description: 'Included.' }),
        to: z.number().int().nullable().meta({ description: 'Not included; null: no upper bound.' }),
        journeys: z.number().int(),
        value: z.number().meta({ description: 'Net value of the conversions of these journeys.' }),
      }),
    ),
  })
  .meta({
    id: 'JourneyDistribution',
    description:
      'A distribution over the journeys that converted and have touchpoints. `path_length` counts touchpoints before `collapse`. `time_lag_seconds` is the time from the first touchpoint to the conversion.',
  });
export type Distribution = z.output<typeof Distribution>;

export const JourneysReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({ description: 'Observed data, not a measured cause.' }),
    totals: z.object({
      conversions: z
        .number()
        .int()
        .meta({ description: 'Net: without retracted conversions. Each has a path.' }),
      value: z.number().meta({ description: 'Net of adjustments.' }),
      currency: z.string(),
      attributed: Share.meta({ description: 'Conversions with a touchpoint in their journey.' }),
      unattributed: Share.optional().meta({
        description:
          'Conversions without any touchpoint in their journey; their path is `[]`. Omitted under a narrowed read token, whose totals contain only conversions with a journey.',
      }),
      not_converted: z.number().int().meta({ description: 'Journeys without a conversion.' }),
    }),
    data: z.array(
      z.object({
        path: z.array(GroupValue).nullable().meta({
          description:
            'Oldest first; `[]` for conversions without any touchpoint in their journey, null in the row of all other paths.',
        }),
        other: z.literal(true).optional().meta({ description: 'The row of all paths beyond `limit`.' }),
        cut: z
          .literal(true)
          .optional()
          .meta({
            description: `The path has more than ${2 * MAX_PATH_END} steps: \`path\` is the first ${MAX_PATH_END} and the last ${MAX_PATH_END} of them, and a warning \`paths_cut\` is present.`,
          }),
        converted: z.number().int().meta({ description: 'Conversions whose journey took this path.' }),
        not_converted: z
          .number()
          .int()
          .meta({ description: 'People (or accounts) who took this path and did not convert.' }),
        value: z.number().meta({ description: 'Net value of the conversions.' }),
      }),
    ),
    path_length: Distribution,
    time_lag_seconds: Distribution,
    transitions: z
      .array(z.object({ from: PathNode, to: PathNode, count: z.number().int() }))
      .meta({ description: 'The transitions of all paths, most frequent first; at most 10,000.' }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'JourneysReport' });
export type JourneysReport = z.output<typeof JourneysReport>;

export const journeysExample: JourneysReport = {
  query: {
    goal: ['purchase'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    timezone: 'UTC',
    group_by: ['channel'],
    collapse: true,
  },
  observational: true,
  totals: {
    conversions: 3,
    value: 180.5,
    currency: 'USD',
    attributed: { conversions: 2, value: 140.5 },
    unattributed: { conversions: 1, value: 40 },
    not_converted: 1,
  },
  data: [
    { path: ['x', 'email'], converted: 2, not_converted: 0, value: 140.5 },
    { path: [], converted: 1, not_converted: 0, value: 40 },
    { path: ['x'], converted: 0, not_converted: 1, value: 0 },
  ],
  path_length: {
    median: 2.5,
    p90: 2.9,
    buckets: [
      { from: 2, to: 3, journeys: 1, value: 90.5 },
      { from: 3, to: 4, journeys: 1, value: 50 },
    ],
  },
  time_lag_seconds: {
    median: 7200,
    p90: 7200,
    buckets: [{ from: 3600, to: 86_400, journeys: 2, value: 140.5 }],
  },
  transitions: [
    { from: { state: 'start' }, to: { state: 'group', group: 'x' }, count: 3 },
    { from: { state: 'group', group: 'x' }, to: { state: 'group', group: 'email' }, count: 2 },
    { from: { state: 'group', group: 'email' }, to: { state: 'conversion' }, count: 2 },
    { from: { state: 'start' }, to: { state: 'conversion' }, count: 1 },
    { from: { state: 'group', group: 'x' }, to: { state: 'null' }, count: 1 },
  ],
  warnings: [],
};
