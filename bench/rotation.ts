import { join } from 'node:path';
import pg from 'pg';
import { startNeonServer } from '../local/neon-server.ts';
import { startGroup } from '../local/processes.ts';
import { openPostgres } from '../local/sql-backend.ts';
import { buildWorker, PROJECT_ROOT, startWorkerd } from '../local/workerd.ts';
import type { Note } from './progress.ts';
import { IDENTITIES, loadIdentities, loadWorkspaces, SMALL_WORKSPACES } from './rotation-data.ts';
import { ERASED, eraseSome, postWhile, type Sender } from './rotation-load.ts';
import type { BenchWorld } from './world.ts';

const ROOT_KEY = 'root-key-of-the-benchmarks-0123456789abcdef';
const FIRST = 'identity-secret-of-the-benchmarks-first-01';
const SECOND = 'identity-secret-of-the-benchmarks-second-1';

/**
 * Rotates IDENTITY_SECRET there and back, over a workspace of a million identities and 10,000 small ones, while
 * isolates of the old and of the new configuration store items: workspaces per second, and what was lost, doubled,
 * mistaken for a stranger, or stored of people who were erased.
 */
export async function benchRotation(world: BenchWorld, progress: Note) {
  const results = await world.inFreshDatabase((databaseUrl) => measure(databaseUrl, progress));
  const data = { identities: IDENTITIES, workspaces: SMALL_WORKSPACES + 1, erased_people: ERASED };
  return {
    name: 'rotation of IDENTITY_SECRET',
    wanted: 'lost, doubled, strangers, erased_back = 0',
    data,
    results,
  };
}

async function measure(databaseUrl: string, progress: Note) {
  const backend = await openPostgres(databaseUrl);
  const neon = await startNeonServer({ backend });
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const bundle = await buildWorker();
  const workers: { stop(): Promise<void> }[] = [];
  const start = async (secrets: Record<string, string>): Promise<string> => {
    const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, ...secrets };
    const worker = await startWorkerd({ bundle, env });
    workers.push(worker);
    return worker.url;
  };
  try {
    const sender = await prepare(client, await start({ IDENTITY_SECRET: FIRST }), progress);
    const results = [];
    for (const [name, from, to] of [
      ['there', FIRST, SECOND],
      ['back', SECOND, FIRST],
    ] as const) {
      progress(`rotation ${name}`);
      const both = { IDENTITY_SECRET: to, IDENTITY_SECRET_PREVIOUS: from };
      const urls = [await start({ IDENTITY_SECRET: from }), await start(both)];
      const adding = rotation(databaseUrl, both);
      const posted = await postWhile({ ...sender, urls, prefix: name }, client, adding);
      const after = { ...sender, urls: [await start({ IDENTITY_SECRET: to })], prefix: `after-${name}` };
      const removing = rotation(databaseUrl, { IDENTITY_SECRET: to });
      const late = await postWhile(after, client, removing);
      results.push({
        direction: name,
        added: await adding,
        while_adding: posted,
        removed: await removing,
        while_removing: late,
      });
    }
    return results;
  } finally {
    for (const worker of workers) await worker.stop();
    await client.end();
    await neon.close();
    await backend.close();
  }
}

async function prepare(client: pg.Client, url: string, progress: Note): Promise<Sender> {
  const response = await fetch(`${url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ROOT_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Large' }),
  });
  const made = (await response.json()) as { workspace: { id: string }; key: { token: string } };
  const sender = { workspace_id: made.workspace.id, token: made.key.token, urls: [url], prefix: '' };
  progress('a million identities');
  await loadIdentities(client, sender.workspace_id, FIRST);
  await loadWorkspaces(client, FIRST);
  await eraseSome(sender);
  return sender;
}

/** Runs `npm run rotate-identities`. Returns its wall time, and the workspaces and their rate that it reports. */
async function rotation(databaseUrl: string, secrets: Record<string, string>) {
  const started = performance.now();
  const running = startGroup({
    command: process.execPath,
    args: [join(PROJECT_ROOT, 'local/rotate-identities.ts')],
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, ...secrets },
  });
  const how = await running.exited;
  const output = running.output();
  if (how !== 'code 0') throw new Error(`the rotation ended with ${how}: ${output}`);
  const [, workspaces, per_second] =
    [...output.matchAll(/(?:added|removed) (\d+) of .*, (\d+) a second/g)].at(-1) ?? [];
  const wall_seconds = Math.round(performance.now() - started) / 1000;
  return { workspaces: Number(workspaces), per_second: Number(per_second), wall_seconds };
}
