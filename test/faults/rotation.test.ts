import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { type Deployment, openDeployment } from '../support/deployment.ts';
import { type Batch, sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { batchesOf, judgeStored, makeWorkspace, shuffled } from './workload.ts';

/** IDENTITY_SECRET rotates there and back, killed at every batch, while isolates of two configurations write. */

needWorld();

let stand: Stand;
let deployment: Deployment;
beforeAll(async () => {
  if (world.missing !== null) return;
  stand = await startStand();
  deployment = await openDeployment(stand.cluster.connectionString, inject('faultStand').bundle);
});
afterAll(async () => {
  await deployment?.close();
  await stand?.remove();
});

const WORKSPACES = 20;
const BATCHES = 60;
const BATCH_SIZE = 40;
const CLIENTS = 4;
const ERASED = 20;
const NEW = 'the-next-identity-secret-of-the-fault-tests-0123';

/** One direction: from a secret to another one. */
interface Direction {
  name: string;
  from: string;
  to: string;
}

/** Runs the command again and again, killed when it reports its first batch, until it has nothing left to do. */
async function rotateKilled(secrets: Record<string, string>): Promise<number> {
  for (let kills = 0; ; kills++) {
    const running = deployment.startRotation(secrets, ['--batch-size=1'], (text) => {
      if (/(added|removed) 1 of/.test(text)) process.kill(running.pid, 'SIGKILL');
    });
    const how = await running.exited;
    if (how === 'code 0') return kills;
    if (how !== 'SIGKILL') throw new Error(`${how}: ${running.output()}`);
    if (kills > 10 * WORKSPACES) throw new Error('the rotation does not get on');
  }
}

/** Each batch twice, in any order, by isolates of both configurations: the second time all of it is a duplicate. */
async function write(workspace: TestWorkspace, urls: string[], batches: Batch[], random: Random) {
  const sending = sendingTo('', workspace.token, (path, init) => fetch(random.pick(urls) + path, init));
  await sendAll(sending, shuffled([...batches, ...batches], random), { clients: CLIENTS, seed: SEED });
  return sending;
}

/** Sends items of erased people until it is told to stop. Returns the statuses that they got. */
async function sendErased(token: string, urls: string[], until: AbortSignal): Promise<Set<string>> {
  const statuses = new Set<string>();
  for (let i = 0; !until.aborted; i++) {
    const response = await fetch(`${urls[i % urls.length]}/v1/touchpoints`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ touchpoints: [erasedItem(`again-${i}`, i % ERASED)] }),
    });
    const { results } = (await response.json()) as Json;
    statuses.add(results[0].status);
    await sleep(20);
  }
  return statuses;
}

const erasedItem = (id: string, n: number) => ({
  id,
  kind: 'visit',
  channel: 'x',
  occurred_at: '2026-01-01T00:00:00Z',
  person: { user_id: `gone-${n}` },
});

async function erase(workspace: TestWorkspace): Promise<void> {
  await workspace.load(
    'touchpoints',
    Array.from({ length: ERASED }, (_, n) => erasedItem(`gone-${n}`, n)),
  );
  for (let n = 0; n < ERASED; n++) {
    const { person_id } = (await workspace.get(`/v1/touchpoints/gone-${n}`)).body;
    expect((await workspace.ask('DELETE', `/v1/people/${person_id}`)).status).toBe(200);
  }
}

/** Identities that are stored twice, because they were hashed under two keys. */
function strangers(workspaceId: string): Promise<object[]> {
  return stand.rows(
    'select namespace, value from identities where workspace_id = $1 group by 1, 2 having count(*) > 1',
    [workspaceId],
  );
}

const renamed = (batches: Batch[], prefix: string): Batch[] =>
  batches.map(({ items, idempotencyKey, ...batch }) => ({
    ...batch,
    ...(idempotencyKey !== undefined && { idempotencyKey: `${prefix}${idempotencyKey}` }),
    items: items.map(({ name, item }) => ({
      name: prefix + name,
      item: JSON.parse(JSON.stringify(item).replaceAll(`"${name}"`, `"${prefix}${name}"`)),
    })),
  }));

test('there and back: nothing is lost or doubled, and nobody who was erased comes back', async () => {
  const random = randomFrom(SEED);
  const workspace = await makeWorkspace();
  const others = [];
  for (let i = 1; i < WORKSPACES; i++) others.push(await TestWorkspace.make());
  const [forgetful = workspace] = others;
  await erase(forgetful);
  const attempts = [];
  const directions: Direction[] = [
    { name: 'there', from: world.identitySecret, to: NEW },
    { name: 'back', from: NEW, to: world.identitySecret },
  ];
  for (const { name, from, to } of directions) {
    const started_at_ms = Date.now();
    const both = { IDENTITY_SECRET: to, IDENTITY_SECRET_PREVIOUS: from };
    const isolates = [await deployment.isolate({ IDENTITY_SECRET: from }), await deployment.isolate(both)];
    const urls = isolates.map(({ url }) => url);
    const stopping = new AbortController();
    const erased = sendErased(forgetful.token, urls, stopping.signal);
    const batches = renamed(batchesOf(BATCHES, BATCH_SIZE, random), `${name}-`);
    const [sending, kills] = await Promise.all([
      write(workspace, urls, batches, random),
      rotateKilled(both),
    ]).finally(() => stopping.abort());
    expect([...(await erased)]).toEqual(['dropped']);
    expect(kills).toBeGreaterThan(WORKSPACES / 4);
    // The isolates of the old configuration are gone; nothing is opened by the old secret any more.
    expect(await rotateKilled({ IDENTITY_SECRET: to })).toBeGreaterThan(WORKSPACES / 4);
    const after = await deployment.isolate({ IDENTITY_SECRET: to });
    const late = await write(workspace, [after.url], renamed(batches.slice(0, 5), ''), random);
    expect([...late.statuses]).toEqual([[200, 10]]);
    attempts.push(...sending.attempts);
    const verdict = await judgeStored(stand, workspace, attempts);
    printFigures(
      { fault: `rotation ${name}, killed`, times: kills, batches: BATCHES, started_at_ms },
      sending,
      verdict,
    );
    expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [] });
    expect(await strangers(workspace.id)).toEqual([]);
    const secrets = await stand.rows('select count(distinct secret_id)::int as count from identity_keys', []);
    expect(secrets).toEqual([{ count: 1 }]);
  }
}, 600_000);
