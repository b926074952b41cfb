import { openDatabases } from './db/client.ts';
import type { Config } from './http/config.ts';
import { purgeRejections } from './rejections/rejection-sql.ts';
import { purgeConversions, purgeTouchpoints } from './workspaces/retention-sql.ts';

/** Rows of one statement: short enough for any statement time-out, so that a cut-off run has lost nothing. */
const STEP_ROWS = 5000;

/** Of one run; what is left goes in the next hour. */
const MAX_STEPS = 20;

/** Cloudflare lets a run of an hourly trigger take 15 minutes. */
const RUN_DEADLINE_MS = 14 * 60 * 1000;

/** What the hourly trigger does: what is past its days goes, in bounded steps. Safe to run twice at once. */
export async function runSchedule(config: Config): Promise<void> {
  const database = openDatabases(config.database_url, RUN_DEADLINE_MS).upkeep();
  for (const purge of [purgeRejections, purgeConversions, purgeTouchpoints]) {
    for (let step = 0; step < MAX_STEPS; step++) {
      const gone = await database.query(purge(STEP_ROWS));
      if (gone.length < STEP_ROWS) break;
    }
  }
}
