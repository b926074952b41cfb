import * as z from 'zod';
import { PATH_STATES } from '../domain/paths.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, JourneyQuery, WhereConversionQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

const MAX_ROWS = 10_000;
/** More touchpoints than any journey has. */
const MAX_TOUCHES = 1_000_000;

const touches = z.number().int().min(0).max(MAX_TOUCHES).optional();

export const JourneysQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...JourneyQuery.shape,
  where_conversion: WhereConversionQuery,
  collapse: z
    .boolean()
    .default(true)
    .meta({ description: 'Consecutive repeats of a group are one in a path: x, x, email is x, email.' }),
  min_touches: touches.meta({
    description:
      'Only journeys of at least so many touchpoints, counted before `collapse`; holds for everything in the report.',
  }),
  max_touches: touches.meta({
    description: 'Only journeys of at most so many touchpoints, counted before `collapse`.',
  }),
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).meta({
    description: 'Paths by conversions; the rest is one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});
export type JourneysQuery = z.output<typeof JourneysQuery>;

const DimensionValue = z.string().nullable();
const GroupValue = z.union([DimensionValue, z.array(DimensionValue)]).meta({
  description:
    'The value of the dimension, null where the touchpoint has none; with several dimensions a list of their values, in the order of `group_by`.',
});

const Share = z.object({ conversions: z.number().int(), value: z.number() });

const PathNode = z
  .object({
    state: z.enum(PATH_STATES).meta({
      description:
        '`start`: before the first touchpoint. `group`: at touchpoints of `group`. `conversion` and `null`: how it ended, `null` without a conversion.',
    }),
    group: GroupValue.optional(),
  })
  .meta({
    id: 'PathNode',
    description: 'A node of a flow. `group` is there where `state` is `group`, and nowhere else.',
  });

const Distribution = z
  .object({
    median: z.number().nullable().meta({ description: 'Exact; null of no journey.' }),
    p90: z.number().nullable(),
    buckets: z.array(
      z.object({
        from: z.number().int().meta({ description: 'Inside.' }),
        to: z.number().int().nullable().meta({ description: 'Not inside; null: without an end.' }),
        journeys: z.number().int(),
        value: z.number().meta({ description: 'Net value of their conversions.' }),
      }),
    ),
  })
  .meta({
    id: 'JourneyDistribution',
    description:
      'Over the journeys that converted and have touchpoints. `path_length` counts touchpoints before `collapse`; `time_lag_seconds` runs from the first touchpoint to the conversion.',
  });
export type Distribution = z.output<typeof Distribution>;

export const JourneysReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).meta({ description: 'What was seen, no measured cause.' }),
    totals: z.object({
      conversions: z.number().int().meta({ description: 'Net: without retracted ones. All have a path.' }),
      value: z.number().meta({ description: 'Net of adjustments.' }),
      currency: z.string(),
      attributed: Share.meta({ description: 'Of conversions with a journey.' }),
      unattributed: Share.optional().meta({
        description:
          'Of conversions without one, whose path is `[]`. Left out under a narrowed read token, whose totals hold conversions with a journey only.',
      }),
      not_converted: z.number().int().meta({ description: 'Journeys that led to no conversion.' }),
    }),
    data: z.array(
      z.object({
        path: z.array(GroupValue).nullable().meta({
          description:
            'Oldest first; `[]` of conversions without any touchpoint in their journey, null in the row of the rest.',
        }),
        other: z.literal(true).optional().meta({ description: 'All paths beyond `limit`.' }),
        converted: z.number().int().meta({ description: 'Conversions whose journey took this path.' }),
        not_converted: z
          .number()
          .int()
          .meta({ description: 'People (or accounts) who took it and did not convert.' }),
        value: z.number().meta({ description: 'Net value of the conversions.' }),
      }),
    ),
    path_length: Distribution,
    time_lag_seconds: Distribution,
    transitions: z
      .array(z.object({ from: PathNode, to: PathNode, count: z.number().int() }))
      .meta({ description: 'Steps of all paths, the most frequent first; at most 10,000.' }),
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
