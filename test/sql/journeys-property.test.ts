import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  inJourneyOrder,
  type JourneyConversion,
  type JourneySettings,
  journeyOf,
} from '../../src/domain/journey.ts';
import {
  type Bucket,
  collapseRuns,
  cutPath,
  isInBucket,
  nullJourneyOf,
  type Outcome,
  PATH_LENGTH_BUCKETS,
  type PathGroup,
  type PathNode,
  stepsOf,
  TIME_LAG_BUCKETS,
} from '../../src/domain/paths.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';
import { compareLists } from './path-order.ts';
import {
  conversionsOf,
  entitiesOf,
  filtersOf,
  longLog,
  netValueOf,
  postLog,
  randomLog,
  recording,
  type SampleTouchpoint,
  START,
  touchpointsOf,
} from './random-log.ts';

needWorld();

const DAY_MS = 86_400_000;
/** Most runs have more paths than this limit, some have fewer. */
const LIMIT = 4;

const DIMENSIONS = [['channel'], ['campaign'], ['channel', 'campaign']] as const;
const log = fc.record({
  ...randomLog,
  ...recording,
  goals: fc.constantFrom<string[]>(['purchase'], ['purchase', 'lead']),
  /** A part of the six days of the log, so that conversions and touchpoints lie before, in and after the range. */
  first_day: fc.constantFrom(0, 0, 2),
  days: fc.integer({ min: 1, max: 9 }),
  lookback_days: fc.integer({ min: 1, max: 8 }),
  policy: fc.constantFrom('reuse' as const, 'reset' as const),
  group_by: fc.constantFrom(...DIMENSIONS),
  collapse: fc.boolean(),
  limit: fc.constant<number>(LIMIT),
  min_touches: fc.constantFrom(null, null, null, 0, 1, 3),
  max_touches: fc.constantFrom(null, null, null, 3, 5),
  where: fc.constantFrom<JourneySettings['where']>(
    {},
    {},
    { channel: ['x', 'direct'] },
    { kind: ['mention', 'event'] },
    { campaign: [null] },
  ),
});
const longLogs = fc
  .tuple(log, fc.record(longLog), fc.constantFrom(200, 200, 2))
  .map(([settings, sample, limit]) => {
    const wide = { first_day: 0 as const, days: 9, lookback_days: 8, policy: 'reuse' as const };
    return { ...settings, ...sample, ...wide, max_touches: null, where: {}, limit };
  });
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report on journeys in SQL equals the definition in the domain, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await postLog(workspace, sample);
      const { body, text, status } = await workspace.get(reportPath(sample));
      expect(status, text).toBe(200);
      compare(body, journeysOf(sample), sample.limit);
    }),
    { numRuns: runs(20), seed: 20260103 },
  );
});

test('so it does for a person with long paths, which lose their middle, and with so many conversions that journeys are swept', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(longLogs, async (sample) => {
      const workspace = await TestWorkspace.make();
      await postLog(workspace, sample);
      const { body } = await workspace.get(reportPath(sample));
      compare(body, journeysOf(sample), sample.limit);
    }),
    { numRuns: runs(6), seed: 20260104, endOnFailure: true },
  );
});

function rangeOf({ first_day, days }: Log): { from: number; to: number } {
  const from = START + first_day * DAY_MS;
  return { from, to: from + days * DAY_MS };
}

function reportPath(sample: Log): string {
  const { goals, lookback_days, scope, policy, group_by, collapse, limit, min_touches, max_touches, where } =
    sample;
  const { from, to } = rangeOf(sample);
  const bounds = [
    min_touches === null ? '' : `&min_touches=${min_touches}`,
    max_touches === null ? '' : `&max_touches=${max_touches}`,
  ];
  return (
    `/v1/reports/journeys?goal=${goals.join()}&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}` +
    `&lookback_days=${lookback_days}&scope=${scope}&journey=${policy}&group_by=${group_by.join()}` +
    `&collapse=${collapse}&limit=${limit}${bounds.join('')}${filtersOf(where)}`
  );
}

interface Journey {
  outcome: Outcome;
  /** The whole path; the report shows both ends of a long one. */
  path: readonly PathGroup[];
  touches: number;
  seconds: number;
  value: number;
}

/** Every journey of the report, by the definitions. */
function journeysOf(sample: Log): Journey[] {
  const { from, to } = rangeOf(sample);
  const entityOf = entitiesOf(sample);
  const touchpoints = touchpointsOf(sample).map((touch) => ({ ...touch, voided: false }));
  const converted = conversionsOf(sample)
    .map((one) => ({ ...one, retracted: one.adjustment === 'retraction' }))
    .filter(({ goal }) => sample.goals.includes(goal))
    .sort(inJourneyOrder);
  const unretracted = converted.filter(({ retracted }) => !retracted);
  const ofConversions = unretracted
    .filter(({ occurred_at }) => occurred_at >= from && occurred_at < to)
    .map((one) => {
      const previous = unretracted.filter(
        (other) =>
          other.goal === one.goal && entityOf(other) === entityOf(one) && inJourneyOrder(other, one) < 0,
      );
      const { id, occurred_at, touchpoint_id } = one;
      const previous_at = previous.at(-1)?.occurred_at ?? null;
      const subject: JourneyConversion = { id, occurred_at, touchpoint_id, previous_at };
      const own = touchpoints.filter((touch) => entityOf(touch) === entityOf(one));
      const touches = journeyOf(subject, own, sample);
      const seconds = (occurred_at - (touches[0]?.occurred_at ?? occurred_at)) / 1000;
      return journey(sample, touches, { outcome: 'conversion', seconds, value: netValueOf(one) });
    });
  const ofOthers = [...new Set(touchpoints.map(entityOf))].flatMap((entity) => {
    const own = touchpoints.filter((touch) => entityOf(touch) === entity);
    const theirs = converted.filter((one) => entityOf(one) === entity);
    const touches = nullJourneyOf(own, theirs, { from, to }, sample);
    return touches.length === 0 ? [] : journey(sample, touches, { outcome: 'null', seconds: 0, value: 0 });
  });
  return [...ofConversions, ...ofOthers].filter(
    ({ touches }) => touches >= (sample.min_touches ?? 0) && touches <= (sample.max_touches ?? Infinity),
  );
}

function journey(
  { group_by, collapse }: Log,
  touches: readonly SampleTouchpoint[],
  rest: Pick<Journey, 'outcome' | 'seconds' | 'value'>,
): Journey {
  const groups = touches.map((touch) => group_by.map((dimension) => touch[dimension]));
  return { ...rest, path: collapse ? collapseRuns(groups) : groups, touches: touches.length };
}

function compare(report: Json, journeys: readonly Journey[], limit: number): void {
  const rows = rowsOf(journeys);
  const rest = rows.slice(limit);
  expect(report.data).toEqual([
    ...rows.slice(0, limit),
    ...(rest.length === 0 ? [] : [{ ...sumOf(rest), path: null, other: true }]),
  ]);
  const cut = journeys.filter(({ path }) => cutPath(path).cut);
  expect(report.warnings.map(({ code, detail }: Json) => [code, Number.parseInt(detail, 10)])).toEqual(
    cut.length === 0 ? [] : [['paths_cut', cut.length]],
  );
  expect(report.transitions).toEqual(transitionsOf(journeys));
  const converting = journeys.filter(({ outcome }) => outcome === 'conversion');
  const withTouches = converting.filter(({ touches }) => touches > 0);
  const without = converting.filter(({ touches }) => touches === 0);
  expect(report.totals).toEqual({
    ...shareOf(converting),
    currency: 'USD',
    attributed: shareOf(withTouches),
    unattributed: shareOf(without),
    not_converted: journeys.length - converting.length,
  });
  compareDistribution(report.path_length, withTouches, ({ touches }) => touches, PATH_LENGTH_BUCKETS);
  compareDistribution(report.time_lag_seconds, withTouches, ({ seconds }) => seconds, TIME_LAG_BUCKETS);
}

interface Row {
  path: unknown[] | null;
  cut?: true;
  converted: number;
  not_converted: number;
  value: number;
}

function rowsOf(journeys: readonly Journey[]): Row[] {
  const byPath = Map.groupBy(journeys, ({ path }) => JSON.stringify(cutPath(path)));
  return [...byPath.values()]
    .map((same) => {
      const converting = same.filter(({ outcome }) => outcome === 'conversion');
      const { conversions: converted, value } = shareOf(converting);
      const { path, cut } = cutPath(same[0]?.path ?? []);
      return { groups: path, ...(cut && { cut }), converted, value, not_converted: same.length - converted };
    })
    .sort(
      (a, b) =>
        b.converted - a.converted ||
        b.value - a.value ||
        b.not_converted - a.not_converted ||
        compareLists(a.groups.flat(), b.groups.flat()),
    )
    .map(({ groups, ...row }) => ({ ...row, path: groups.map(shown) }));
}

function sumOf(rows: readonly Row[]): Omit<Row, 'path'> {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    converted: sum((row) => row.converted),
    not_converted: sum((row) => row.not_converted),
    value: cents(sum((row) => row.value)),
  };
}

function shareOf(journeys: readonly Journey[]): { conversions: number; value: number } {
  const value = cents(journeys.reduce((sum, one) => sum + one.value, 0));
  return { conversions: journeys.length, value };
}

/** Removes the rounding error of sums of binary fractions. */
function cents(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The value of a single dimension, or the values of several as a list. */
function shown(group: PathGroup): unknown {
  return group.length === 1 ? group[0] : group;
}

/** The most frequent first, then by origin (the start first) and by destination (the ends last). */
function transitionsOf(journeys: readonly Journey[]) {
  const steps = journeys.flatMap(({ path, outcome }) => stepsOf(path, outcome));
  const groups = [...Map.groupBy(steps, (step) => JSON.stringify(step)).values()];
  const rank = { start: 0, group: 1, null: 2, conversion: 3 };
  const order = (a: PathNode, b: PathNode) =>
    rank[a.state] - rank[b.state] || (isGroup(a) && isGroup(b) ? compareLists(a.group, b.group) : 0);
  return groups
    .flatMap((same) => same.slice(0, 1).map((step) => ({ ...step, count: same.length })))
    .sort((a, b) => b.count - a.count || order(a.from, b.from) || order(a.to, b.to))
    .map(({ from, to, count }) => ({ from: nodeOut(from), to: nodeOut(to), count }));
}

function isGroup(node: PathNode): node is Extract<PathNode, { state: 'group' }> {
  return node.state === 'group';
}

function nodeOut(node: PathNode): Json {
  return isGroup(node) ? { state: node.state, group: shown(node.group) } : node;
}

function compareDistribution(
  got: Json,
  journeys: readonly Journey[],
  measure: (journey: Journey) => number,
  buckets: readonly Bucket[],
): void {
  const values = journeys.map(measure).toSorted((a, b) => a - b);
  for (const [name, fraction] of [['median', 0.5] as const, ['p90', 0.9] as const]) {
    const rank = (values.length - 1) * fraction;
    const [low = 0, high = 0] = [values[Math.floor(rank)], values[Math.ceil(rank)]];
    if (values.length === 0) expect(got[name]).toBeNull();
    else expect(got[name]).toBeCloseTo(low + (high - low) * (rank - Math.floor(rank)), 6);
  }
  const wanted = buckets.map((bucket) => {
    const inside = journeys.filter((one) => isInBucket(measure(one), bucket));
    return { ...bucket, journeys: inside.length, value: shareOf(inside).value };
  });
  expect(got.buckets).toEqual(wanted);
}
