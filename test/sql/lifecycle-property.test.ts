import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  furthestStage,
  type LifecycleLog,
  lifecycleRows,
  type Move,
  movesOf,
} from '../../src/domain/lifecycle.ts';
import { STAGES, type Stage } from '../../src/domain/touchpoint-fields.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';

needWorld();

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);

const GOALS = {
  order: { stage: 'purchase', counting: 'every' },
  contract: { stage: 'purchase', counting: 'once' },
  lead: { stage: 'consideration', counting: 'every' },
  demo: { stage: 'trial', counting: 'once' },
  renewal: { stage: 'loyalty', counting: 'every' },
  other: { stage: null, counting: 'every' },
} as const;
type GoalKey = keyof typeof GOALS;

/** Few people and few instants give many ties. Everybody is named as an advocate by a handle; eve does nothing else. */
const PEOPLE = ['ann', 'bob', 'cleo', 'dan'] as const;
const instant = fc.integer({ min: 0, max: 12 }).map((step) => START + step * 6 * HOUR_MS);
const person = fc.constantFrom(...PEOPLE);
const rarely = fc.constantFrom(true, false, false, false, false);

const touch = fc.record({
  person,
  occurred_at: instant,
  direction: fc.constantFrom('inbound', 'outbound', null),
  stage: fc.constantFrom<(Stage | null)[]>(null, null, null, ...STAGES),
  advocate: fc.constantFrom(null, null, null, null, ...PEOPLE, 'eve'),
  voided: rarely,
});
const conversion = fc.record({
  person,
  occurred_at: instant,
  goal: fc.constantFrom(...(Object.keys(GOALS) as GoalKey[])),
  retracted: rarely,
});
const log = fc.record({
  touches: fc.array(touch, { maxLength: 30, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 15, size: 'max' }),
  from: instant,
  steps: fc.integer({ min: 1, max: 12 }),
});
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

test('the report in SQL equals the definition in the domain, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, sample);
      const { from, to } = rangeOf(sample);
      const path = `/v1/reports/lifecycle?from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
      const { data, moves, totals } = (await workspace.get(path)).body;
      expect({ data, moves, totals }).toEqual(expectedOf(sample));
    }),
    { numRuns: runs(20), seed: 20260103 },
  );
});

function rangeOf({ from, steps }: Log) {
  return { from, to: from + steps * 6 * HOUR_MS };
}

/** Ids whose bytewise order differs from numeric and dictionary order. */
function idOf(i: number): string {
  return `${['b', 'A', 'é', 'a', 'Z'][i % 5]}${i}`;
}

async function post(workspace: TestWorkspace, { touches, conversions }: Log): Promise<void> {
  for (const [key, settings] of Object.entries(GOALS)) await workspace.goal(key, settings);
  const touchpoints = touches.map(({ person: user_id, advocate, voided: _, occurred_at, ...rest }, i) => ({
    ...rest,
    id: idOf(i),
    kind: 'message',
    channel: 'x',
    occurred_at: new Date(occurred_at).toISOString(),
    person: { user_id },
    ...(advocate && { referred_by: { handle: `${advocate}-tells` } }),
  }));
  const sales = conversions.map(({ person: user_id, occurred_at, goal }, i) => ({
    id: idOf(i),
    goal,
    occurred_at: new Date(occurred_at).toISOString(),
    person: { user_id },
  }));
  await workspace.load('touchpoints', touchpoints);
  await workspace.load('conversions', sales);
  // The handles are linked to people afterwards, so that some people turn out to have referred themselves.
  const links = PEOPLE.map((user_id) => ({ id: user_id, person: { user_id, handle: `${user_id}-tells` } }));
  await workspace.load('people', links);
  for (const [i, { voided }] of touches.entries())
    if (voided) await workspace.ask('DELETE', `/v1/touchpoints/${encodeURIComponent(idOf(i))}`);
  for (const [i, { retracted }] of conversions.entries())
    if (retracted)
      await workspace.post(`/v1/conversions/${encodeURIComponent(idOf(i))}/adjustments`, {
        kind: 'retraction',
      });
}

function logOf({ touches, conversions }: Log): LifecycleLog {
  return {
    touchpoints: touches.map(({ person: person_id, advocate, ...rest }, i) => ({
      ...rest,
      id: idOf(i),
      person_id,
      referred_by_person_id: advocate,
    })),
    conversions: conversions.map(({ person: person_id, ...rest }, i) => ({
      ...rest,
      id: idOf(i),
      person_id,
      goal_stage: GOALS[rest.goal].stage,
      counting: GOALS[rest.goal].counting,
    })),
  };
}

/** People with an event that counts before `to`, or who were named in such an event of another person. */
function everyoneIn({ touchpoints, conversions }: LifecycleLog, to: number): Set<string> {
  const counted = touchpoints.filter(({ voided, occurred_at }) => !voided && occurred_at < to);
  const sold = conversions.filter(({ retracted, occurred_at }) => !retracted && occurred_at < to);
  return new Set([
    ...counted.map(({ person_id }) => person_id),
    ...counted.flatMap(({ referred_by_person_id }) => referred_by_person_id ?? []),
    ...sold.map(({ person_id }) => person_id),
  ]);
}

function expectedOf(sample: Log) {
  const { from, to } = rangeOf(sample);
  const everyone = everyoneIn(logOf(sample), to);
  const at: Partial<Record<Stage, number>> = {};
  const inRange: Move[] = [];
  for (const one of everyone) {
    const moves = movesOf(one, logOf(sample)).filter((move) => move.at < to);
    const stage = furthestStage(moves);
    if (stage) at[stage] = (at[stage] ?? 0) + 1;
    if (moves.some((move) => move.to === 'advocacy')) at.advocacy = (at.advocacy ?? 0) + 1;
    inRange.push(...moves.filter((move) => move.at >= from));
  }
  return {
    data: lifecycleRows(at, everyone.size),
    moves: countMoves(inRange),
    totals: { people: everyone.size },
  };
}

function countMoves(all: readonly Move[]): Json[] {
  const froms = [null, ...STAGES] as const;
  return froms.flatMap((from) =>
    STAGES.flatMap((to) => {
      const people = all.filter((move) => move.from === from && move.to === to).length;
      return people === 0 ? [] : [{ from, to, people }];
    }),
  );
}
