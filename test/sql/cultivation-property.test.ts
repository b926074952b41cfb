import { PgDialect } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CultivationAnswer, cultivationStatement } from '../../src/cultivation/cultivation-sql.ts';
import { reportOf } from '../../src/cultivation/shape-cultivation.ts';
import {
  armsOf,
  compareArms,
  firstTouchpoint,
  type Landmark,
  type LandmarkSettings,
  landmarkOf,
  type PersonLog,
  poolOf,
} from '../../src/domain/cultivation.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const STEP_MS = 12 * 3_600_000;
const START = Date.UTC(2026, 0, 1);
const at = (step: number) => START + step * STEP_MS;

const GOALS = {
  order: { kind: 'conversion', counting: 'every' },
  contract: { kind: 'conversion', counting: 'once' },
  other: { kind: 'conversion', counting: 'every' },
  follow: { kind: 'cultivation', counting: 'every' },
  join: { kind: 'cultivation', counting: 'once' },
} as const;
type GoalKey = keyof typeof GOALS;
const OUTCOMES: GoalKey[] = ['order', 'contract'];

/** The value of a restatement, also of a conversion without a value, which is in the currency of its goal. */
const RESTATED = 1.5;

/** Few instants, half a day apart like landmarks, horizons and now, give many ties; curves have ten people. */
const PEOPLE = Array.from({ length: 10 }, (_, i) => `p${i}`);
/** The two people who are linked at the end. */
const MERGED = ['p0', 'p1'];
const person = fc.constantFrom(...PEOPLE);

const touch = fc.record({
  person,
  step: fc.integer({ min: 0, max: 5 }),
  channel: fc.constantFrom('x', 'x', 'email', 'Zine'),
  kind: fc.constantFrom('mention', 'view', 'other'),
  voided: fc.constantFrom(true, false, false, false),
});
const conversion = fc.record({
  person,
  step: fc.integer({ min: 0, max: 11 }),
  goal: fc.constantFrom<GoalKey[]>('order', 'contract', 'contract', 'other', 'follow', 'join'),
  cents: fc.option(fc.integer({ min: 0, max: 100_000 })),
  adjustment: fc.constantFrom('none', 'none', 'none', 'none', 'retraction', 'restatement'),
});
const log = fc.record({
  touches: fc.array(touch, { maxLength: 30, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 40, size: 'max' }),
  from: fc.constantFrom(0, 0, 0, 2),
  steps: fc.integer({ min: 2, max: 8 }),
  landmark_days: fc.constantFrom(0, 1, 2),
  horizon_days: fc.constantFrom(1, 2, 3),
  now: fc.integer({ min: 2, max: 16 }),
});
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report in SQL equals the definition in the domain, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, sample);
      for (const group_by of [null, 'channel', 'cultivation_goal'] as const)
        for (const now of [at(sample.now), Date.now()]) {
          const expected = expectedOf(sample, now, group_by);
          expect(await answerAt(workspace, sample, now, group_by)).toEqual(expected);
        }
      const asked = await workspace.get(pathOf(sample));
      const { query, warnings, observational, totals, ...figures } = asked.body;
      const { people, value, ...rest } = expectedOf(sample, Date.now(), 'channel');
      expect(rounded(figures)).toEqual(rest);
      expect(totals).toMatchObject({ people, value });
    }),
    { numRuns: runs(30), seed: 20260801 },
  );
});

/** The query of the API, with its own clock, so that now coincides with instants of the log. */
async function answerAt(
  { id }: TestWorkspace,
  sample: Log,
  now: number,
  group_by: 'channel' | 'cultivation_goal' | null,
) {
  const { landmark_days, horizon_days, from, steps } = sample;
  const question = {
    workspace_id: id,
    currency: 'USD',
    workspace_currency: 'USD',
    workspace_timezone: 'UTC',
    goals: OUTCOMES,
    cultivation_goals: null,
    from: new Date(at(from)).toISOString(),
    to: new Date(at(from + steps)).toISOString(),
    now: new Date(now).toISOString(),
    landmark_days,
    horizon_days,
    group_by,
  };
  const { sql, params } = new PgDialect().sqlToQuery(cultivationStatement(question));
  const [answer] = await rowsOf(sql, params);
  const report = reportOf(
    question,
    { cultivation_goal: ['follow', 'join'] },
    answer as unknown as CultivationAnswer,
  );
  const { observational: _, warnings: __, totals, ...figures } = report;
  const { people, value } = totals;
  return rounded({ ...figures, people, value });
}

function pathOf({ from, steps, landmark_days, horizon_days }: Log): string {
  const [start, end] = [at(from), at(from + steps)].map((ms) => new Date(ms).toISOString());
  return `/v1/reports/cultivation?goal=${OUTCOMES}&from=${start}&to=${end}&landmark_days=${landmark_days}&horizon_days=${horizon_days}&group_by=channel`;
}

/** Ids whose bytewise order differs from numeric and dictionary order. */
function idOf(i: number): string {
  return `${['b', 'A', 'é', 'a', 'Z'][i % 5]}${i}`;
}

async function post(workspace: TestWorkspace, { touches, conversions }: Log): Promise<void> {
  for (const [key, settings] of Object.entries(GOALS)) await workspace.goal(key, settings);
  const items = <T extends { person: string; step: number }>(list: readonly T[]) =>
    list.map(({ person: user_id, step: when, ...rest }, i) => ({
      ...rest,
      id: idOf(i),
      occurred_at: new Date(at(when)).toISOString(),
      person: MERGED.includes(user_id) ? { x: user_id } : { user_id },
    }));
  await workspace.load(
    'touchpoints',
    items(touches).map(({ voided: _, ...rest }) => rest),
  );
  await workspace.load(
    'conversions',
    items(conversions).map(({ adjustment: _, cents, ...rest }) => ({
      ...rest,
      ...(cents !== null && { value: cents / 100 }),
    })),
  );
  const links = MERGED.map((x) => ({ id: x, person: { x, email: 'both@b.example' } }));
  await workspace.load('people', links);
  for (const [i, { voided }] of touches.entries())
    if (voided) await workspace.ask('DELETE', `/v1/touchpoints/${encodeURIComponent(idOf(i))}`);
  for (const [i, { adjustment }] of conversions.entries())
    if (adjustment !== 'none')
      await workspace.post(`/v1/conversions/${encodeURIComponent(idOf(i))}/adjustments`, {
        kind: adjustment,
        ...(adjustment === 'restatement' && { value: RESTATED }),
      });
}

/** The logs of all people; the two who merged are one person. */
function logsOf({ touches, conversions }: Log): PersonLog[] {
  const whose = (name: string) => (MERGED.includes(name) ? 'merged' : name);
  const of = <T extends { person: string; step: number }>(list: readonly T[], one: string) =>
    list.flatMap((item, i) =>
      whose(item.person) === one ? [{ ...item, id: idOf(i), occurred_at: at(item.step) }] : [],
    );
  return [...new Set(PEOPLE.map(whose))].map((one) => ({
    touchpoints: of(touches, one),
    conversions: of(conversions, one).map(({ cents, adjustment, ...rest }) => ({
      ...rest,
      counting: GOALS[rest.goal].counting,
      retracted: adjustment === 'retraction',
      value: adjustment === 'restatement' ? RESTATED : cents === null ? null : cents / 100,
    })),
  }));
}

function expectedOf(sample: Log, now: number, group_by: 'channel' | 'cultivation_goal' | null) {
  const settings: LandmarkSettings = {
    ...sample,
    goals: OUTCOMES,
    cultivation_goals: ['follow', 'join'],
    from: at(sample.from),
    to: at(sample.from + sample.steps),
    now,
  };
  const logs = logsOf(sample);
  const people = logs.flatMap((one) => landmarkOf(one, settings) ?? []);
  const pool = (goal: string) => logs.filter((one) => poolOf(one, settings).includes(goal)).length;
  const everyone = armsOf(people);
  const leftOut = (reason: string) => people.filter(({ left_out }) => left_out === reason).length;
  const { low_evidence: _, ...compared } = rounded(compareArms(everyone));
  return {
    people: people.length,
    value: rounded(everyone.cultivated.value + everyone.uncultivated.value),
    ...compared,
    left_out: {
      converted_before_landmark: leftOut('converted_before_landmark'),
      short_follow_up: leftOut('short_follow_up'),
    },
    pool: ['follow', 'join'].map((goal) => ({ goal, people: pool(goal) })),
    data: rowsExpected(group_by, logs, people, settings),
  };
}

function rowsExpected(
  group_by: 'channel' | 'cultivation_goal' | null,
  logs: readonly PersonLog[],
  people: readonly Landmark[],
  settings: LandmarkSettings,
): Json[] {
  const pooled = logs.filter((one) => poolOf(one, settings).length > 0);
  if (group_by === null)
    return [{ group: {}, ...rounded(compareArms(armsOf(people))), pool_people: pooled.length }];
  if (group_by === 'cultivation_goal')
    return settings.cultivation_goals.map((goal) => ({
      group: { cultivation_goal: goal },
      ...rounded(compareArms(armsOf(people, goal))),
      pool_people: logs.filter((one) => poolOf(one, settings).includes(goal)).length,
    }));
  const channelOf = (one: PersonLog) => firstTouchpoint(one, settings.now)?.channel ?? null;
  const entered = (channel: string | null) => people.filter((one) => one.channel === channel);
  const reached = logs.filter(
    (one) => poolOf({ ...one, conversions: one.conversions.filter(isCultivation) }, settings).length > 0,
  );
  const channels = new Set([...people.map(({ channel }) => channel), ...reached.map(channelOf)]);
  return [...channels]
    .sort((a, b) => entered(b).length - entered(a).length || (b === null || (a !== null && a < b) ? -1 : 1))
    .map((channel) => ({
      group: { channel },
      ...rounded(compareArms(armsOf(entered(channel)))),
      pool_people: pooled.filter((one) => channelOf(one) === channel).length,
    }));
}

const isCultivation = ({ goal }: { goal: string }) => GOALS[goal as GoalKey].kind === 'cultivation';

/** Sums are exact in SQL and binary fractions here, so the last digit may differ. */
function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member) =>
    typeof member === 'number' ? Number(member.toFixed(9)) : member,
  );
}
