import fc from 'fast-check';
import { DAY_MS } from '../../src/domain/time.ts';
import type { Lived } from './credit-history.ts';
import { type OpenSession, openSession } from './open-session.ts';

/**
 * Writers whose transactions stay open while settling goes on, and others of the same person that are committed meanwhile.
 * They write rows as the functions of the API do, which hold no transaction open. People and days are many, so that most
 * sums are right without the next change.
 */

const PEOPLE = 40;
/** Days before the history and of it. */
export const SLOW_DAYS = { first: -70, last: 12 } as const;
/** Quarters of days. */
const quarter = fc.integer({ min: SLOW_DAYS.first * 4, max: SLOW_DAYS.last * 4 - 5 });
const nth = fc.nat(100);

const addition = [
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('touch' as const), quarter }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sale' as const), quarter }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retraction' as const), nth }) },
] as const;
const change = fc.oneof(
  ...addition,
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('void' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removal' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const), from: fc.nat(PEOPLE - 1) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A change whose transaction stays open, and what is committed meanwhile. Additions wait for nobody. */
export const slowWrite = fc.record({
  person: fc.nat(PEOPLE - 1),
  slow: change,
  quick: fc.oneof(...addition),
  open_ms: fc.constantFrom(0, 100, 300, 600),
});
export type SlowWrite = typeof slowWrite extends fc.Arbitrary<infer T> ? T : never;

const instantOf = (era: string, quarters: number) =>
  new Date(Date.parse(era) + quarters * (DAY_MS / 4)).toISOString();

/** The people of slow writers, by number, with a touchpoint and two purchases each. */
export async function peopleOf({ workspace, era }: Lived): Promise<string[]> {
  const users = Array.from({ length: PEOPLE }, (_, i) => ({ user_id: `slow${i}` }));
  const item = (i: number, quarters: number) => ({
    ...{ id: `slow${i} ${quarters}`, person: users[i] },
    occurred_at: instantOf(era, quarters),
  });
  const numbers = users.map((_, i) => i);
  await workspace.load(
    'touchpoints',
    numbers.map((i) => ({ ...item(i, -7 * i), kind: 'mention', channel: 'x' })),
  );
  await workspace.load(
    'conversions',
    numbers.flatMap((i) =>
      [1, 23].map((later) => ({ ...item(i, -7 * i + later), goal: 'purchase', value: 10 })),
    ),
  );
  const lookUps = users.map(
    async (person) => (await workspace.post('/v1/people/lookup', { person })).body.id,
  );
  return Promise.all(lookUps);
}

/** Deadlocks of two writers take the changes of one of them back. */
export async function writeSlowly(lived: Lived, people: readonly string[], sample: SlowWrite): Promise<void> {
  const session = await openSession(lived.workspace);
  try {
    const meanwhile = await openSession(lived.workspace);
    await write(session, lived, people, sample.person, sample.slow);
    await write(meanwhile, lived, people, sample.person, sample.quick);
    await meanwhile.commit();
    await new Promise((resolve) => setTimeout(resolve, sample.open_ms));
    await session.commit();
  } catch (error) {
    await session.rollBack();
    if ((error as { code?: string }).code !== '40P01') throw error;
  }
}

/** The nth row of a table that is of slow writers, in the order of their ids. */
const nthOf = (table: string) =>
  `(select id from ${table} where workspace_id = $1 and id like 'slow%' order by id limit 1 offset $2)`;

let written = 0;

async function write(
  session: OpenSession,
  { workspace, era }: Lived,
  people: readonly string[],
  person: number,
  one: Change,
) {
  const id = `slow-${String(written++).padStart(5, '0')}`;
  const run = (text: string, ...params: unknown[]) => session.run(text, workspace.id, ...params);
  switch (one.kind) {
    case 'touch':
      return run(
        `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, channel) values ($1, $2, $3, $4, 'reply', 'email')`,
        ...[id, people[person], instantOf(era, one.quarter)],
      );
    case 'sale':
      return run(
        `insert into conversions (workspace_id, id, goal, person_id, occurred_at, value, currency)
        values ($1, $2, 'purchase', $3, $4, 10, 'EUR')`,
        ...[id, people[person], instantOf(era, one.quarter)],
      );
    case 'retraction':
      return run(
        `insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash)
        select $1, $3, id, 'retraction', now(), '' from ${nthOf('conversions')} c`,
        ...[one.nth, id],
      );
    case 'void':
      return run(
        `update touchpoints set voided_at = now() where workspace_id = $1 and id = ${nthOf('touchpoints')}`,
        one.nth,
      );
    case 'removal':
      return run(`delete from conversions where workspace_id = $1 and id = ${nthOf('conversions')}`, one.nth);
    case 'merge':
      for (const table of ['touchpoints', 'conversions'])
        await run(
          `update ${table} set person_id = $3 where workspace_id = $1 and person_id = $2`,
          ...[people[one.from], people[person]],
        );
      return [];
  }
}
