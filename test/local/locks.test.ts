import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { type NeonServer, startNeonServer } from '../../local/neon-server.ts';
import { openPglite, type SqlBackend } from '../../local/sql-backend.ts';
import { buildWorker, type RunningWorkerd, startWorkerd } from '../../local/workerd.ts';

/** The first lock alone, on a database without the second; and a database whose roles are unsafe. */

const ROOT_KEY = 'root-key-of-the-locks-0123456789abcdef';
let folder: string;
let bundle: string;

interface Stack {
  backend: SqlBackend;
  ask(method: string, path: string, token: string, body?: unknown): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'throughline-locks-'));
  bundle = await buildWorker(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A Worker over a new database, or over one that another Worker already uses. */
async function startStack(served?: SqlBackend): Promise<Stack> {
  const backend = served ?? (await openPglite());
  if (!served) await applyMigrations(backend);
  const neon: NeonServer = await startNeonServer({ backend });
  const env = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY,
    IDENTITY_SECRET: 'identity-secret-0123456789-0123456789',
  };
  const worker: RunningWorkerd = await startWorkerd({ bundle, env });
  return {
    backend,
    ask: async (method, path, token, body) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = body === undefined ? null : JSON.stringify(body);
      const response = await fetch(worker.url + path, { method, headers, body: sent });
      return { status: response.status, text: await response.text() };
    },
    stop: async () => {
      await worker.stop();
      await neon.close();
      if (!served) await backend.close();
    },
  };
}

const run = (backend: SqlBackend, query: string) => backend.run([{ query, params: [] }], { atomic: false });

describe('without row level security', () => {
  let stack: Stack;
  let victim: { token: string; id: string };
  let other: { token: string; id: string };
  /** Occurs in every text of the victim, so that a leak shows. */
  const CANARY = 'canary-7f3a';

  async function makeWorkspace(): Promise<{ token: string; id: string }> {
    const made = JSON.parse((await stack.ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'W' })).text);
    return { token: made.key.token, id: made.workspace.id };
  }

  beforeAll(async () => {
    stack = await startStack();
    await run(
      stack.backend,
      `do $$ declare t regclass; begin
         for t in select c.oid::regclass from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' loop
           execute format('alter table %s disable row level security', t);
         end loop;
       end $$`,
    );
    [victim, other] = [await makeWorkspace(), await makeWorkspace()];
    const post = (path: string, body: unknown, method = 'POST') =>
      stack.ask(method, path, victim.token, body);
    await post('/v1/goals/purchase', { name: CANARY, kind: 'conversion' }, 'PUT');
    await post('/v1/touchpoints', {
      touchpoints: [
        {
          id: `t-${CANARY}`,
          kind: 'message',
          direction: 'inbound',
          channel: CANARY,
          campaign: CANARY,
          person: { user_id: 'u' },
          conversation: { id: `c-${CANARY}`, topic: CANARY },
          account: { id: `a-${CANARY}` },
        },
        { id: `r-${CANARY}` },
      ],
    });
    await post('/v1/conversions', {
      conversions: [{ id: `s-${CANARY}`, goal: 'purchase', person: { user_id: 'u' }, value: 77_123 }],
    });
    await post('/v1/spend', {
      spend: [{ id: `x-${CANARY}`, from: '2025-06-01', to: '2025-06-02', amount: 1, channel: CANARY }],
    });
    await post(
      '/v1/funnels/kept',
      {
        name: CANARY,
        steps: [{ touchpoint: { kind: ['message'] } }, { conversion: { goal: ['purchase'] } }],
        window_seconds: 60,
      },
      'PUT',
    );
    // The other workspace has the same goal; otherwise every report would answer `unknown_goal`.
    await stack.ask('PUT', '/v1/goals/purchase', other.token, { name: 'G', kind: 'conversion' });
  }, 120_000);

  afterAll(() => stack?.stop());

  test('lists and reports of one workspace show nothing of another', async () => {
    const range = 'range=30d&goal=purchase';
    const paths = [
      '/v1/touchpoints',
      '/v1/conversions',
      '/v1/accounts',
      '/v1/conversations',
      '/v1/goals',
      '/v1/funnels',
      '/v1/spend',
      '/v1/fx-rates',
      '/v1/rejections',
      '/v1/audit',
      '/v1/keys',
      '/v1/workspace',
      `/v1/reports/attribution?${range}`,
      `/v1/reports/journeys?${range}`,
      `/v1/reports/roi?${range}`,
      '/v1/reports/lifecycle',
      `/v1/reports/conversations?${range}`,
      `/v1/reports/cultivation?${range}`,
      `/v1/reports/advocacy?${range}`,
      '/v1/reports/overview',
    ];
    for (const path of paths) {
      const [own, leaked] = [
        await stack.ask('GET', path, victim.token),
        await stack.ask('GET', path, other.token),
      ];
      expect([path, own.status, leaked.status]).toEqual([path, 200, 200]);
      expect([path, leaked.text.includes(CANARY) || leaked.text.includes('77123')]).toEqual([path, false]);
    }
  });

  test("what is another workspace's is not there: 404 to read, to change and to delete", async () => {
    const paths: [string, string, unknown?][] = [
      ['GET', `/v1/touchpoints/t-${CANARY}`],
      ['DELETE', `/v1/touchpoints/t-${CANARY}`],
      ['GET', `/v1/conversions/s-${CANARY}`],
      ['GET', `/v1/conversions/s-${CANARY}/explanation`],
      ['POST', `/v1/conversions/s-${CANARY}/adjustments`, { kind: 'retraction' }],
      ['GET', `/v1/conversations/c-${CANARY}`],
      ['GET', `/v1/accounts/a-${CANARY}`],
      ['GET', `/v1/spend/x-${CANARY}`],
      ['GET', '/v1/funnels/kept'],
      ['GET', '/v1/funnels/kept/report?range=7d'],
      ['DELETE', '/v1/funnels/kept'],
    ];
    const person = JSON.parse(
      (await stack.ask('GET', `/v1/touchpoints/t-${CANARY}`, victim.token)).text,
    ).person_id;
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/timeline'],
      ['GET', '/export'],
      ['DELETE', ''],
    ])
      paths.push([method ?? '', `/v1/people/${person}${path}`]);
    for (const [method, path, body] of paths) {
      const { status } = await stack.ask(method, path, other.token, body);
      expect([method, path, status]).toEqual([method, path, 404]);
    }
    expect((await stack.ask('GET', `/v1/touchpoints/t-${CANARY}`, victim.token)).status).toBe(200);
  });
});

test.each(['bypassrls', 'superuser'])(
  'a role with %s in force serves nobody, and /ready says why',
  async (power) => {
    const stack = await startStack();
    try {
      const made = await stack.ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'W' });
      expect(made.status).toBe(201);
      expect((await stack.ask('GET', '/ready', '')).status).toBe(200);
      await run(stack.backend, `alter role throughline_app ${power}`);
      const ready = await stack.ask('GET', '/ready', '');
      expect([ready.status, JSON.parse(ready.text).code]).toEqual([503, 'misconfigured']);
      expect(ready.text).toContain('row level security');
      // A new isolate checks the role before its first statement.
      const restarted = await startStack(stack.backend);
      try {
        const refused = await restarted.ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'X' });
        expect([refused.status, JSON.parse(refused.text).code]).toEqual([503, 'misconfigured']);
        const [names] = await run(stack.backend, 'select name from workspaces');
        expect(names?.rows).toEqual([['W']]);
      } finally {
        await restarted.stop();
      }
    } finally {
      await stack.stop();
    }
  },
  120_000,
);
