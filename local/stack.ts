import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMigrations } from './apply-migrations.ts';
import { buildAssetsIfStale } from './build-assets.ts';
import { loadLocalState } from './local-state.ts';
import { ForeignMigrations } from './migrator.ts';
import { startNeonServer } from './neon-server.ts';
import { answersOk, freePort, type ProcessGroup, startGroup, waitUntilReady } from './processes.ts';
import { IN_MEMORY, openPglite, openPostgres, type SqlBackend } from './sql-backend.ts';
import { PROJECT_ROOT, QUIET_WRANGLER_ENV, WRANGLER } from './workerd.ts';

/** The settings of the local stack. */
export interface StackOptions {
  /** Where the API listens, on 127.0.0.1; 0 takes a free port. */
  port: number;
  /** A real PostgreSQL database in place of the embedded one. */
  databaseUrl?: string;
  /** Folder of the embedded database and of the secrets; `memory:` or absent stores nothing. */
  dataDir?: string;
  /** By default the root key kept in `dataDir`, or a new one. */
  rootKey?: string;
  /** Aborts the start; everything that has been started is stopped. */
  signal?: AbortSignal;
  /** Called with the output of the Worker and of wrangler. */
  onOutput?: (text: string) => void;
}

/** A running stack: database, Neon server and Worker. */
export interface Stack {
  url: string;
  rootKey: string;
  /** The connection string of the Neon server, as configured in the Worker. */
  connectionString: string;
  output(): string;
  /** Settles when the Worker's process has ended, through `stop()` or on its own. */
  exited: Promise<string>;
  stop(): Promise<void>;
}

type Undo = () => Promise<void>;

// Enough for two processes of node and one of workerd to start on a busy machine.
const START_TIMEOUT_MS = 60_000;
const MIN_SECRET_CHARS = 32;

/** Starts everything and resolves when GET /health answers 200. After a failure nothing is left running. */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (options.rootKey !== undefined && options.rootKey.length < MIN_SECRET_CHARS) {
    throw new Error(`ROOT_KEY must have at least ${MIN_SECRET_CHARS} characters`);
  }
  const undo: Undo[] = [];
  const stop = async () => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    return { ...(await startParts(options, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: StackOptions, undo: Undo[]): Promise<Omit<Stack, 'stop'>> {
  const { dataDir, databaseUrl, signal } = options;
  const state = await loadLocalState(dataDir === IN_MEMORY ? undefined : dataDir);
  const rootKey = options.rootKey ?? state.rootKey;
  const backend = databaseUrl ? await openPostgres(databaseUrl) : await openPglite(dataDir);
  undo.push(() => backend.close());
  signal?.throwIfAborted();
  await migrate(backend, options);
  const neon = await startNeonServer({ backend });
  undo.push(() => neon.close());
  signal?.throwIfAborted();

  const port = options.port || (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const variables = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY: rootKey,
    IDENTITY_SECRET: state.identitySecret,
    TOKEN_SECRET: state.tokenSecret,
  };
  const worker = await startWrangler(port, variables, options, undo);
  await waitUntilReady(worker, () => answersOk(`${url}/health`), { timeoutMs: START_TIMEOUT_MS, signal });
  return {
    url,
    rootKey,
    connectionString: neon.connectionString,
    output: worker.output,
    exited: worker.exited,
  };
}

async function migrate(backend: SqlBackend, { databaseUrl, dataDir }: StackOptions): Promise<void> {
  try {
    await applyMigrations(backend);
  } catch (error) {
    if (!(error instanceof ForeignMigrations)) throw error;
    const remedy = databaseUrl
      ? 'The database of DATABASE_URL is not changed. Point DATABASE_URL at an empty one'
      : `The database in ${dataDir} is not changed. Delete that folder, or set DATA_DIR to another one`;
    throw new Error(remedy, { cause: error });
  }
}

async function startWrangler(
  port: number,
  variables: Record<string, string>,
  { onOutput }: StackOptions,
  undo: Undo[],
): Promise<ProcessGroup> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-dev-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const envFile = join(folder, 'worker.env');
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${envFileValue(value)}\n`);
  await writeFile(envFile, lines.join(''), { mode: 0o600 });
  await buildAssetsIfStale();
  const flags: Record<string, string> = {
    '--ip': '127.0.0.1',
    '--port': String(port),
    '--inspector-port': String(await freePort()),
    '--env-file': envFile,
    '--persist-to': join(folder, 'state'),
    '--show-interactive-dev-session': 'false',
  };
  const group = startGroup({
    command: process.execPath,
    args: [WRANGLER, 'dev', '--local', ...Object.entries(flags).flat()],
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...QUIET_WRANGLER_ENV, WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
    onOutput,
  });
  undo.push(group.stop);
  return group;
}

// wrangler expands `$name` in any quotes, and escape sequences only in double quotes.
function envFileValue(value: string): string {
  const quote = ["'", '`', '"'].find((mark) => !value.includes(mark));
  if (!quote) throw new Error('a variable of the Worker cannot hold all three of \' ` "');
  return quote + value.replaceAll('$', '\\$') + quote;
}
