import { DAY_MS } from './demo/calendar.ts';
import { type Access, ask, send, unexpected } from './demo/client.ts';
import type { DemoData } from './demo/diary.ts';
import { exploreLines } from './demo/explore-view.ts';
import { generateDemo } from './demo/generate.ts';
import { countItems, loadDemo } from './demo/load.ts';
import { type DemoOptions, HELP, readOptions } from './demo/options.ts';
import { count, type Paint, painter, startProgress, type Terminal } from './demo/terminal.ts';
import { showAttribution, showExplanation, showMonths, storyRange } from './demo/tour.ts';
import { isPortTaken } from './processes.ts';
import { IN_MEMORY } from './sql-backend.ts';
import { type Stack, startStack } from './stack.ts';

/** The context of every step of the demo. */
interface Stage {
  terminal: Terminal;
  paint: Paint;
  options: DemoOptions;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** The start of the printed times, in milliseconds. */
  startedAt: number;
}

interface Workspace {
  id: string;
  access: Access;
}

const CLEANUP_TIMEOUT_MS = 30_000;
const OUTPUT_TAIL_CHARS = 4_000;

function print({ terminal }: Stage, lines: string[]): void {
  terminal.write(`${lines.join('\n')}\n`);
}

function introduce(stage: Stage): void {
  const { paint, options } = stage;
  print(stage, [
    '',
    paint('bold', 'Throughline follows people from conversation to conversion.'),
    '',
    `All data here is ${paint('bold', 'synthetic')}: people, threads and purchases are invented, generated from seed ${options.seed}.`,
    'The story: a year of Larkhollow, which sells route planning to delivery companies. People mention it',
    'on X, LinkedIn, Reddit and Discord, get answers (or none), read its newsletter, come back through',
    'search and ads, see demos, sign up for a trial; some buy, a few want their money back.',
    '',
  ]);
}

async function start(stage: Stage): Promise<Stack> {
  const { port, databaseUrl, rootKey } = stage.options;
  if (port !== 0 && (await isPortTaken(port))) {
    throw new Error(`port ${port} is in use; choose another with PORT=…, or none for a free one`);
  }
  const database = databaseUrl ? 'PostgreSQL from DATABASE_URL' : 'PGlite in memory';
  print(stage, [`Starting the API: the Worker in workerd, the database ${database} …`]);
  return startStack({ port, databaseUrl, rootKey, dataDir: IN_MEMORY, signal: stage.signal });
}

async function createWorkspace({ url, rootKey }: Stack, signal: AbortSignal): Promise<Workspace> {
  const root = { url, token: rootKey, signal };
  const body = { name: 'Demo', timezone: 'UTC', currency: 'USD' };
  const created = await ask<{ workspace: { id: string }; key: { token: string } }>(
    root,
    'POST',
    '/v1/workspaces',
    body,
  );
  return { id: created.workspace.id, access: { url, token: created.key.token, signal } };
}

async function load(stage: Stage, { access }: Workspace, data: DemoData): Promise<void> {
  const { touchpoints, conversions, adjustments, goals } = data;
  print(stage, [`Loading ${count(goals.length)} goals and a year of data through the public API …`]);
  const progress = startProgress(countItems(data), stage);
  try {
    await loadDemo(access, data, (items) => progress.add(items));
  } finally {
    progress.end();
  }
  const seconds = ((performance.now() - stage.startedAt) / 1000).toFixed(1);
  print(stage, [
    `${stage.paint('green', '✓')} All accepted: ${count(touchpoints.length)} touchpoints, ` +
      `${count(conversions.length)} conversions, ${count(adjustments.length)} refunds. ${seconds} s so far.`,
  ]);
}

async function show(stage: Stage, stack: Stack, { access }: Workspace, until: Date): Promise<void> {
  const { paint } = stage;
  const context = { access, paint, until };
  for (const section of [showAttribution, showExplanation, showMonths]) {
    print(stage, ['', ...(await section(context))]);
  }
  const exploration = { url: stack.url, rootKey: stack.rootKey, token: access.token, ...storyRange(until) };
  print(stage, ['', paint('bold', '4  Explore'), ...exploreLines(exploration, paint), '']);
}

/** Prints everything; resolves when nothing is left but to stay up. */
async function tell(stage: Stage, stack: Stack, onWorkspace: (workspace: Workspace) => void): Promise<void> {
  const until = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
  const data = generateDemo({ seed: stage.options.seed, until });
  const workspace = await createWorkspace(stack, stage.signal);
  onWorkspace(workspace);
  await load(stage, workspace, data);
  await show(stage, stack, workspace, until);
}

async function run(stage: Stage): Promise<void> {
  introduce(stage);
  const stack = await start(stage);
  const workerEnded = stack.exited.then((how) => {
    throw new Error(`the Worker's process ended (${how}):\n${stack.output().slice(-OUTPUT_TAIL_CHARS)}`);
  });
  let workspace: Workspace | undefined;
  try {
    const told = tell(stage, stack, (made) => {
      workspace = made;
    });
    await Promise.race([told, workerEnded]);
    if (!stage.options.stay) return;
    print(stage, [`The API stays up at ${stack.url} until Ctrl-C.`]);
    await Promise.race([interruption(stage.signal), workerEnded]);
  } finally {
    // stop() ends the Worker, which is not a failure then.
    workerEnded.catch(() => {});
    if (workspace && stage.options.databaseUrl) await deleteWorkspace(stack, workspace.id);
    await stack.stop();
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
  });
}

/** Deletes the workspace from a database that outlives the demo. */
async function deleteWorkspace({ url, rootKey }: Stack, id: string): Promise<void> {
  const root = { url, token: rootKey, signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) };
  const path = `/v1/workspaces/${id}`;
  try {
    const answer = await send(root, 'DELETE', path);
    if (answer.status >= 300) throw unexpected('DELETE', path, answer);
  } catch (error) {
    process.stderr.write(`the workspace ${id} is left in the database: ${messageOf(error)}\n`);
  }
}

// The message of fetch is generic and the reason is in the cause. A refused connection to a name with two addresses has
// a code and no message.
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || ('code' in error ? String(error.code) : error.name);
  return error.cause === undefined ? own : `${own}: ${messageOf(error.cause)}`;
}

/** Resolves to the exit code: 1 after a failure, 130 when Ctrl-C came before `--once` was done. */
async function runDemo(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const terminal = process.stdout;
  const interrupted = new AbortController();
  // npm forwards Ctrl-C after the terminal has sent it, so a second signal does not mean that the user is in a hurry.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());
  // The reader is gone, as in `npm run demo | head`.
  terminal.on('error', () => interrupted.abort());
  let stay = true;
  try {
    const options = readOptions(args, env);
    if (!options) {
      terminal.write(HELP);
      return 0;
    }
    stay = options.stay;
    const paint = painter(terminal, env);
    const { signal } = interrupted;
    await run({ terminal, paint, options, signal, startedAt: performance.now() });
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return stay ? 0 : 130;
    process.stderr.write(`the demo failed: ${messageOf(error)}\n`);
    return 1;
  }
}

process.exit(await runDemo(process.argv.slice(2), process.env));
