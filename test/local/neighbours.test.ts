import { connect } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { type NeonServer, startNeonServer } from '../../local/neon-server.ts';
import { buildWorker, type RunningWorkerd, startWorkerd } from '../../local/workerd.ts';
import { REPORT_SLOTS } from '../../src/db/report-call.ts';
import { backendCases, type TestBackend } from './databases.ts';

/** One workspace's reports leave room for others, and end when nobody waits for them. On a real server: PGlite is one session. */

const ROOT_KEY = 'root-key-of-the-tests-0123456789abcdef';
const SERVER = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const [, real] = await backendCases();

describe.runIf(real?.reason === undefined)('on postgres', { timeout: 120_000 }, () => {
  let database: TestBackend;
  let neon: NeonServer;
  let worker: RunningWorkerd;
  let locker: Client;
  const workspaces: { id: string; token: string }[] = [];

  const ask = (token: string, path: string, init: RequestInit = {}) =>
    fetch(worker.url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  /** Asks, and resets the connection a moment later: workerd does not notice a client that only stops sending. */
  const hangUp = (token: string, path: string) =>
    new Promise<void>((resolve) => {
      const { hostname, port, host } = new URL(worker.url);
      const socket = connect(Number(port), hostname);
      socket.once('error', () => {});
      socket.once('close', () => resolve());
      socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
      setTimeout(() => socket.resetAndDestroy(), 150);
    });
  const rows = async (query: string) => (await locker.query(query)).rows;

  beforeAll(async () => {
    if (!real) return;
    database = await real.open();
    await applyMigrations(database.backend);
    const [result] = await database.backend.run([{ query: 'select current_database()::text', params: [] }], {
      atomic: false,
    });
    const url = new URL(SERVER);
    url.pathname = `/${result?.rows[0]?.[0]}`;
    locker = new Client({ connectionString: url.href });
    await locker.connect();
    neon = await startNeonServer({ backend: database.backend });
    worker = await startWorkerd({
      bundle: await buildWorker(),
      env: {
        DATABASE_URL: neon.connectionString,
        ROOT_KEY,
        IDENTITY_SECRET: 'identity-secret-of-the-tests-0123456789',
      },
    });
    for (const name of ['Busy', 'Quiet']) {
      const made = await ask(ROOT_KEY, '/v1/workspaces', { method: 'POST', body: JSON.stringify({ name }) });
      const { workspace, key } = (await made.json()) as { workspace: { id: string }; key: { token: string } };
      workspaces.push({ id: workspace.id, token: key.token });
    }
  }, 120_000);

  afterAll(async () => {
    await locker?.end();
    await worker?.stop();
    await neon?.close();
    await database?.remove();
  });

  test(`${REPORT_SLOTS} reports of a workspace at a time: one more is 429 too_many_reports, another workspace's is not`, async () => {
    const [busy, quiet] = workspaces;
    if (!busy || !quiet) throw new Error('no workspaces');
    const path = '/v1/reports/lifecycle';
    expect((await ask(busy.token, path)).status).toBe(200);
    for (let slot = 0; slot < REPORT_SLOTS; slot++)
      await locker.query(`select pg_advisory_lock(hashtextextended('report ' || $1, 0) + $2)`, [
        busy.id,
        slot,
      ]);
    const refused = await ask(busy.token, path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
    expect(refused.headers.get('ratelimit')).toBeNull();
    expect(((await refused.json()) as { code: string }).code).toBe('too_many_reports');
    expect((await ask(quiet.token, path)).status).toBe(200);
    expect((await ask(busy.token, '/v1/goals')).status).toBe(200);
    // One that waits gets the slot that becomes free.
    const waiting = ask(busy.token, path);
    await locker.query('select pg_advisory_unlock_all()');
    expect((await waiting).status).toBe(200);
  });

  test('a caller who hangs up a hundred times in the middle of a report leaves nothing running', async () => {
    const [busy, quiet] = workspaces;
    if (!busy || !quiet) throw new Error('no workspaces');
    // The lock's own transaction would see the sessions as of its first look.
    const running = `select pg_stat_clear_snapshot(), (
      select count(*)::int from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state = 'active'
    ) as sessions`;
    await locker.query('begin');
    // Reports wait for this lock, as if they took for ever.
    await locker.query('lock table touchpoints in access exclusive mode');
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          hangUp(busy.token, `/v1/reports/lifecycle?from=2026-01-01&to=2026-02-${10 + i}`),
        ),
      );
    }
    await expect.poll(async () => (await rows(running))[0]?.sessions, { timeout: 10_000 }).toBe(0);
    expect((await ask(quiet.token, '/v1/goals')).status).toBe(200);
    await locker.query('rollback');
    expect((await ask(busy.token, '/v1/reports/lifecycle')).status).toBe(200);
  });
});
