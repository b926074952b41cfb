import type pg from 'pg';
import { connect, isThere, makeDatabase, renameDatabase, type Undo } from '../databases.ts';
import { type LoadedWorkspace, loadedWorkspace, loadWorkspace } from '../workspace/load-workspace.ts';
import type { WorkspaceSize } from '../workspace/size.ts';
import { materialOf } from '../workspace-material.ts';
import { type BenchWorld, startBenchWorld } from '../world.ts';
import type { ReadQuestion } from './reads.ts';
import type { RangeName } from './results.ts';

/** A loaded workspace of one size, in a database of its own with a Worker of its own. */
export interface Space {
  size: WorkspaceSize;
  world: BenchWorld;
  loaded: LoadedWorkspace;
  is_copy: boolean;
  /** Of a key of the workspace. */
  token: string;
  /** The owner of the tables. Each transaction of the Worker that it repeats sets its own role. */
  client: pg.Client;
  /** For the usual SQL. */
  usual: pg.Client;
  questionOf(range: RangeName | null): ReadQuestion;
}

/** What loading a workspace needs. */
export interface LoadOptions {
  bundle: string;
  undo: Undo;
  note: (text: string) => void;
}

/** No run of the usual SQL takes longer; it has no time-out of its own. */
const USUAL_TIMEOUT_MS = 120_000;

const WARMUP_REQUESTS = 50;

const RANGE_DAYS: Record<RangeName, number> = { month: 30, year: 365 };
const DAY_MS = 86_400_000;

/** @param reuse what the names of kept databases begin with; null if none is kept */
export async function openSpace(
  size: WorkspaceSize,
  reuse: string | null,
  options: LoadOptions,
): Promise<Space> {
  const { bundle, undo } = options;
  const template = reuse === null ? null : await loadTemplate(reuse + size.name, size, options);
  const url = template === null ? await load(size, options) : (await makeDatabase(undo, template)).url;
  const world = await startBenchWorld(bundle, url, undo);
  const client = await connected(url, undo);
  const usual = await connected(url, undo);
  await usual.query(`set statement_timeout = ${USUAL_TIMEOUT_MS}`);
  const loaded = await loadedWorkspace(client);
  const token = await world.makeKey(loaded.workspace_id);
  // The first use of a key is noted in the transaction of the request, and the first requests compile the Worker.
  for (let i = 0; i < WARMUP_REQUESTS; i++) await world.ask('GET', '/v1/goals', token);
  return {
    size,
    world,
    loaded,
    is_copy: template !== null,
    token,
    client,
    usual,
    questionOf: await questionsOf(client, loaded),
  };
}

/** The name of a database that is there or was loaded now, which nothing is connected to. */
export async function loadTemplate(name: string, size: WorkspaceSize, options: LoadOptions): Promise<string> {
  if (!(await isThere(name))) await renameDatabase(await load(size, options), name);
  return name;
}

/** Loads a workspace into a new database. Returns its address; nothing is connected to it. */
async function load(size: WorkspaceSize, { bundle, undo, note }: LoadOptions): Promise<string> {
  const { url } = await makeDatabase(undo);
  const world = await startBenchWorld(bundle, url, undo);
  const client = await connect(url);
  try {
    const { id, token } = await world.makeWorkspace();
    const goal = (key: string, body: object) => world.ask('PUT', `/v1/goals/${key}`, token, body);
    await goal('purchase', { name: 'Purchase', kind: 'conversion', stage: 'purchase', lookback_days: 30 });
    await goal('follow', { name: 'Follow', kind: 'cultivation', lookback_days: 30 });
    await goal('join', { name: 'Join', kind: 'cultivation', lookback_days: 30 });
    const ends_at = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
    const material = await materialOf(client, id, world.identitySecret);
    await loadWorkspace({ client, workspace_id: id, size, ends_at }, material, note);
  } finally {
    await client.end();
    await world.stop();
  }
  return url;
}

async function connected(url: string, undo: Undo): Promise<pg.Client> {
  const client = await connect(url);
  undo.add(() => client.end());
  return client;
}

/** A person with many touchpoints, an account with many, and the last purchase of a hundred such people. */
async function questionsOf(client: pg.Client, { workspace_id, ends_at }: LoadedWorkspace) {
  const { rows } = await client.query<Pick<ReadQuestion, 'person_id' | 'account_id' | 'conversion_id'>>(
    `select bench.person_id(0) as person_id, bench.account_id(0) as account_id, (
       select id
       from conversions
       where workspace_id = $1 and goal = 'purchase'
         and person_id = any (array(select bench.person_id(n) from generate_series(0, 99) n))
       order by occurred_at desc, id
       limit 1
     ) as conversion_id`,
    [workspace_id],
  );
  const [row] = rows;
  if (!row) throw new Error('the workspace has no rows');
  return (range: RangeName | null): ReadQuestion => ({
    workspace_id,
    from: dayBefore(ends_at, RANGE_DAYS[range ?? 'month']),
    to: dayBefore(ends_at, 0),
    ...row,
  });
}

function dayBefore(date: Date, days: number): string {
  return new Date(date.getTime() - days * DAY_MS).toISOString().slice(0, 10);
}
