import { openDatabases } from './db/client.ts';
import type { Config } from './http/config.ts';
import { purgeRejections } from './rejections/rejection-sql.ts';
import { purgeConversions, purgeTouchpoints } from './workspaces/retention-sql.ts';

/**
 * The most rows that one statement deletes. It fits any statement time-out, so an interrupted
 * run loses nothing.
 */
const STEP_ROWS = 5000;

/** The most statements per kind of row in one run; the rest is deleted in the next hour. */
const MAX_STEPS = 20;

/** The deadline of a run. Cloudflare allows an hourly trigger 15 minutes. */
const RUN_DEADLINE_MS = 14 * 60 * 1000;

/** Deletes expired rows, in bounded steps, when the hourly trigger fires. Two runs at once are safe. */
export async function runSchedule(config: Config): Promise<void> {
  const database = openDatabases(config.database_url, RUN_DEADLINE_MS).upkeep();
  for (const purge of [purgeRejections, purgeConversions, purgeTouchpoints]) {
    for (let step = 0; step < MAX_STEPS; step++) {
      const gone = await database.query(purge(STEP_ROWS));
      if (gone.length < STEP_ROWS) break;
    }
  }
}
