import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MODELS, type Model, type Touch, weightsOf } from '../../src/domain/attribution.ts';
import {
  inJourneyOrder,
  type JourneyConversion,
  type JourneySettings,
  type JourneyTouchpoint,
  journeyOf,
} from '../../src/domain/journey.ts';
import { type MilestoneTimes, milestoneTime, withMilestones } from '../../src/domain/milestones.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';
import {
  conversionsOf,
  crowdedLog,
  entitiesOf,
  filtersOf,
  GOALS,
  netValueOf,
  postLog,
  randomLog,
  recording,
  type SampleConversion,
  touchpointsOf,
} from './random-log.ts';

needWorld();

type Where = JourneySettings['where'];

const WEIGHTS = { first: 3, middle: 1, last: 2 };

const log = fc.record({
  ...randomLog,
  ...recording,
  milestones: fc.shuffledSubarray([...GOALS], { minLength: 2, maxLength: 2 }),
  lookback_days: fc.integer({ min: 1, max: 8 }),
  half_life_days: fc.constantFrom(0.1, 1, 7),
  policy: fc.constantFrom('reuse' as const, 'reset' as const),
  where: fc.constantFrom<Where>(
    {},
    {},
    { channel: ['x', 'direct'] },
    { kind: ['mention', 'event'] },
    { campaign: [null] },
  ),
  interval: fc.constantFrom(null, null, 'day' as const, 'week' as const),
  /** Groups beyond 2 are one row; no log has 1000. */
  limit: fc.constantFrom(1000, 1000, 2),
});
const crowdedLogs = fc
  .tuple(log, fc.record(crowdedLog))
  .map(([settings, sample]) => ({ ...settings, ...sample, where: {} }));
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report in SQL equals the definition in the domain, to 1e-9, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await postLog(workspace, sample);
      const { body } = await workspace.get(reportPath(sample));
      compare(body, expectedOf(sample, body.data));
    }),
    { numRuns: runs(40), seed: 20260101 },
  );
});

test('so it does for a person with so many conversions that credit is swept', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(crowdedLogs, async (sample) => {
      const workspace = await TestWorkspace.make();
      await postLog(workspace, sample);
      const { body } = await workspace.get(reportPath(sample));
      compare(body, expectedOf(sample, body.data));
    }),
    { numRuns: runs(4), seed: 20260103 },
  );
});

test('the parts of a report add up: credit of all groups and unattributed are the total, under every model', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await postLog(workspace, sample);
      const { body } = await workspace.get(`${reportPath({ ...sample, interval: 'week', limit: 2 })}`);
      for (const model of MODELS) {
        for (const part of ['conversions', 'value'] as const) {
          const credited = body.data.reduce((sum: number, row: Json) => sum + row.credit[model][part], 0);
          expect(credited + body.totals.unattributed[part]).toBeCloseTo(body.totals[part], 6);
          const byInterval = body.totals.by_interval.reduce((sum: number, row: Json) => sum + row[part], 0);
          expect(byInterval).toBeCloseTo(body.totals[part], 6);
        }
      }
    }),
    { numRuns: runs(15), seed: 20260102 },
  );
});

function reportPath(sample: Log): string {
  const { lookback_days, half_life_days, milestones, scope, policy, where, interval, limit } = sample;
  const shown = `&limit=${limit}${interval === null ? '' : `&interval=${interval}`}`;
  return (
    `/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2026-02-01&models=${MODELS.join()}&weights=3,1,2&group_by=channel,campaign` +
    `&lookback_days=${lookback_days}&half_life_days=${half_life_days}&milestones=${milestones.join()}&scope=${scope}&journey=${policy}${filtersOf(where)}${shown}`
  );
}

interface Row {
  touchpoints: Set<string>;
  influenced: number;
  assisted: number;
  credit: Record<Model, { conversions: number; value: number }>;
}

type JourneyTouch = JourneyTouchpoint & Touch & { campaign: string | null };

/** The interval and the group of a row of the report. */
function labelOf({ interval = null, group, other }: Json): string {
  return JSON.stringify([interval, other ? 'other' : [group.channel, group.campaign]]);
}

/** The local date on which the interval starts; weeks start on Monday. */
function startOf({ interval }: Log, at: number): string | null {
  if (interval === null) return null;
  const days = interval === 'week' ? (new Date(at).getUTCDay() + 6) % 7 : 0;
  return new Date(at - days * 86_400_000).toISOString().slice(0, 10);
}

/**
 * The result of the definition: the journey of each conversion and the weights of each journey. Groups that the report
 * does not show are the row of all others.
 */
function expectedOf(sample: Log, shown: readonly Json[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  const labels = new Set(shown.map(labelOf));
  const entityOf = entitiesOf(sample);
  const purchases = conversionsOf(sample)
    .filter(({ goal, adjustment }) => goal === 'purchase' && adjustment !== 'retraction')
    .sort(inJourneyOrder);
  for (const one of purchases) {
    const previous = purchases
      .filter((other) => entityOf(other) === entityOf(one) && inJourneyOrder(other, one) < 0)
      .at(-1);
    const subject: JourneyConversion = {
      id: one.id,
      occurred_at: one.occurred_at,
      touchpoint_id: one.touchpoint_id,
      previous_at: previous?.occurred_at ?? null,
    };
    const own: JourneyTouch[] = touchpointsOf(sample)
      .filter((other) => entityOf(other) === entityOf(one))
      .map((other) => ({ ...other, voided: false }));
    const journey = withMilestones(journeyOf(subject, own, sample), timesOf(sample, one, subject));
    const interval = startOf(sample, one.occurred_at);
    const keys = journey.map((group) => {
      const label = labelOf({ interval, group });
      return labels.has(label) ? label : labelOf({ interval, other: true });
    });
    credit(rows, journey, keys, netValueOf(one), sample.half_life_days);
  }
  return rows;
}

/** The time at which the entity of the conversion reached each milestone. */
function timesOf(sample: Log, one: SampleConversion, subject: JourneyConversion): MilestoneTimes {
  const entityOf = entitiesOf(sample);
  const [lead, opportunity] = sample.milestones.map((milestone) => {
    const candidates = conversionsOf(sample)
      .filter((other) => entityOf(other) === entityOf(one) && other.goal === milestone)
      .map(({ occurred_at, adjustment }) => ({ occurred_at, retracted: adjustment === 'retraction' }));
    return milestoneTime(subject, candidates, sample);
  });
  return { lead: lead ?? null, opportunity: opportunity ?? null };
}

function credit(
  rows: Map<string, Row>,
  journey: JourneyTouch[],
  keys: string[],
  value: number,
  half_life_days: number,
): void {
  for (const key of new Set(keys)) {
    const row = rowOf(rows, key);
    row.influenced += 1;
    if (keys.at(-1) !== key) row.assisted += 1;
  }
  for (const model of MODELS) {
    weightsOf(model, journey, { half_life_days, weights: WEIGHTS }).forEach((weight, i) => {
      const row = rowOf(rows, keys[i] ?? '');
      row.touchpoints.add(journey[i]?.id ?? '');
      row.credit[model].conversions += weight;
      row.credit[model].value += weight * value;
    });
  }
}

function rowOf(rows: Map<string, Row>, key: string): Row {
  const known = rows.get(key);
  if (known) return known;
  const none = Object.fromEntries(
    MODELS.map((model) => [model, { conversions: 0, value: 0 }]),
  ) as Row['credit'];
  const made = { touchpoints: new Set<string>(), influenced: 0, assisted: 0, credit: none };
  rows.set(key, made);
  return made;
}

function compare(report: Json, expected: Map<string, Row>): void {
  expect(report.data.map(labelOf).sort()).toEqual([...expected.keys()].sort());
  for (const row of report.data) {
    const wanted = rowOf(expected, labelOf(row));
    expect([row.touchpoints, row.influenced_conversions, row.assisted_conversions]).toEqual([
      wanted.touchpoints.size,
      wanted.influenced,
      wanted.assisted,
    ]);
    for (const model of MODELS) {
      expect(Math.abs(row.credit[model].conversions - wanted.credit[model].conversions), model).toBeLessThan(
        1e-9,
      );
      expect(Math.abs(row.credit[model].value - wanted.credit[model].value), model).toBeLessThan(1e-8);
    }
  }
}
