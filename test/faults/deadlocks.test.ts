import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import { needWorld, world } from '../support/api.ts';
import { type Batch, sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { judgeStored, makeWorkspace, shuffled } from './workload.ts';

/** Batches that speak of the same new items at the same moment, each in an order of its own, wait for each other in turn. */

needWorld();

let stand: Stand;
beforeAll(async () => {
  // Found at once, and counted, before the one that waits gives up.
  if (world.missing === null) stand = await startStand({ deadlock_timeout: '20ms' });
});
afterAll(() => stand?.remove());

const CLIENTS = 16;
const ROUNDS = 40;
const ITEMS_OF_ROUND = 100;
const ITEMS_OF_BATCH = 60;
const PEOPLE = 50;
const LONGEST_HOLD_MS = 30;

const RESOURCES = ['touchpoints', 'conversions', 'people', 'spend'] as const;

function itemOf(resource: (typeof RESOURCES)[number], name: string, n: number, random: Random): object {
  const occurred_at = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
  const person = { user_id: `u${n % PEOPLE}` };
  switch (resource) {
    case 'touchpoints':
      return {
        id: name,
        kind: n % 3 === 0 ? 'follow' : 'visit',
        channel: 'x',
        content: name,
        person,
        occurred_at,
      };
    case 'conversions':
      return { id: name, goal: 'purchase', value: 1, person, occurred_at, properties: { name } };
    case 'people':
      return { id: name, person, occurred_at, traits: { plan: 'pro' } };
    case 'spend':
      // A row of spend that is posted with another amount is replaced.
      return { id: name, from: '2026-01-01', to: '2026-01-02', channel: 'x', amount: random.integer(1, 9) };
  }
}

/**
 * The same bad items come from all, and are kept once. Not in every round: whoever keeps them waits for whoever does,
 * and then nobody meets anybody at the items themselves.
 */
const hasBadItems = (round: number) => round % 5 === 0;

function badItems(random: Random): Batch['items'] {
  return shuffled([1, 2, 3, 4, 5], random).map((n) => ({ name: `bad-${n}`, item: { id: `bad-${n}` } }));
}

/** In each round every client sends most of the same new items, shuffled. */
function overlappingBatches(random: Random): Batch[] {
  return Array.from({ length: ROUNDS }).flatMap((_, round) => {
    const resource = RESOURCES[round % RESOURCES.length] ?? 'touchpoints';
    const numbers = Array.from({ length: ITEMS_OF_ROUND }, (_, i) => i);
    return Array.from({ length: CLIENTS }, (): Batch => {
      const taken = shuffled(numbers, random).slice(0, ITEMS_OF_BATCH);
      const items = taken.map((i) => {
        const name = `${resource}-${round}-${i}`;
        return { name, item: itemOf(resource, name, i, random) };
      });
      return { resource, items: hasBadItems(round) ? [...badItems(random), ...items] : items };
    });
  });
}

test('640 shuffled overlapping batches from 16 clients: no deadlock, nothing lost, invented or doubled', async () => {
  const random = randomFrom(SEED);
  const workspace = await makeWorkspace();
  // People who are known already, since batches that bring new ones go one after the other.
  await workspace.load(
    'people',
    Array.from({ length: PEOPLE }, (_, n) => ({ id: `p${n}`, person: { user_id: `u${n}` } })),
  );
  const sending = sendingTo(stand.url, workspace.token);
  const started_at_ms = Date.now();
  const batches = overlappingBatches(random);
  expect(batches).toHaveLength(640);
  stand.holdTransactions(() => random.between(0, LONGEST_HOLD_MS));
  await sendAll(sending, batches, { clients: CLIENTS, seed: SEED });
  const [counted] = await stand.rows<{ deadlocks: number }>(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
    [],
  );
  // Spend that is replaced is accepted each time; people are not looked for where the others are.
  const attempts = sending.attempts.filter(({ item }) => /^(touchpoints|conversions)-/.test(item));
  const verdict = await judgeStored(stand, workspace, attempts);
  const fault = 'deadlocks';
  const times = counted?.deadlocks ?? -1;
  printFigures({ fault, times, batches: 640, started_at_ms }, sending, verdict);
  expect({ counted: times, told: stand.answered('40P01') }).toEqual({ counted: 0, told: 0 });
  expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [] });
  expect([...sending.statuses]).toEqual([
    [207, 128],
    [200, 512],
  ]);
});
