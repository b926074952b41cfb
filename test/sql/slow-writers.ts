import fc from 'fast-check';
import { DAY_MS } from '../../src/domain/time.ts';
import type { Lived } from './credit-history.ts';
import { type OpenSession, openSession } from './open-session.ts';

/**
 * Writers whose transactions stay open while settling goes on, each change in a transaction or two in one. They write rows
 * as the functions of the API do, which hold no transaction open.
 */

const PEOPLE = 6;
const person = fc.nat(PEOPLE - 1);
/** Halves of days of the history. */
const half = fc.integer({ min: 0, max: 20 });

const one = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('touch' as const), person, half }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sale' as const), person, half }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retraction' as const), nth: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('void' as const), nth: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removal' as const), nth: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const), person, into: person }) },
);
type One = typeof one extends fc.Arbitrary<infer T> ? T : never;

/** A transaction: its changes, and how long it then stays open. */
export const slowWrite = fc.record({
  changes: fc.array(one, { minLength: 1, maxLength: 2 }),
  open_ms: fc.constantFrom(0, 20, 100, 250, 500),
});
export type SlowWrite = typeof slowWrite extends fc.Arbitrary<infer T> ? T : never;

/** The people of slow writers, by number, with a touchpoint and a purchase each. */
export async function peopleOf({ workspace, era }: Lived): Promise<string[]> {
  const users = Array.from({ length: PEOPLE }, (_, i) => ({ user_id: `slow${i}` }));
  const occurred_at = `${era}T03:00:00Z`;
  await workspace.load(
    'touchpoints',
    users.map((user, i) => ({ id: `slow${i}`, kind: 'mention', channel: 'x', person: user, occurred_at })),
  );
  const ids = users.map(
    async (user) => (await workspace.post('/v1/people/lookup', { person: user })).body.id,
  );
  return Promise.all(ids);
}

/** Writes in a transaction of its own. A deadlock of two writers takes the changes of one of them back. */
export async function writeSlowly(lived: Lived, people: readonly string[], { changes, open_ms }: SlowWrite) {
  const session = await openSession(lived.workspace);
  try {
    for (const change of changes) await write(session, lived, people, change);
    await new Promise((resolve) => setTimeout(resolve, open_ms));
    await session.commit();
  } catch (error) {
    await session.rollBack();
    if ((error as { code?: string }).code !== '40P01') throw error;
  }
}

/** The nth row of a table that a slow writer has stored, in the order of their ids. */
const nth = (table: string) =>
  `(select id from ${table} where workspace_id = $1 and id like 'slow%' order by id limit 1 offset $2)`;

let written = 0;

async function write(
  session: OpenSession,
  { workspace, era }: Lived,
  people: readonly string[],
  change: One,
) {
  const at = (halves: number) => new Date(Date.parse(era) + halves * (DAY_MS / 2)).toISOString();
  const id = `slow-${String(written++).padStart(5, '0')}`;
  const run = (text: string, ...params: unknown[]) => session.run(text, workspace.id, ...params);
  switch (change.kind) {
    case 'touch':
      return run(
        `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, channel) values ($1, $2, $3, $4, 'reply', 'email')`,
        ...[id, people[change.person], at(change.half)],
      );
    case 'sale':
      return run(
        `insert into conversions (workspace_id, id, goal, person_id, occurred_at, value, currency)
        values ($1, $2, 'purchase', $3, $4, 10, 'EUR')`,
        ...[id, people[change.person], at(change.half)],
      );
    case 'retraction':
      return run(
        `insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash)
        select $1, $3, id, 'retraction', now(), '' from ${nth('conversions')} c`,
        ...[change.nth, id],
      );
    case 'void':
      return run(
        `update touchpoints set voided_at = now() where workspace_id = $1 and id = ${nth('touchpoints')}`,
        change.nth,
      );
    case 'removal':
      return run(
        `delete from conversions where workspace_id = $1 and id = ${nth('conversions')}`,
        change.nth,
      );
    case 'merge':
      for (const table of ['touchpoints', 'conversions'])
        await run(
          `update ${table} set person_id = $3 where workspace_id = $1 and person_id = $2`,
          ...[people[change.person], people[change.into]],
        );
      return [];
  }
}
