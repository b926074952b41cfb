import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import { needWorld, world } from '../support/api.ts';
import { type Batch, sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { judgeStored, makeWorkspace, shuffled } from './workload.ts';

/** Concurrent batches with the same new items, each in its own order, must not deadlock. */

needWorld();

let stand: Stand;
beforeAll(async () => {
  // A deadlock is detected and counted at once, before the waiting transaction gives up.
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
      // A spend row that is posted with another amount is replaced.
      return { id: name, from: '2026-01-01', to: '2026-01-02', channel: 'x', amount: random.integer(1, 9) };
  }
}

/**
 * All clients send the same bad items, which are kept once. Only some rounds have them: transactions that keep the same
 * rejections wait for each other, and would then not meet at the items themselves.
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
  // The people are known already, because batches with new people run one after another.
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
  // Replaced spend is accepted each time, and people are not in the tables that are checked.
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
