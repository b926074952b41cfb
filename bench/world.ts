import { join } from 'node:path';
import pg from 'pg';
import { applyMigrations } from '../local/apply-migrations.ts';
import type { NeonCall } from '../local/neon-call.ts';
import { startNeonServer } from '../local/neon-server.ts';
import { openPglite, openPostgres, type SqlBackend } from '../local/sql-backend.ts';
import { buildWorker, startWorkerd } from '../local/workerd.ts';

const ROOT_KEY = 'root-key-of-the-benchmarks-0123456789abcdef';
const IDENTITY_SECRET = 'identity-secret-of-the-benchmarks-0123456789';
const TOKEN_SECRET = 'token-secret-of-the-benchmarks-0123456789';

type Ask = (method: string, path: string, token: string, body?: unknown) => Promise<unknown>;

/** The system under measurement: the built Worker in bare workerd, over a database that the benchmark created. */
export interface BenchWorld {
  database: 'pglite' | 'postgres';
  backend: SqlBackend;
  /** Null on PGlite, which allows no second connection. */
  databaseUrl: string | null;
  identitySecret: string;
  ask: Ask;
  /** The same request to the Worker of `BASELINE`, another checkout with its packages; null without one. */
  askBefore: Ask | null;
  /** The address of the Worker. */
  url: string;
  /** The WebSocket of the isolate's inspector. */
  inspectorUrl: string;
  makeWorkspace(): Promise<{ id: string; token: string }>;
  /** The token of a further key, of a workspace whose rows may have been inserted without the API. */
  makeKey(workspaceId: string): Promise<string>;
  /** The last call of the Worker to the database: the statements of one transaction, including the settings. */
  lastCall(): NeonCall;
  /** Creates a further database with all migrations and no rows, calls `use`, and drops it. Not on PGlite. */
  inFreshDatabase<T>(use: (databaseUrl: string) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

type Undo = (() => Promise<unknown>)[];

/** @param server a real Postgres in which databases may be created and dropped; PGlite if absent */
export async function startBenchWorld(server: string | undefined): Promise<BenchWorld> {
  const undo: Undo = [];
  let stopping: Promise<void> | null = null;
  const undoAll = async () => {
    for (const step of undo.toReversed()) await step();
  };
  // A signal stops the world, and so does the benchmark that fails because of the signal.
  const stop = () => {
    stopping ??= undoAll();
    return stopping;
  };
  try {
    return { ...(await startWorld(server, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startWorld(server: string | undefined, undo: Undo): Promise<Omit<BenchWorld, 'stop'>> {
  const own = server ? await makeDatabase(server, undo) : null;
  const backend = own ? await openPostgres(own.url) : await openPglite();
  undo.push(() => backend.close());
  await applyMigrations(backend);
  let last: NeonCall | null = null;
  const onCall = (call: NeonCall) => {
    last = call;
  };
  const neon = await startNeonServer({ backend, onCall });
  undo.push(() => neon.close());
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET, TOKEN_SECRET };
  const worker = await startWorkerd({ bundle: await buildWorker(), env, inspect: true });
  undo.push(() => worker.stop());
  const ask = askOf(worker.url);
  const baseline = process.env.BASELINE;
  let askBefore: Ask | null = null;
  if (baseline) {
    const before = await startWorkerd({
      bundle: await buildWorker(join(baseline, 'dist/worker'), baseline),
      env,
      inspect: true,
    });
    undo.push(() => before.stop());
    askBefore = askOf(before.url);
  }
  return {
    database: own ? 'postgres' : 'pglite',
    backend,
    databaseUrl: own?.url ?? null,
    identitySecret: IDENTITY_SECRET,
    ask,
    askBefore,
    url: worker.url,
    inspectorUrl: worker.inspectorUrl ?? '',
    makeWorkspace: async () => {
      const made = (await ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'Bench' })) as {
        workspace: { id: string };
        key: { token: string };
      };
      return { id: made.workspace.id, token: made.key.token };
    },
    makeKey: async (workspaceId) => {
      const body = { name: 'Bench', scopes: ['ingest', 'read', 'admin'] };
      const made = await ask('POST', `/v1/workspaces/${workspaceId}/keys`, ROOT_KEY, body);
      return (made as { token: string }).token;
    },
    lastCall: () => {
      if (!last) throw new Error('the Worker has not asked the database yet');
      return last;
    },
    inFreshDatabase: async (use) => {
      if (!server) throw new Error('PGlite has one database');
      const fresh = await makeDatabase(server, undo);
      try {
        await migrate(fresh.url);
        return await use(fresh.url);
      } finally {
        await fresh.drop();
      }
    },
  };
}

function askOf(url: string): Ask {
  return async (method, path, token, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(url + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  };
}

async function migrate(databaseUrl: string): Promise<void> {
  const backend = await openPostgres(databaseUrl);
  try {
    await applyMigrations(backend);
  } finally {
    await backend.close();
  }
}

/** The database may be dropped early; otherwise it is dropped with everything else. */
async function makeDatabase(server: string, undo: Undo): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `throughline_bench_${process.pid}_${Date.now()}`;
  const drop = () => administer(server, `drop database if exists ${name} with (force)`);
  await administer(server, `create database ${name}`);
  undo.push(drop);
  const own = new URL(server);
  own.pathname = `/${name}`;
  return { url: own.href, drop };
}

async function administer(server: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
