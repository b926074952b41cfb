import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { tenant } from '../db/tenant.ts';
import { runningFirst } from './beforehand.ts';
import type { Caller } from './caller.ts';

const MAX_KEYS = 10_000;

/** The last day on which this isolate recorded the use of each key. */
const noted = new Map<string, string>();

/**
 * The database of a request. Its first `query`, `atomic` or `report` also records that the key was used today, in the
 * same round trip and at most once a day. A row that another request has locked for this is skipped, so that nobody
 * waits.
 */
export function notingUse(
  database: Database,
  { key_id, workspace, last_used_on }: Caller,
  now: Date,
): Database {
  const day = now.toISOString().slice(0, 10);
  const name = `${workspace.id} ${key_id}`;
  if (last_used_on === day || noted.get(name) === day) return database;
  const note = sql`
    update keys set last_used_on = ${day}::date
    where (workspace_id, id) in (
      select workspace_id, id
      from keys
      where workspace_id = ${tenant(workspace.id)} and id = ${key_id} and (last_used_on is null or last_used_on < ${day}::date)
      for update skip locked
    )`;
  return runningFirst(database, note, {
    isDone: () => noted.get(name) === day,
    done: () => {
      if (noted.size >= MAX_KEYS) noted.clear();
      noted.set(name, day);
    },
  });
}
