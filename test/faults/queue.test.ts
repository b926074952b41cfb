import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import { randomFaults } from '../../local/faults.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { appWithQueue, DEAD_LETTERS, type QueuedApp } from '../support/queue.ts';
import { sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { batchesOf, judgeStored, makeWorkspace, shuffled } from './workload.ts';

/** Queued items are stored once, however often and in whatever order the queue delivers them. */

needWorld();

let stand: Stand;
beforeAll(async () => {
  if (world.missing === null) stand = await startStand();
});
afterAll(() => stand?.remove());
afterEach(() => {
  vi.restoreAllMocks();
});

const BATCHES = 100;
const BATCH_SIZE = 100;
const CONSUMERS = 8;
const MESSAGES_AT_ONCE = 10;

const WEIGHTS = {
  none: 60,
  drop_before: 8,
  rollback_and_drop: 8,
  drop_after_commit: 12,
  status_500: 6,
  status_500_after_commit: 6,
} as const;

/** Delivers each message as often as it is listed, and again until it is acknowledged. */
async function deliverAll(app: QueuedApp, messages: readonly Json[], random: Random): Promise<number> {
  let open = shuffled(messages, random);
  let rounds = 0;
  for (; open.length > 0; rounds++) {
    const retried: Json[] = [];
    const next = () => open.splice(0, MESSAGES_AT_ONCE);
    const consumer = async () => {
      for (let taken = next(); taken.length > 0; taken = next()) {
        const fates = await app.deliver(taken);
        retried.push(...taken.filter((_, i) => fates[i] !== 'ack'));
      }
    };
    await Promise.all(Array.from({ length: CONSUMERS }, consumer));
    open = shuffled(retried, random);
  }
  return rounds;
}

test('nothing is lost, invented or doubled by every message delivered three times, under faults', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const random = randomFrom(SEED);
  const workspace = await makeWorkspace();
  const app = appWithQueue();
  const sending = sendingTo('', workspace.token, app.fetch);
  const started_at_ms = Date.now();
  const before = stand.faultsMet();
  await sendAll(sending, batchesOf(BATCHES, BATCH_SIZE, random), { clients: CONSUMERS, seed: SEED });
  expect([...sending.statuses]).toEqual([[202, BATCHES]]);
  expect(await stand.rows('select from touchpoints where workspace_id = $1', [workspace.id])).toHaveLength(0);
  stand.setFaults(randomFaults(WEIGHTS, random));
  const rounds = await deliverAll(app, [...app.sent, ...app.sent, ...app.sent], random);
  stand.setFaults(null);
  const verdict = await judgeStored(stand, workspace, sending.attempts);
  const times = stand.faultsMet() - before;
  vi.mocked(console.log).mockRestore();
  const fault = `queue, ${3 * app.sent.length} messages`;
  printFigures({ fault, times, batches: BATCHES, started_at_ms }, sending, verdict);
  expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [], acknowledged: BATCHES * BATCH_SIZE });
  expect(times).toBeGreaterThan(BATCHES);
  expect(rounds).toBeGreaterThan(1);
});

test('a message that can never be stored is a rejection in the end, with every item, and can be replayed', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const workspace = await TestWorkspace.make();
  const app = appWithQueue();
  const items = Array.from({ length: 20 }, (_, i) => ({
    id: `t${i}`,
    kind: 'visit',
    channel: 'x',
    person: { user_id: 'u' },
  }));
  await app.ask(workspace.token, 'POST', '/v1/touchpoints', { touchpoints: items });
  stand.setFaults(({ queries }) =>
    queries.some(({ query }) => query.includes('insert into touchpoints')) ? 'status_500' : 'none',
  );
  expect(await app.deliver(app.sent)).toEqual([{ delaySeconds: 10 }]);
  expect(await app.deliver(app.sent, { queue: DEAD_LETTERS })).toEqual(['ack']);
  stand.setFaults(null);
  const kept = (await app.ask(workspace.token, 'GET', '/v1/rejections')).body.data;
  expect(kept.map(({ item_id }: Json) => item_id).sort()).toEqual(items.map(({ id }) => id).sort());
  for (const { id } of kept) {
    const { body } = await app.ask(workspace.token, 'POST', `/v1/rejections/${id}/replay`, {});
    expect(body.accepted).toBe(1);
  }
  expect((await app.ask(workspace.token, 'GET', '/v1/touchpoints')).body.data).toHaveLength(20);
});

test('while the database is away the dead letters wait, and none is lost', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const workspace = await TestWorkspace.make();
  const app = appWithQueue();
  const touchpoint = { id: 't', kind: 'visit', channel: 'x', person: { user_id: 'u' } };
  await app.ask(workspace.token, 'POST', '/v1/touchpoints', { touchpoints: [touchpoint] });
  stand.setFaults(() => 'drop_before');
  const hourly = await app.deliver(app.sent, { queue: DEAD_LETTERS });
  stand.setFaults(null);
  expect(hourly).toEqual([{ delaySeconds: 3600 }]);
  expect(await app.deliver(app.sent, { queue: DEAD_LETTERS })).toEqual(['ack']);
  expect((await app.ask(workspace.token, 'GET', '/v1/touchpoints/t')).status).toBe(200);
});
