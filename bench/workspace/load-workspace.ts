import type pg from 'pg';
import type { KeyMaterial } from '../../src/http/key-material.ts';
import { insertAdjustments, insertConversions, insertMoney, insertThreads } from './conversion-rows.ts';
import { insertPeople, makePeopleFunctions } from './people-rows.ts';
import type { WorkspaceSize } from './size.ts';
import { insertTouchpoints, type Load, makeBursts } from './touchpoint-rows.ts';
import { withoutIndexes } from './without-indexes.ts';

/** A workspace whose rows were inserted directly into the tables. */
export interface LoadedWorkspace {
  workspace_id: string;
  size: WorkspaceSize;
  /** The end of its log, at midnight UTC. */
  ends_at: Date;
  load_seconds: number;
}

const FILLED = [
  'touchpoints',
  'conversions',
  'adjustments',
  'people',
  'identities',
  'accounts',
  'account_facts',
];

/**
 * Loads a workspace that was made through the API and has no rows yet: loading a million touchpoints through the API
 * would take an hour. The same size and end give the same rows.
 */
export async function loadWorkspace(
  load: Omit<Load, 'progress'>,
  material: KeyMaterial,
  progress: (text: string) => void,
): Promise<void> {
  const { client, workspace_id, size, ends_at } = load;
  const started = performance.now();
  const note = (text: string) => progress(`loading ${size.name}: ${text}`);
  const all = { ...load, progress: note };
  await client.query('create schema bench');
  await client.query('create extension pgcrypto schema bench');
  await client.query('create extension pg_prewarm schema bench');
  await makePeopleFunctions(client, size);
  note('bursts');
  await makeBursts(all);
  await withoutIndexes(client, FILLED, note, async () => {
    await insertPeople(all, material);
    await insertTouchpoints(all);
    note('conversions');
    await insertConversions(all);
    await insertAdjustments(all);
    await insertMoney(all);
  });
  note('threads');
  await insertThreads(all);
  await client.query('drop table bench.bursts');
  note('vacuum');
  await client.query('vacuum analyze');
  await client.query(
    'create table bench.loaded (workspace_id uuid, size jsonb, ends_at timestamptz, load_seconds float8)',
  );
  const load_seconds = (performance.now() - started) / 1000;
  await client.query('insert into bench.loaded values ($1, $2, $3, $4)', [
    workspace_id,
    size,
    ends_at,
    load_seconds,
  ]);
}

/** The workspace of a database that `loadWorkspace` filled, maybe in an earlier run. */
export async function loadedWorkspace(client: pg.Client): Promise<LoadedWorkspace> {
  const { rows } = await client.query<LoadedWorkspace>('select * from bench.loaded');
  const [loaded] = rows;
  if (!loaded) throw new Error('the workspace was not loaded to its end');
  return loaded;
}
