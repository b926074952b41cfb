import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LinkFact, peopleOf } from '../../src/domain/people.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const START = Date.UTC(2026, 0, 1);
/** `FACT_RUNS=200` runs more cases. */
const RUNS = world.database === 'postgres' ? Number(process.env.FACT_RUNS ?? 24) : 4;

/** One item of POST /v1/people for a fact; its namespaces must differ, as in any item. */
function itemOf({ item_id, occurred_at, identities }: LinkFact) {
  const person = Object.fromEntries(identities.map((identity) => identity.split(':') as [string, string]));
  return { id: item_id, occurred_at: new Date(occurred_at).toISOString(), person };
}

/** The stored people, in the form of the definition. */
async function storedPeople(workspace: TestWorkspace): Promise<string[][]> {
  const rows = await rowsOf('select person_id, namespace, value from identities where workspace_id = $1', [
    workspace.id,
  ]);
  const byPerson = Map.groupBy(rows, (row) => row.person_id);
  const people = [...byPerson.values()].map((own) =>
    own.map((row) => `${row.namespace}:${row.value}`).sort(),
  );
  return people.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}

const plain = () => TestWorkspace.make({ identity_storage: 'plain' });

describe('four facts u1–a, u2–a, u2–e, u1–e', () => {
  const facts: LinkFact[] = [
    ['user_id:u1', 'x:a'],
    ['user_id:u2', 'x:a'],
    ['user_id:u2', 'email:e@b.c'],
    ['user_id:u1', 'email:e@b.c'],
  ].map((identities, i) => ({
    from_secret_key: true,
    occurred_at: START + i * 1000,
    item_id: `i${i}`,
    identities,
  }));
  const expected = [
    ['email:e@b.c', 'user_id:u2'],
    ['user_id:u1', 'x:a'],
  ];

  test('by the definition: u1 has a, u2 has e', () => {
    expect(peopleOf(facts).people).toEqual(expected);
  });

  test('give these people in all 24 orders, one by one, and in one batch', async () => {
    for (const order of permutations(facts)) {
      const workspace = await plain();
      for (const one of order) await workspace.load('people', [itemOf(one)]);
      expect(await storedPeople(workspace), order.map(({ item_id }) => item_id).join()).toEqual(expected);
    }
    const workspace = await plain();
    await workspace.load('people', facts.map(itemOf));
    expect(await storedPeople(workspace)).toEqual(expected);
  });

  test('the item whose link was skipped is told so', async () => {
    const workspace = await plain();
    const { body } = await workspace.post('/v1/people', { people: facts.map(itemOf) });
    const warned = body.results
      .filter((result: { warnings?: unknown }) => result.warnings)
      .map((result: { id: string }) => result.id);
    expect(warned).toEqual(['i1', 'i3']);
  });
});

/** Few identities, so that facts overlap; at most one per namespace in an item. */
const identity = (namespace: string, count: number) =>
  fc.integer({ min: 0, max: count - 1 }).map((n) => `${namespace}:v${n}`);
const linkOf = (users: fc.Arbitrary<string>) =>
  fc.record({
    identities: fc.oneof(
      fc.tuple(users, identity('x', 8)),
      fc.tuple(identity('x', 8), identity('github', 8)),
      fc.tuple(users, identity('x', 8), identity('github', 8)),
      fc.tuple(identity('github', 8), identity('anonymous_id', 8)),
    ),
    occurred_at: fc.integer({ min: 0, max: 6 }).map((n) => START + n * 1000),
  });
const conflicting = fc.array(linkOf(identity('user_id', 5)), { minLength: 8, maxLength: 35, size: 'max' });
/** Without user_ids nothing conflicts: `account_ref` is an ordinary namespace. */
const harmless = fc.array(linkOf(identity('account_ref', 5)), { minLength: 8, maxLength: 35, size: 'max' });

for (const [name, links] of [
  ['conflict-free', harmless],
  ['conflicting', conflicting],
] as const) {
  test(`${RUNS} sets of ${name} facts, in random order and batches, 8 at a time: the people of the definition`, {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        links,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 6 }),
        async (sample, keys, size) => {
          const facts = sample.map((link, i) => ({ ...link, from_secret_key: true, item_id: `i${i}` }));
          const shuffled = facts
            .map((one) => ({ one, key: keys.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one);
          const batches = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, i) =>
            shuffled.slice(i * size, (i + 1) * size),
          );
          const workspace = await plain();
          const queue = batches.values();
          const send = async () => {
            for (const batch of queue) await workspace.load('people', batch.map(itemOf));
          };
          await Promise.all(Array.from({ length: 8 }, send));
          expect(await storedPeople(workspace)).toEqual(peopleOf(facts).people);
        },
      ),
      { numRuns: RUNS, seed: 20260303 },
    );
  });
}

test('a person stops at 100 identities; the link that would bring the 101st is kept and skipped', async () => {
  const workspace = await plain();
  const chain = Array.from({ length: 105 }, (_, i) => ({
    from_secret_key: true,
    occurred_at: START + i * 1000,
    item_id: `i${String(i).padStart(3, '0')}`,
    identities: i % 2 === 0 ? [`x:v${i}`, `github:v${i + 1}`] : [`github:v${i}`, `x:v${i + 1}`],
  }));
  await workspace.load('people', chain.map(itemOf).reverse());
  expect(await storedPeople(workspace)).toEqual(peopleOf(chain).people);
  const skipped = await rowsOf(
    'select distinct item_id from identity_links where workspace_id = $1 and skipped and is_current',
    [workspace.id],
  );
  expect(skipped.map((row) => row.item_id)).toEqual(peopleOf(chain).skipped.map((fact) => fact.item_id));
});

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}
