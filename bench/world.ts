import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NeonCall } from '../local/neon-call.ts';
import { startNeonServer } from '../local/neon-server.ts';
import { openPostgres, type SqlBackend } from '../local/sql-backend.ts';
import { buildWorker, type RunningWorkerd, startWorkerd } from '../local/workerd.ts';
import { makeDatabase, startUndo, type Undo } from './databases.ts';

const ROOT_KEY = 'root-key-of-the-benchmarks-0123456789abcdef';
/** Fixed, so that a database which is kept opens in a later run. */
const IDENTITY_SECRET = 'identity-secret-of-the-benchmarks-0123456789';
const TOKEN_SECRET = 'token-secret-of-the-benchmarks-0123456789';

type Ask = (method: string, path: string, token: string, body?: unknown) => Promise<unknown>;

/** The system under measurement: the built Worker in bare workerd, over a database that the benchmark created. */
export interface BenchWorld {
  databaseUrl: string;
  /** Of the server that speaks Neon's protocol, as the Worker has it. */
  neonUrl: string;
  identitySecret: string;
  /** Returns the JSON of the response. @throws if it is an error */
  ask: Ask;
  /** The same request to the Worker of `BASELINE`, another checkout with its packages; null without one. */
  askBefore: Ask | null;
  /** The address of the Worker. */
  url: string;
  /** The id of the process of the Worker. */
  pid: number;
  /** The WebSocket of the isolate's inspector. */
  inspectorUrl: string;
  makeWorkspace(): Promise<{ id: string; token: string }>;
  /** The token of a further key, of a workspace whose rows may have been inserted without the API. */
  makeKey(workspaceId: string): Promise<string>;
  /** Runs `use`, and returns the Worker's calls to the database meanwhile: each is the statements of one transaction. */
  callsDuring(use: () => Promise<unknown>): Promise<NeonCall[]>;
  /** Resolves when the Worker has asked the database nothing for a moment, or after some time of waiting for that. */
  quiet(): Promise<void>;
  /** Creates a further database with all migrations and no rows, calls `use`, and drops it. */
  inFreshDatabase<T>(use: (databaseUrl: string) => Promise<T>): Promise<T>;
  /** Leaves the database. */
  stop(): Promise<void>;
}

/** @param bundle the path of the built Worker */
export async function startBenchWorld(bundle: string, databaseUrl: string, undo: Undo): Promise<BenchWorld> {
  const own = startUndo();
  const stop = undo.add(own.all);
  const backend = await openPostgres(databaseUrl);
  own.add(() => backend.close());
  const { neon, callsDuring, quiet } = await startDatabaseServer(backend);
  own.add(() => neon.close());
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET, TOKEN_SECRET };
  const start = async (path: string): Promise<RunningWorkerd> => {
    const worker = await startWorkerd({ bundle: path, env, inspect: true });
    own.add(() => worker.stop());
    return worker;
  };
  const worker = await start(bundle);
  const baseline = process.env.BASELINE;
  const before = baseline && (await start(await buildWorker(join(baseline, 'dist/worker'), baseline)));
  const ask = askOf(worker.url);
  return {
    databaseUrl,
    neonUrl: neon.connectionString,
    identitySecret: IDENTITY_SECRET,
    ask,
    askBefore: before ? askOf(before.url) : null,
    url: worker.url,
    pid: worker.pid,
    inspectorUrl: worker.inspectorUrl ?? '',
    ...workspacesOf(ask),
    callsDuring,
    quiet,
    inFreshDatabase: async (use) => {
      const fresh = await makeDatabase(undo);
      try {
        return await use(fresh.url);
      } finally {
        await fresh.drop();
      }
    },
    stop,
  };
}

const QUIET_MS = 300;
const QUIET_WITHIN_MS = 60_000;

async function startDatabaseServer(backend: SqlBackend) {
  let calls: NeonCall[] = [];
  const use = { running: 0, at: 0 };
  const run: SqlBackend['run'] = async (...call) => {
    use.running += 1;
    try {
      return await backend.run(...call);
    } finally {
      use.running -= 1;
      use.at = performance.now();
    }
  };
  const neon = await startNeonServer({
    backend: { ...backend, run },
    onCall: (call) => calls.push(call),
  });
  const quiet = async () => {
    const until = performance.now() + QUIET_WITHIN_MS;
    const isQuiet = () => use.running === 0 && performance.now() - use.at >= QUIET_MS;
    while (!isQuiet() && performance.now() < until) await sleep(QUIET_MS / 3);
  };
  const callsDuring = async (use: () => Promise<unknown>) => {
    calls = [];
    await use();
    return calls;
  };
  return { neon, callsDuring, quiet };
}

function workspacesOf(ask: Ask): Pick<BenchWorld, 'makeWorkspace' | 'makeKey'> {
  return {
    makeWorkspace: async () => {
      const made = await ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'Bench' });
      const { workspace, key } = made as { workspace: { id: string }; key: { token: string } };
      return { id: workspace.id, token: key.token };
    },
    makeKey: async (workspaceId) => {
      const body = { name: 'Bench', scopes: ['ingest', 'read', 'admin'] };
      const made = await ask('POST', `/v1/workspaces/${workspaceId}/keys`, ROOT_KEY, body);
      return (made as { token: string }).token;
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
