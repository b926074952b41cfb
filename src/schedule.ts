import { type Database, type Databases, openDatabases } from './db/client.ts';
import type { Config } from './http/config.ts';
import { type PendingWorkspace, pendingWorkspaces, settlePendingLinks } from './people/pending-links-sql.ts';
import { purgeRejections } from './rejections/rejection-sql.ts';
import { clearPlainValues } from './workspaces/plain-values-sql.ts';
import {
  purgeConversions,
  purgeKeyUsage,
  purgeReplacedItems,
  purgeTouchpoints,
} from './workspaces/retention-sql.ts';

/**
 * The most rows that one statement deletes. It fits any statement time-out, so an interrupted
 * run loses nothing.
 */
const STEP_ROWS = 5000;

/** The most statements per kind of row in one run; the rest is deleted in the next hour. */
const MAX_STEPS = 20;

/** The same for values of identities, of which a workspace may have a million. */
const MAX_CLEARING_STEPS = 200;

/** The deadline of a run. Cloudflare allows an hourly trigger 15 minutes. */
const RUN_DEADLINE_MS = 14 * 60 * 1000;

/** Each deletes a kind of expired row, at most so many. */
const PURGES = [purgeRejections, purgeConversions, purgeTouchpoints, purgeReplacedItems, purgeKeyUsage];

/** Link facts that one step of settling looks at, under the lock that other requests of the workspace wait for. */
const STEP_FACTS = 1000;

/** The most steps of settling in one run, of all workspaces together. */
const MAX_SETTLING_STEPS = 500;

/**
 * Deletes expired rows, removes values of identities where plain storage was turned off, and settles links that wait, in
 * bounded steps, when the hourly trigger fires. Two runs at once are safe.
 */
export async function runSchedule(config: Config): Promise<void> {
  const databases = openDatabases(config.database_url, RUN_DEADLINE_MS);
  const database = databases.upkeep();
  for (const purge of PURGES) {
    for (let step = 0; step < MAX_STEPS; step++) {
      const gone = await database.query(purge(STEP_ROWS));
      if (gone.length < STEP_ROWS) break;
    }
  }
  await clearValues(database);
  await settleLinks(databases);
}

async function clearValues(database: Database): Promise<void> {
  for (let step = 0; step < MAX_CLEARING_STEPS; step++) {
    const [cleared] = await database.query<{ rows: number }>(clearPlainValues(STEP_ROWS));
    if ((cleared?.rows ?? 0) < STEP_ROWS) break;
  }
}

/** Workspaces take turns, so that one with a million links does not keep the others waiting. */
async function settleLinks(databases: Databases): Promise<void> {
  let waiting = await databases.upkeep().query<PendingWorkspace>(pendingWorkspaces());
  for (let step = 0; step < MAX_SETTLING_STEPS && waiting.length > 0; ) {
    const left: PendingWorkspace[] = [];
    for (const workspace of waiting) {
      const [[row]] = await databases
        .inWorkspace(workspace.workspace_id)
        .atomic<[{ is_left: boolean }]>([settlePendingLinks(workspace.workspace_id, STEP_FACTS)]);
      step += 1;
      if (row?.is_left) left.push(workspace);
    }
    waiting = left;
  }
}
