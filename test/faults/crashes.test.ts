import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { randomFrom } from '../../local/demo/random.ts';
import { needWorld, type TestWorkspace } from '../support/api.ts';
import { type Sending, sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { batchesOf, judgeStored, makeWorkspace } from './workload.ts';

/** Acknowledged items survive terminated connections and a killed server. */

needWorld();

let stand: Stand | undefined;
afterEach(async () => {
  await stand?.remove();
  stand = undefined;
});

const CLIENTS = 16;

/** Rounds, each of which terminates all connections. Without a limit a slow machine would never finish. */
const TERMINATIONS = 25;

test('nothing is lost, invented or doubled by pg_terminate_backend on all during 1,000 concurrent writes', async () => {
  const own = await startStand();
  stand = own;
  const workspace = await makeWorkspace();
  const sending = sendingTo(own.url, workspace.token);
  const started_at_ms = Date.now();
  const sent = sendAll(sending, batchesOf(1000, 5, randomFrom(SEED)), { clients: 1000, seed: SEED });
  let times = 0;
  for (let round = 0; round < TERMINATIONS; round++) {
    await sleep(400);
    times += await terminateAll(own);
  }
  await sent;
  const verdict = await judgeStored(own, workspace, sending.attempts);
  const fault = 'pg_terminate_backend';
  printFigures({ fault, times, batches: 1000, started_at_ms }, sending, verdict);
  expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [], acknowledged: 5000 });
  expect(statusesBeside(sending, [200, 503])).toEqual([]);
  // Connections were terminated during work, and not only while idle.
  expect(own.answered('57P01')).toBeGreaterThan(0);
});

async function terminateAll(own: Stand): Promise<number> {
  const ended = await own.rows(
    `select pg_terminate_backend(pid)
     from pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    [],
  );
  return ended.length;
}

test('nothing is lost, invented or doubled by kill -9 of Postgres under load, three times', async () => {
  const own = await startStand();
  stand = own;
  const workspace = await makeWorkspace();
  const sending = sendingTo(own.url, workspace.token);
  const started_at_ms = Date.now();
  const batches = 200;
  const sent = sendAll(sending, batchesOf(batches, 50, randomFrom(SEED)), { clients: CLIENTS, seed: SEED });
  for (const acknowledged of [1000, 3500, 6000]) {
    await untilAcknowledged(sending, acknowledged);
    await own.cluster.kill();
    await own.cluster.start();
  }
  await sent;
  const verdict = await judgeStored(own, workspace, sending.attempts);
  printFigures({ fault: 'kill -9', times: 3, batches, started_at_ms }, sending, verdict);
  expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [], acknowledged: batches * 50 });
  expect(statusesBeside(sending, [200, 503])).toEqual([]);
  // The kill happened during work; whether a sender noticed depends on how soon the server was back.
  expect(own.broken()).toBeGreaterThan(0);
});

/**
 * A server that acknowledges commits before it writes them: with `synchronous_commit` off, commits are written by the
 * WAL writer, which is stopped here, and no other process has a reason to write the log. A checker that finds no loss
 * here would find none above either.
 */
const FORGETFUL = {
  synchronous_commit: 'off',
  wal_buffers: '64MB',
  bgwriter_lru_maxpages: '0',
  autovacuum: 'off',
};

/** Several runs, in case the log is written after all, for example by a checkpoint. */
const CONTROL_RUNS = 5;

async function stopLogWriter(own: Stand): Promise<void> {
  const [writer] = await own.rows<{ pid: number }>(
    "select pid from pg_stat_activity where backend_type = 'walwriter'",
    [],
  );
  if (!writer) throw new Error('Postgres has no process that writes its log');
  process.kill(writer.pid, 'SIGSTOP');
}

test('the control: a server that acknowledges before it writes is found to lose items by the same kill -9', async () => {
  let lost = 0;
  for (let run = 1; run <= CONTROL_RUNS && lost === 0; run++) {
    const own = await startStand(FORGETFUL);
    stand = own;
    const workspace = await makeWorkspace();
    // The workspace itself must not be lost.
    await own.rows('checkpoint', []);
    await stopLogWriter(own);
    lost = await lostByKill(own, workspace);
    await own.remove();
    stand = undefined;
  }
  expect(lost).toBeGreaterThan(0);
});

async function lostByKill(own: Stand, workspace: TestWorkspace): Promise<number> {
  const sending = sendingTo(own.url, workspace.token);
  const started_at_ms = Date.now();
  const batches = 200;
  const sent = sendAll(sending, batchesOf(batches, 50, randomFrom(SEED)), { clients: CLIENTS, seed: SEED });
  await untilAcknowledged(sending, 2000);
  sending.stopped = true;
  await own.cluster.kill();
  await own.cluster.start();
  await sent;
  const verdict = await judgeStored(own, workspace, sending.attempts);
  printFigures({ fault: 'control: not durable', times: 1, batches, started_at_ms }, sending, verdict);
  return verdict.lost.length;
}

async function untilAcknowledged(sending: Sending, items: number): Promise<void> {
  while (sending.attempts.filter(({ outcome }) => outcome === 'accepted').length < items) await sleep(20);
}

function statusesBeside(sending: Sending, expected: (number | 'none')[]): (number | 'none')[] {
  return [...sending.statuses.keys()].filter((status) => !expected.includes(status));
}
