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
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';

needWorld();

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);
type Where = JourneySettings['where'];

const WEIGHTS = { first: 3, middle: 1, last: 2 };

/** Few people, few instants: many ties, many touches at the very instant of a conversion. */
const instant = fc.integer({ min: 0, max: 24 }).map((hours) => START + hours * 6 * HOUR_MS);
const person = fc.constantFrom('a', 'a', 'b');
const touch = fc.record({
  person,
  occurred_at: instant,
  kind: fc.constantFrom('mention', 'reply', 'visit', 'event', 'view'),
  channel: fc.constantFrom('x', 'email', 'direct'),
  campaign: fc.constantFrom('spring', null),
});
const GOALS = ['purchase', 'lead', 'opportunity'] as const;
const conversion = fc.record({
  person,
  goal: fc.constantFrom('purchase', ...GOALS),
  occurred_at: instant,
  value: fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
  adjustment: fc.constantFrom('none', 'none', 'none', 'retraction', 'restatement'),
});
const log = fc.record({
  touches: fc.array(touch, { maxLength: 60, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 30, size: 'max' }),
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
});
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report in SQL equals the definition in the domain, to 1e-9, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, sample);
      const { body } = await workspace.get(reportPath(sample));
      compare(body, expectedOf(sample));
    }),
    { numRuns: 80, seed: 20260101 },
  );
});

test('the parts of a report add up: credit of all groups and unattributed are the total, under every model', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, sample);
      const { body } = await workspace.get(`${reportPath(sample)}&interval=week&limit=2`);
      for (const model of MODELS) {
        for (const part of ['conversions', 'value'] as const) {
          const credited = body.data.reduce((sum: number, row: Json) => sum + row.credit[model][part], 0);
          expect(credited + body.totals.unattributed[part]).toBeCloseTo(body.totals[part], 6);
          const byInterval = body.totals.by_interval.reduce((sum: number, row: Json) => sum + row[part], 0);
          expect(byInterval).toBeCloseTo(body.totals[part], 6);
        }
      }
    }),
    { numRuns: 25, seed: 20260102 },
  );
});

function touchpointsOf({ touches }: Log) {
  return touches.map((sample, i) => ({ ...sample, id: `t${i}` }));
}

function conversionsOf({ conversions }: Log) {
  return conversions.map((sample, i) => ({ ...sample, id: `c${i}` }));
}

async function post(workspace: TestWorkspace, sample: Log): Promise<void> {
  for (const goal of GOALS) await workspace.goal(goal);
  const touchpoints = touchpointsOf(sample).map(({ person: user_id, occurred_at, ...rest }) => ({
    ...rest,
    person: { user_id },
    occurred_at: new Date(occurred_at).toISOString(),
  }));
  const conversions = conversionsOf(sample).map(
    ({ person: user_id, occurred_at, adjustment: _, ...rest }) => ({
      ...rest,
      person: { user_id },
      occurred_at: new Date(occurred_at).toISOString(),
    }),
  );
  if (touchpoints.length > 0) await workspace.load('touchpoints', touchpoints);
  if (conversions.length > 0) await workspace.load('conversions', conversions);
  for (const { id, adjustment } of conversionsOf(sample)) {
    if (adjustment === 'none') continue;
    const body = { kind: adjustment, ...(adjustment === 'restatement' && { value: 1.5 }) };
    await workspace.post(`/v1/conversions/${id}/adjustments`, body);
  }
}

function reportPath({ lookback_days, half_life_days, milestones, policy, where }: Log): string {
  const filters = Object.entries(where).map(
    ([field, values]) =>
      `&where[${field}]=${(values as (string | null)[]).map((value) => value ?? '\\0').join()}`,
  );
  return (
    `/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2026-02-01&models=${MODELS.join()}&weights=3,1,2&group_by=channel,campaign` +
    `&lookback_days=${lookback_days}&half_life_days=${half_life_days}&milestones=${milestones.join()}&journey=${policy}${filters.join('')}`
  );
}

interface Row {
  touchpoints: Set<string>;
  influenced: number;
  assisted: number;
  credit: Record<Model, { conversions: number; value: number }>;
}

type JourneyTouch = JourneyTouchpoint & Touch & { campaign: string | null };
type SampleConversion = ReturnType<typeof conversionsOf>[number];

/** What the definition gives: for each conversion its journey, for each journey the weights. */
function expectedOf(sample: Log): Map<string, Row> {
  const rows = new Map<string, Row>();
  const purchases = conversionsOf(sample)
    .filter(({ goal, adjustment }) => goal === 'purchase' && adjustment !== 'retraction')
    .sort(inJourneyOrder);
  for (const one of purchases) {
    const previous = purchases
      .filter((other) => other.person === one.person && inJourneyOrder(other, one) < 0)
      .at(-1);
    const subject: JourneyConversion = {
      id: one.id,
      occurred_at: one.occurred_at,
      touchpoint_id: null,
      previous_at: previous?.occurred_at ?? null,
    };
    const own: JourneyTouch[] = touchpointsOf(sample)
      .filter((other) => other.person === one.person)
      .map((other) => ({ ...other, voided: false }));
    const journey = withMilestones(journeyOf(subject, own, sample), timesOf(sample, one, subject));
    credit(rows, journey, one.adjustment === 'restatement' ? 1.5 : one.value, sample.half_life_days);
  }
  return rows;
}

/** When the person of the conversion reached each milestone. */
function timesOf(sample: Log, { person }: SampleConversion, subject: JourneyConversion): MilestoneTimes {
  const [lead, opportunity] = sample.milestones.map((milestone) => {
    const candidates = conversionsOf(sample)
      .filter((other) => other.person === person && other.goal === milestone)
      .map(({ occurred_at, adjustment }) => ({ occurred_at, retracted: adjustment === 'retraction' }));
    return milestoneTime(subject, candidates, sample);
  });
  return { lead: lead ?? null, opportunity: opportunity ?? null };
}

function credit(
  rows: Map<string, Row>,
  journey: JourneyTouch[],
  value: number,
  half_life_days: number,
): void {
  const keys = journey.map(({ channel, campaign }) => JSON.stringify({ channel, campaign }));
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
  const keyOf = ({ channel, campaign }: Json) => JSON.stringify({ channel, campaign });
  expect(report.data.map((row: Json) => keyOf(row.group)).sort()).toEqual([...expected.keys()].sort());
  for (const row of report.data) {
    const wanted = rowOf(expected, keyOf(row.group));
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
