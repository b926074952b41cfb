import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LinkFact, peopleOf } from '../../src/domain/people.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** `settle_links` by itself: whatever order facts come and go in, and however little is settled at a time. */

needWorld();

const START = Date.UTC(2026, 0, 1);
/** `FACT_RUNS=1000` for a longer look. */
const RUNS = Number(process.env.FACT_RUNS ?? (world.database === 'postgres' ? 12 : 3));

interface Fact extends LinkFact {
  number: number;
}

/** Stores facts as `resolve_people` does, each of its new identities in a person of its own. */
async function store(workspace: string, facts: readonly Fact[]): Promise<void> {
  const identities = [...new Set(facts.flatMap((fact) => fact.identities))].map((name) => {
    const [namespace, value] = name.split(':');
    return { namespace, value };
  });
  await rowsOf(
    `with made as (
       insert into identities (workspace_id, namespace, value_hash, hash_version, person_id, value)
       select $1, i.namespace, convert_to(i.value, 'utf8'), 1, uuid_v7(), i.value
       from jsonb_to_recordset($2::jsonb) i (namespace text, value text)
       on conflict do nothing
       returning person_id
     )
     insert into people (workspace_id, id) select $1, person_id from made`,
    [workspace, JSON.stringify(identities)],
  );
  await rowsOf(
    `insert into identity_links
       (workspace_id, link_id, identity_id, from_secret_key, occurred_at, resource, item_id, skipped, holds_user_id)
     select $1, int4send(f.number), i.id, f.from_secret_key, f.occurred_at, 'people', f.item_id, true,
       f.identities::text like '%user_id:%'
     from jsonb_to_recordset($2::jsonb) f (number int, from_secret_key boolean, occurred_at timestamptz, item_id text, identities jsonb)
     cross join lateral jsonb_array_elements_text(f.identities) named (name)
     join identities i on i.workspace_id = $1 and i.namespace || ':' || i.value = named.name`,
    [workspace, JSON.stringify(facts.map((fact) => ({ ...fact, occurred_at: new Date(fact.occurred_at) })))],
  );
}

async function settle(
  workspace: string,
  links: readonly number[],
  undone: readonly number[],
  budget: number,
) {
  const ids = (numbers: readonly number[]) =>
    `array(select int4send(n) from unnest($2::int[]) n where n = any ('{${numbers.join()}}'))`;
  const [row] = await rowsOf(`select settle_links($1, ${ids(links)}, ${ids(undone)}, $3) as pending`, [
    workspace,
    [...links, ...undone],
    budget,
  ]);
  return row?.pending === true;
}

async function unlink(workspace: string, facts: readonly Fact[]): Promise<number[]> {
  const rows = await rowsOf(
    `update identity_links set is_current = false, unlinked_at = now(), pending = false
     where workspace_id = $1 and is_current and link_id = any (array(select int4send(n) from unnest($2::int[]) n))
     returning ('x' || encode(link_id, 'hex'))::bit(32)::int as number, skipped`,
    [workspace, facts.map(({ number }) => number)],
  );
  return [...new Set(rows.filter(({ skipped }) => !skipped).map(({ number }) => Number(number)))];
}

async function stored(workspace: string) {
  const rows = await rowsOf(
    `select person_id::text, array_agg(namespace || ':' || value order by namespace || ':' || value collate "C") as names
     from identities where workspace_id = $1 group by 1`,
    [workspace],
  );
  const skipped = await rowsOf(
    `select distinct item_id from identity_links where workspace_id = $1 and is_current and skipped order by 1`,
    [workspace],
  );
  return {
    people: rows.map(({ names }) => (names as string[]).toSorted().join(' ')).toSorted(),
    skipped: skipped.map(({ item_id }) => item_id),
  };
}

function expected(facts: readonly Fact[], everything: readonly Fact[]) {
  const { people, skipped } = peopleOf(facts);
  const linked = new Set(people.flat());
  const alone = new Set(everything.flatMap((fact) => fact.identities).filter((name) => !linked.has(name)));
  return {
    people: [...people.map((names) => names.toSorted().join(' ')), ...alone].toSorted(),
    skipped: skipped.map(({ item_id }) => item_id).toSorted(),
  };
}

/** Crowds of 45 identities, of which a person takes two, beside pairs: both limits are met all the time. */
const crowd = (n: number) => Array.from({ length: 45 }, (_, i) => `crowd${n}:v${i}`);
const name = (namespace: string, count: number) =>
  fc.integer({ min: 0, max: count - 1 }).map((n) => `${namespace}:v${n}`);
const identities = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name('user_id', 4), name('x', 6)) },
  { weight: 3, arbitrary: fc.tuple(name('x', 6), name('y', 6)) },
  { weight: 2, arbitrary: fc.tuple(name('user_id', 4), name('x', 6), name('y', 6)) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 4 }).map(crowd) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 4 }), name('x', 6)).map(([n, x]) => [`crowd${n}:v0`, x]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }))
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => [`crowd${a}:v1`, `crowd${b}:v2`]),
  },
);
const sample = fc.array(
  fc.record({
    identities: identities.map((names) => [...new Set(names)]),
    occurred_at: fc.integer({ min: 0, max: 12 }).map((n) => START + n * 1000),
    from_secret_key: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    /** The round it comes in, and whether and when it is undone. */
    comes: fc.nat({ max: 9 }),
    goes: fc.option(fc.nat({ max: 12 }), { freq: 4 }),
  }),
  { minLength: 10, maxLength: 40, size: 'max' },
);

test(`${RUNS} sets of facts, in random rounds, undone at random, settled 1 to 7 at a time: the people of the definition`, {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sample, fc.constantFrom(1, 2, 3, 7, 1000), async (drawn, budget) => {
      const { id } = await TestWorkspace.make({ identity_storage: 'plain' });
      const known = new Set<string>();
      const facts = drawn
        .filter(({ identities: names }) => {
          const key = names.toSorted().join();
          return !known.has(key) && known.add(key);
        })
        .map((fact, number) => ({ ...fact, number, item_id: `i${String(number).padStart(2, '0')}` }));
      const here = new Set<Fact>();
      for (let round = 0; round < 13; round++) {
        const coming = facts.filter(({ comes }) => comes === round);
        await store(id, coming);
        for (const fact of coming) here.add(fact);
        await settle(
          id,
          coming.map(({ number }) => number),
          [],
          budget,
        );
        const going = facts.filter((fact) => here.has(fact) && fact.goes === round);
        if (going.length > 0) {
          while (await settle(id, [], [], budget));
          const undone = await unlink(id, going);
          for (const fact of going) here.delete(fact);
          await settle(id, [], undone, Math.max(budget, undone.length));
        }
      }
      while (await settle(id, [], [], budget));
      expect(await stored(id)).toEqual(
        expected(
          [...here],
          facts.filter(({ comes }) => comes < 13),
        ),
      );
    }),
    { numRuns: RUNS, seed: 20261128 },
  );
});
