import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, startGroup, waitUntilReady } from './processes.ts';

/** The root folder of the project. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '..');

/** The entry script of wrangler, to be run with `process.execPath`. */
export const WRANGLER = join(PROJECT_ROOT, 'node_modules/wrangler/bin/wrangler.js');

/** wrangler without telemetry, update check, error reports, log files or calls to its vendor's hosts. */
export const QUIET_WRANGLER_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  // The update check is part of printing the banner.
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_WRITE_LOGS: 'false',
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
} as const;

const START_TIMEOUT_MS = 20_000;
const STDOUT = 1;
/** What workerd writes there when it accepts connections, with the port that it took. */
const LISTENING = /^\{"event":"listen","socket":"http","port":(\d+)\}\n/m;
const EVENTS = /^\{"event":"listen.*\}\n/gm;
/** The memory of an isolate on Cloudflare. */
const ISOLATE_MIB = 128;

/**
 * Bundles src/worker.ts as a deployment would, and returns the path of the bundle. Two concurrent builds into the same
 * folder disturb each other.
 */
export async function buildWorker(
  outdir = join(PROJECT_ROOT, 'dist/worker'),
  root = PROJECT_ROOT,
): Promise<string> {
  await makeAssetsFolder(root);
  const build = startGroup({
    command: process.execPath,
    args: [WRANGLER, 'deploy', '--dry-run', '--outdir', outdir],
    cwd: root,
    env: { ...process.env, ...QUIET_WRANGLER_ENV },
  });
  const how = await build.exited;
  await build.stop();
  if (how !== 'code 0') throw new Error(`wrangler could not build the Worker (${how}):\n${build.output()}`);
  return join(outdir, 'worker.js');
}

/** wrangler does not start if the assets folder of wrangler.toml is missing. */
export async function makeAssetsFolder(root = PROJECT_ROOT): Promise<void> {
  await mkdir(join(root, 'dist/assets'), { recursive: true });
}

/** The settings of a Worker. */
export interface WorkerdOptions {
  /** Path of an ES module that `buildWorker` created. */
  bundle: string;
  /** The Worker's variables and secrets. */
  env: Record<string, string>;
  /** 0 takes a free one. */
  port?: number;
  /** For measurements: also opens the inspector, and limits the heap to that of an isolate on Cloudflare. */
  inspect?: true;
  /** Called with the log of the Worker as it is written. */
  onOutput?: (text: string) => void;
}

/** A Worker in a bare workerd: no reload, no proxy in front, no static assets. */
export interface RunningWorkerd {
  url: string;
  pid: number;
  /** The address of the inspector's WebSocket; null unless it was asked for. */
  inspectorUrl: string | null;
  /** The log of the Worker so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Runs a bundle directly in workerd, and resolves when it accepts connections. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  const { bundle, env, port = 0, inspect, onOutput } = options;
  const folder = await mkdtemp(join(tmpdir(), 'throughline-workerd-'));
  const inspector = inspect ? `127.0.0.1:${await freePort()}` : null;
  const config = join(folder, 'config.capnp');
  const flags = inspect ? `v8Flags = ["--max-heap-size=${ISOLATE_MIB}"],` : '';
  await writeFile(config, workerdConfig(port, Object.keys(env), await compatibility(), flags));
  await writeFile(join(folder, 'worker.js'), await readFile(bundle));
  const spec = {
    command: workerdBinary(),
    args: ['serve', `--control-fd=${STDOUT}`, ...(inspector ? ['--inspector-addr', inspector] : []), config],
    cwd: folder,
    env,
  };
  const group = startGroup({
    ...spec,
    ...(onOutput && { onOutput: (text) => onOutput(text.replaceAll(EVENTS, '')) }),
  });
  const stop = async () => {
    await group.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // A free port that is chosen here could be taken by another process before workerd listens.
    await waitUntilReady(group, async () => LISTENING.test(group.output()), { timeoutMs: START_TIMEOUT_MS });
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `http://127.0.0.1:${LISTENING.exec(group.output())?.[1]}`;
  return {
    url,
    pid: group.pid,
    inspectorUrl: inspector && `ws://${inspector}/main`,
    output: () => group.output().replaceAll(EVENTS, ''),
    stop,
  };
}

function workerdBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('wrangler'));
  return (require('workerd') as { default: string }).default;
}

/** The compatibility date and flags of wrangler.toml, so that tests run the same as a deployment. */
async function compatibility(): Promise<{ date: string; flags: string }> {
  const toml = await readFile(join(PROJECT_ROOT, 'wrangler.toml'), 'utf8');
  const date = /^compatibility_date\s*=\s*"([^"]+)"/m.exec(toml)?.[1];
  if (!date) throw new Error('wrangler.toml has no compatibility_date');
  const flags = /^compatibility_flags\s*=\s*(\[[^\]]*\])/m.exec(toml)?.[1];
  return { date, flags: flags ?? '[]' };
}

/**
 * Variables come from workerd's environment, so no secret is written to the file and none has to be quoted. Private
 * addresses are allowed because the database is on this machine.
 */
function workerdConfig(
  port: number,
  variables: string[],
  { date, flags }: { date: string; flags: string },
  v8Flags: string,
) {
  const bindings = variables.map((name) => `(name = "${name}", fromEnvironment = "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  ${v8Flags}
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (
      allow = ["public", "private"],
      tlsOptions = (trustBrowserCas = true)
    ))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "${date}",
  compatibilityFlags = ${flags},
  bindings = [${bindings.join(', ')}]
);
`;
}
