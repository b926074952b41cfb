import { join } from 'node:path';
import pg from 'pg';
import { startNeonServer } from '../local/neon-server.ts';
import { openPglite, openPostgres, type SqlBackend } from '../local/sql-backend.ts';
import { buildWorker, PROJECT_ROOT, startWorkerd } from '../local/workerd.ts';

const ROOT_KEY = 'root-key-of-the-benchmarks-0123456789abcdef';
const IDENTITY_SECRET = 'identity-secret-of-the-benchmarks-0123456789';

/** What is measured: the built Worker in bare workerd, over a database that the benchmark made for itself. */
export interface BenchWorld {
  database: 'pglite' | 'postgres';
  backend: SqlBackend;
  /** Null on PGlite, which has no second way in. */
  databaseUrl: string | null;
  identitySecret: string;
  ask(method: string, path: string, token: string, body?: unknown): Promise<unknown>;
  makeWorkspace(): Promise<{ id: string; token: string }>;
  stop(): Promise<void>;
}

/** @param server a real Postgres in which a database may be made and dropped; PGlite if absent */
export async function startBenchWorld(server: string | undefined): Promise<BenchWorld> {
  const undo: (() => Promise<unknown>)[] = [];
  const databaseUrl = server ? await makeDatabase(server, undo) : null;
  const backend = databaseUrl ? await openPostgres(databaseUrl) : await openPglite();
  undo.push(() => backend.close());
  await backend.migrate(join(PROJECT_ROOT, 'migrations'));
  const neon = await startNeonServer({ backend });
  undo.push(() => neon.close());
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET };
  const worker = await startWorkerd({ bundle: await buildWorker(), env });
  undo.push(() => worker.stop());
  const ask: BenchWorld['ask'] = async (method, path, token, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(worker.url + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  };
  return {
    database: databaseUrl ? 'postgres' : 'pglite',
    backend,
    databaseUrl,
    identitySecret: IDENTITY_SECRET,
    ask,
    makeWorkspace: async () => {
      const made = (await ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'Bench' })) as {
        workspace: { id: string };
        key: { token: string };
      };
      return { id: made.workspace.id, token: made.key.token };
    },
    stop: async () => {
      for (const step of undo.reverse()) await step();
    },
  };
}

async function makeDatabase(server: string, undo: (() => Promise<unknown>)[]): Promise<string> {
  const name = `throughline_bench_${process.pid}_${Date.now()}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  undo.push(async () => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  });
  const own = new URL(server);
  own.pathname = `/${name}`;
  return own.href;
}
