import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startNeonServer } from '../../local/neon-server.ts';
import { answersOk, freePort, startGroup, waitUntilReady } from '../../local/processes.ts';
import { openPglite } from '../../local/sql-backend.ts';
import { buildWorker, PROJECT_ROOT, QUIET_WRANGLER_ENV, WRANGLER } from '../../local/workerd.ts';

/** The real binding, as wrangler runs it on this machine, under the name of wrangler.toml and with a smaller limit. */

const ROOT_KEY = 'root-key-of-the-rate-limits-0123456789abcdef';
const LIMIT = 5;

/** wrangler with the built Worker and the binding of wrangler.toml, but for its limit. */
async function startWorker(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-rate-limit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backend = await openPglite();
  onTestFinished(() => backend.close());
  await backend.migrate(join(PROJECT_ROOT, 'migrations'));
  const neon = await startNeonServer({ backend });
  onTestFinished(() => neon.close());
  await buildWorker(folder);
  const toml = await readFile(join(PROJECT_ROOT, 'wrangler.toml'), 'utf8');
  const date = /^compatibility_date = .+$/m.exec(toml)?.[0];
  const binding = /\[\[ratelimits\]\][^[]+/.exec(toml)?.[0].replace(/limit = \d+/, `limit = ${LIMIT}`);
  const variables = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY,
    IDENTITY_SECRET: 'identity-secret-0123456789-0123456789',
  };
  const vars = Object.entries(variables).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const head = `name = "limited"\nmain = "worker.js"\nno_bundle = true\n${date}\n`;
  const config = join(folder, 'wrangler.toml');
  await writeFile(config, `${head}${binding}\n[vars]\n${vars.join('')}`);
  const [port, inspector] = [await freePort(), await freePort()];
  const ports = ['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', String(inspector)];
  const worker = startGroup({
    command: process.execPath,
    args: [
      WRANGLER,
      'dev',
      '--local',
      '--config',
      config,
      ...ports,
      '--show-interactive-dev-session',
      'false',
    ],
    cwd: folder,
    env: { ...process.env, ...QUIET_WRANGLER_ENV, WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
  });
  onTestFinished(worker.stop);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(worker, () => answersOk(`${url}/health`), { timeoutMs: 60_000 });
  return url;
}

async function makeKey(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ROOT_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Limited' }),
  });
  return ((await response.json()) as { key: { token: string } }).key.token;
}

test('refuses a key beyond its limit, no other key, and takes it again after Retry-After', async () => {
  const url = await startWorker();
  const [token, other] = [await makeKey(url), await makeKey(url)];
  const ask = (key: string) => fetch(`${url}/v1/goals`, { headers: { authorization: `Bearer ${key}` } });
  // Two windows may be touched, as the second begins when the clock says so.
  const responses = [];
  for (let i = 0; i < 2 * LIMIT + 1; i++) responses.push(await ask(token));
  const refused = responses.find(({ status }) => status === 429);
  expect(responses.slice(0, LIMIT).map(({ status }) => status)).toEqual(Array(LIMIT).fill(200));
  expect(refused?.headers.get('ratelimit')).toBe('"default";r=0;t=10');
  expect((await ask(other)).status).toBe(200);
  const seconds = Number(refused?.headers.get('retry-after'));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 200));
  expect((await ask(token)).status).toBe(200);
}, 120_000);
