import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { type NeonServer, startNeonServer } from '../../local/neon-server.ts';
import { openPglite, type SqlBackend } from '../../local/sql-backend.ts';
import { buildWorker, type RunningWorkerd, startWorkerd } from '../../local/workerd.ts';

/** Round trips counted on the side of the database; `Server-Timing` is the Worker's own count. */

const ROOT_KEY = 'root-key-of-the-round-trips-0123456789abcdef';
let folder: string;
let backend: SqlBackend;
let neon: NeonServer;
let worker: RunningWorkerd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'throughline-round-trips-'));
  backend = await openPglite();
  await applyMigrations(backend);
  neon = await startNeonServer({ backend });
  const env = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY,
    IDENTITY_SECRET: 'identity-secret-0123456789-0123456789',
  };
  worker = await startWorkerd({ bundle: await buildWorker(folder), env });
});

afterAll(async () => {
  await worker?.stop();
  await neon?.close();
  await backend?.close();
  await rm(folder, { recursive: true, force: true });
});

async function callsOf(method: string, path: string, token: string, body?: unknown) {
  const before = neon.calls();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(worker.url + path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return {
    status: response.status,
    calls: neon.calls() - before,
    body: (await response.json()) as { key: { token: string } },
  };
}

test('the database is called once a request: 1,000 touchpoints that link and match a goal, their conversions, a report', async () => {
  const made = await callsOf('POST', '/v1/workspaces', ROOT_KEY, { name: 'W' });
  expect(made.calls).toBe(1);
  const { token } = made.body.key;
  const goal = { name: 'Follow', kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } };
  // The first request with a key also looks up the key.
  expect((await callsOf('PUT', '/v1/goals/follow', token, goal)).calls).toBe(2);
  const person = (i: number) => ({ user_id: `u${i % 300}`, email: `u${i % 300}@example.com` });
  const touchpoints = Array.from({ length: 1000 }, (_, i) => ({
    id: `t${i}`,
    kind: i % 9 === 0 ? 'follow' : 'visit',
    person: person(i),
    channel: 'x',
  }));
  const conversions = touchpoints.map(({ id }, i) => ({ id, goal: 'follow', person: person(i), value: 1 }));
  const asked: [string, string, unknown?][] = [
    ['POST', '/v1/touchpoints', { touchpoints }],
    ['POST', '/v1/touchpoints', { touchpoints }],
    ['POST', '/v1/conversions', { conversions }],
    ['GET', '/v1/touchpoints?limit=1000'],
    ['GET', '/v1/conversions/t1/explanation'],
    ['GET', '/v1/reports/attribution?goal=follow&models=linear,time_decay&interval=day&journey=reset'],
  ];
  for (const [method, path, body] of asked) {
    const { status, calls } = await callsOf(method, path, token, body);
    expect({ path, status, calls }).toEqual({ path, status: 200, calls: 1 });
  }
});
