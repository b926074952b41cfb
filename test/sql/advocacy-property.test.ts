import { PgDialect } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AdvocacyAnswer, advocacyStatement } from '../../src/advocacy/advocacy-sql.ts';
import { type AdvocacyLog, advocacyOf } from '../../src/domain/advocacy.ts';
import { needWorld, runs, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const STEP_MS = 6 * 3_600_000;
const START = Date.UTC(2026, 0, 1);
const at = (step: number) => START + step * STEP_MS;

const GOALS = {
  order: { kind: 'conversion', counting: 'every' },
  contract: { kind: 'conversion', counting: 'once' },
  other: { kind: 'conversion', counting: 'every' },
} as const;
type GoalKey = keyof typeof GOALS;
const ASKED: GoalKey[] = ['order', 'contract'];

/** The value of a restatement, also of a conversion without a value, which is in the currency of its goal. */
const RESTATED = 1.5;

/** Few people and few instants give circles, ties, people with several advocates, and some who referred themselves. */
const PEOPLE = ['ann', 'bob', 'cleo', 'dan', 'eve', 'fay'] as const;
const person = fc.constantFrom(...PEOPLE);
const step = fc.integer({ min: 0, max: 12 });

const referral = fc.record({
  person,
  step,
  advocate: fc.option(person, { freq: 8 }),
  voided: fc.constantFrom(true, false, false, false),
});
const conversion = fc.record({
  person,
  step,
  goal: fc.constantFrom<GoalKey[]>('order', 'order', 'contract', 'other'),
  cents: fc.option(fc.integer({ min: 0, max: 100_000 })),
  adjustment: fc.constantFrom('none', 'none', 'none', 'retraction', 'restatement'),
});
const log = fc.record({
  referrals: fc.array(referral, { maxLength: 16, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 20, size: 'max' }),
  from: fc.integer({ min: 0, max: 6 }),
  steps: fc.integer({ min: 1, max: 6 }),
  now: fc.integer({ min: 3, max: 14 }),
});
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report in SQL equals the definition in the domain, on random referrals with circles and ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, sample);
      const ids = await idsOf(workspace);
      for (const now of [at(sample.now), Date.now()])
        expect(await answerAt(workspace, sample, now)).toEqual(expectedOf(sample, now, ids));
      const [from, to] = boundsOf(sample);
      const { body } = await workspace.get(`/v1/reports/advocacy?goal=${ASKED}&from=${from}&to=${to}`);
      const { advocates, totals } = expectedOf(sample, Date.now(), ids);
      expect(rounded(body.data)).toEqual(advocates);
      expect(rounded(body.totals)).toMatchObject(totals);
    }),
    { numRuns: runs(30), seed: 20260901 },
  );
});

function boundsOf({ from, steps }: Log): [string, string] {
  return [new Date(at(from)).toISOString(), new Date(at(from + steps)).toISOString()];
}

/** The query of the API, with its own clock, so that now coincides with instants of the log. */
async function answerAt({ id }: TestWorkspace, sample: Log, now: number) {
  const [from, to] = boundsOf(sample);
  const question = {
    workspace_id: id,
    currency: 'USD',
    workspace_currency: 'USD',
    workspace_timezone: 'UTC',
    goals: ASKED,
    from,
    to,
    now: new Date(now).toISOString(),
    limit: 100,
  };
  const { sql, params } = new PgDialect().sqlToQuery(advocacyStatement(question));
  const [row] = await rowsOf(sql, params);
  const { advocates, totals } = row as unknown as AdvocacyAnswer;
  const { advocates: count, lacks_rate: _, ...rest } = totals;
  expect(count).toBe(advocates.length);
  // Amounts are text in SQL and numbers in the definition.
  return rounded(
    JSON.parse(JSON.stringify({ advocates, totals: rest }), (key, member) =>
      key === 'value' ? Number(member) : member,
    ),
  );
}

const idOf = (i: number) => `${['b', 'A', 'é', 'a', 'Z'][i % 5]}${i}`;

async function post(workspace: TestWorkspace, { referrals, conversions }: Log): Promise<void> {
  for (const [key, settings] of Object.entries(GOALS)) await workspace.goal(key, settings);
  const touchpoints = referrals.map(({ person: user_id, step: when, advocate }, i) => ({
    id: idOf(i),
    kind: 'visit',
    channel: 'x',
    occurred_at: new Date(at(when)).toISOString(),
    person: { user_id },
    ...(advocate && { referred_by: { handle: `${advocate}-tells` } }),
  }));
  const sales = conversions.map(({ person: user_id, step: when, goal, cents }, i) => ({
    id: idOf(i),
    goal,
    occurred_at: new Date(at(when)).toISOString(),
    person: { user_id },
    ...(cents !== null && { value: cents / 100 }),
  }));
  await workspace.load('touchpoints', touchpoints);
  await workspace.load('conversions', sales);
  // The handles are linked to people afterwards, so that some people turn out to have referred themselves.
  const links = PEOPLE.map((user_id) => ({ id: user_id, person: { user_id, handle: `${user_id}-tells` } }));
  await workspace.load('people', links);
  for (const [i, { voided }] of referrals.entries())
    if (voided) await workspace.ask('DELETE', `/v1/touchpoints/${encodeURIComponent(idOf(i))}`);
  for (const [i, { adjustment }] of conversions.entries())
    if (adjustment !== 'none')
      await workspace.post(`/v1/conversions/${encodeURIComponent(idOf(i))}/adjustments`, {
        kind: adjustment,
        ...(adjustment === 'restatement' && { value: RESTATED }),
      });
}

async function idsOf(workspace: TestWorkspace): Promise<Record<string, string>> {
  const pairs = PEOPLE.map(async (user_id) => {
    const { body } = await workspace.post('/v1/people/lookup', { person: { user_id } });
    return [user_id, body.id] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

function expectedOf({ referrals, conversions, from, steps }: Log, now: number, ids: Record<string, string>) {
  const told: AdvocacyLog = {
    referrals: referrals.map(({ person: one, step: when, advocate, voided }) => ({
      person_id: ids[one] ?? one,
      occurred_at: at(when),
      referred_by_person_id: advocate && (ids[advocate] ?? advocate),
      voided,
    })),
    conversions: conversions.map(({ person: one, step: when, goal, cents, adjustment }, i) => ({
      id: idOf(i),
      person_id: ids[one] ?? one,
      goal,
      occurred_at: at(when),
      counting: GOALS[goal].counting,
      retracted: adjustment === 'retraction',
      value: adjustment === 'restatement' ? RESTATED : cents === null ? null : cents / 100,
    })),
  };
  const settings = { goals: ASKED, from: at(from), to: at(from + steps), now };
  const { advocates, totals, all, word_of_mouth } = advocacyOf(told, settings);
  return rounded({ advocates, totals: { ...totals, all, word_of_mouth } });
}

/** Sums are exact in SQL and binary fractions here, so the last digit may differ. */
function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member) =>
    typeof member === 'number' ? Number(member.toFixed(9)) : member,
  );
}
