import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import { randomFaults } from '../../local/faults.ts';
import { needWorld, world } from '../support/api.ts';
import { type Batch, sendAll, sendingTo } from './clients.ts';
import { judge } from './history.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { makeWorkspace } from './workload.ts';

/** People depend only on the set of link facts: not on their order, nor on how often they were sent. */

needWorld();

let stand: Stand;
beforeAll(async () => {
  if (world.missing === null) stand = await startStand();
});
afterAll(() => stand?.remove());

const SETS = 10;
const LINKS = 35;
const CLIENTS = 8;
const VALUES = 14;

/** Namespaces that cannot conflict: without user_ids all links apply. */
const NAMESPACES = ['email', 'x', 'github'] as const;

type Link = Record<string, string>;

function randomLink(random: Random): Link {
  const left_out = random.pick([...NAMESPACES, null]);
  const chosen = NAMESPACES.filter((namespace) => namespace !== left_out);
  return Object.fromEntries(
    chosen.map((namespace) => {
      const value = `v${random.integer(0, VALUES - 1)}`;
      return [namespace, namespace === 'email' ? `${value}@example.com` : value];
    }),
  );
}

const namesIn = (link: Link) => Object.entries(link).map(([namespace, value]) => `${namespace}:${value}`);

/** The textbook algorithm: each link joins the sets of its identities. */
function unionFind(links: readonly Link[]): string[][] {
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : rootOf(parent);
  };
  for (const link of links) {
    const names = namesIn(link);
    for (const name of names) parents.set(rootOf(name), rootOf(names[0] ?? name));
  }
  const all = new Set(links.flatMap(namesIn));
  return inOrder([...Map.groupBy(all, rootOf).values()]);
}

function inOrder(groups: readonly string[][]): string[][] {
  const sorted = groups.map((group) => group.toSorted());
  return sorted.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}

async function storedPeople(workspaceId: string): Promise<string[][]> {
  const rows = await stand.rows<{ names: string[] }>(
    `select array_agg(namespace || ':' || value) as names
     from identities
     where workspace_id = $1
     group by person_id`,
    [workspaceId],
  );
  return inOrder(rows.map(({ names }) => names));
}

function batchesOfLinks(links: readonly Link[], random: Random): Batch[] {
  const items = links
    .map((person, i) => ({
      name: `l${i}`,
      item: { id: `l${i}`, occurred_at: '2026-01-01T00:00:00Z', person },
    }))
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
  const batches: Batch[] = [];
  while (items.length > 0) batches.push({ resource: 'people', items: items.splice(0, random.integer(1, 4)) });
  return batches;
}

test(`${SETS} sets of ${LINKS} random links, 8 at a time, under drops and retries: the people of union–find`, async () => {
  const random = randomFrom(SEED);
  for (let set = 1; set <= SETS; set++) {
    const workspace = await makeWorkspace();
    const links = Array.from({ length: LINKS }, () => randomLink(random));
    const sending = sendingTo(stand.url, workspace.token);
    const started_at_ms = Date.now();
    const metBefore = stand.faultsMet();
    stand.setFaults(
      randomFaults({ none: 55, drop_before: 15, rollback_and_drop: 10, drop_after_commit: 20 }, random),
    );
    const batches = batchesOfLinks(links, random);
    await sendAll(sending, batches, { clients: CLIENTS, seed: SEED });
    stand.setFaults(null);
    const updates = await stand.rows<{ id: string }>(
      'select id from person_updates where workspace_id = $1',
      [workspace.id],
    );
    const verdict = judge(
      sending.attempts,
      updates.map(({ id }) => id),
    );
    const times = stand.faultsMet() - metBefore;
    printFigures(
      { fault: `identity ${set}`, times, batches: batches.length, started_at_ms },
      sending,
      verdict,
    );
    expect(verdict).toMatchObject({ acknowledged: LINKS, lost: [], invented: [], doubled: [] });
    expect(times).toBeGreaterThan(0);
    expect(await storedPeople(workspace.id)).toEqual(unionFind(links));
  }
});
