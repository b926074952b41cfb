import { createHash } from 'node:crypto';
import { type DemoWorkspace, loadLocalState, saveLocalState } from './local-state.ts';
import { isPortTaken } from './processes.ts';
import { isDemoThere, seedDevWorkspace } from './seed.ts';
import { IN_MEMORY } from './sql-backend.ts';
import { type Stack, startStack } from './stack.ts';

/** How often the scheduled trigger fires here; a deployment has it once an hour. */
const SCHEDULE_MS = 60_000;

const DEFAULT_PORT = 8787;
const DEFAULT_DATA_DIR = '.data/pglite';

interface DevSettings {
  port: number;
  dataDir: string;
  databaseUrl: string | undefined;
  rootKey: string | undefined;
}

// An empty variable counts as absent: `ROOT_KEY= npm run dev`.
function readSettings(env: NodeJS.ProcessEnv): DevSettings {
  const port = Number(env.PORT || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT is not a port: ${env.PORT}`);
  return {
    port,
    dataDir: env.DATA_DIR || DEFAULT_DATA_DIR,
    databaseUrl: env.DATABASE_URL || undefined,
    rootKey: env.ROOT_KEY || undefined,
  };
}

async function demoWorkspace(stack: Stack, { dataDir, databaseUrl }: DevSettings): Promise<DemoWorkspace> {
  const folder = dataDir === IN_MEMORY ? undefined : dataDir;
  const state = await loadLocalState(folder);
  // Hashed, so that the password of the database is not in the file.
  const database = databaseUrl ? createHash('sha256').update(databaseUrl).digest('hex') : 'pglite';
  const kept = state.demos[database];
  if (kept && (await isDemoThere(stack.url, kept))) return kept;
  const demo = await seedDevWorkspace(stack.url, stack.rootKey);
  await saveLocalState(folder, { ...state, demos: { ...state.demos, [database]: demo } });
  return demo;
}

function printLines(lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function databaseLine({ databaseUrl, dataDir }: DevSettings): string {
  if (databaseUrl) return 'PostgreSQL from DATABASE_URL';
  return dataDir === IN_MEMORY ? 'PGlite, in memory' : `PGlite, in ${dataDir}`;
}

async function announce(stack: Stack, settings: DevSettings): Promise<void> {
  let demo = ['demo workspace  none'];
  try {
    const { id, token } = await demoWorkspace(stack, settings);
    demo = [`demo workspace  ${id}`, `demo token      ${token}`];
  } catch (error) {
    // The API is up anyway, and the developer sees the reason.
    process.stderr.write(`the demo workspace could not be seeded: ${messageOf(error)}\n`);
  }
  printLines([
    '',
    `API             ${stack.url}`,
    `reference       ${stack.url}/docs`,
    `database        ${databaseLine(settings)}`,
    `Neon protocol   ${stack.connectionString}`,
    `root key        ${stack.rootKey}`,
    ...demo,
    '',
    `ready ${stack.url}`,
  ]);
}

// Drizzle's message contains only the statement, and the reason is in the cause. A refused connection to a name with
// two addresses has a code and no message.
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || ('code' in error ? String(error.code) : error.name);
  return error.cause === undefined ? own : `${own}: ${messageOf(error.cause)}`;
}

/** Resolves to the exit code: 0 after SIGINT or SIGTERM, 1 after anything else. */
async function runDev(env: NodeJS.ProcessEnv): Promise<number> {
  const interrupted = new AbortController();
  const interruption = new Promise<'interrupted'>((resolve) => {
    interrupted.signal.addEventListener('abort', () => resolve('interrupted'));
  });
  // npm forwards Ctrl-C after the terminal has sent it, so a second signal does not mean that the user is in a hurry.
  process.on('SIGINT', () => interrupted.abort());
  process.on('SIGTERM', () => interrupted.abort());
  let stack: Stack | undefined;
  let schedule: NodeJS.Timeout | undefined;
  try {
    const settings = readSettings(env);
    if (settings.port !== 0 && (await isPortTaken(settings.port))) {
      throw new Error(`port ${settings.port} is in use; choose another with PORT=…`);
    }
    printLines(['starting the database and the Worker …']);
    const onOutput = (text: string) => process.stdout.write(text);
    stack = await startStack({ ...settings, signal: interrupted.signal, onOutput });
    await announce(stack, settings);
    schedule = setInterval(runScheduled, SCHEDULE_MS, stack.url);
    const reason = await Promise.race([interruption, stack.exited]);
    if (reason !== 'interrupted') throw new Error(`the Worker's process ended (${reason})`);
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 0;
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  } finally {
    clearInterval(schedule);
    await stack?.stop();
  }
}

/** Fires the scheduled trigger of the Worker. It logs its own failures, and the next time comes in a minute. */
function runScheduled(url: string): void {
  const path = '/cdn-cgi/handler/scheduled';
  fetch(url + path, { signal: AbortSignal.timeout(SCHEDULE_MS) }).catch(() => {});
}

process.exit(await runDev(process.env));
