import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import type { FaultPlan } from '../../local/faults.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { answersOk, freePort, startGroup, waitUntilReady } from '../../local/processes.ts';
import { openPglite } from '../../local/sql-backend.ts';
import { buildWorker, PROJECT_ROOT, QUIET_WRANGLER_ENV, WRANGLER } from '../../local/workerd.ts';

/** The built Worker under wrangler, with the bindings that a bare workerd lacks, over the embedded database. */
export interface WranglerWorker {
  url: string;
  /** The log of the Worker so far. */
  output(): string;
  /** Creates a workspace and returns the token of its key. */
  makeKey(): Promise<string>;
}

const ROOT_KEY = 'root-key-of-the-bindings-0123456789abcdef';

interface Options {
  /** Tables of wrangler.toml, from its text. */
  bindings: (wranglerToml: string) => string;
  faults?: FaultPlan;
}

/** Stopped at the end of the test. */
export async function startWrangler({ bindings, faults }: Options): Promise<WranglerWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-wrangler-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backend = await openPglite();
  onTestFinished(() => backend.close());
  await applyMigrations(backend);
  const neon = await startNeonServer({ backend, ...(faults && { faults }) });
  onTestFinished(() => neon.close());
  await buildWorker(folder);
  const toml = await readFile(join(PROJECT_ROOT, 'wrangler.toml'), 'utf8');
  const date = /^compatibility_date = .+$/m.exec(toml)?.[0];
  const variables = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY,
    IDENTITY_SECRET: 'identity-secret-0123456789-0123456789',
  };
  const vars = Object.entries(variables).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const head = `name = "bound"\nmain = "worker.js"\nno_bundle = true\n${date}\n`;
  const config = join(folder, 'wrangler.toml');
  await writeFile(config, `${head}${bindings(toml)}\n[vars]\n${vars.join('')}`);
  const [port, inspector] = [await freePort(), await freePort()];
  const ports = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', String(inspector)];
  const quiet = ['--show-interactive-dev-session', 'false'];
  const worker = startGroup({
    command: process.execPath,
    args: [WRANGLER, 'dev', '--local', '--config', config, ...ports, ...quiet],
    cwd: folder,
    env: { ...process.env, ...QUIET_WRANGLER_ENV, WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
  });
  onTestFinished(worker.stop);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(worker, () => answersOk(`${url}/health`), { timeoutMs: 60_000 });
  return { url, output: worker.output, makeKey: () => makeKey(url) };
}

async function makeKey(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ROOT_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Bound' }),
  });
  return ((await response.json()) as { key: { token: string } }).key.token;
}
