import { settleWaitingAdjustments } from './conversions/adjustment-sql.ts';
import { type Database, type Databases, openDatabases } from './db/client.ts';
import type { Config } from './http/config.ts';
import { type PendingWorkspace, pendingWorkspaces, settlePendingLinks } from './people/pending-links-sql.ts';
import { purgeRejections } from './rejections/rejection-sql.ts';
import { checkCredit } from './stats/kept/check-credit.ts';
import { type Settler, settlerOf, waitForOthers } from './stats/kept/settle-credit.ts';
import { keepingWorkspaces } from './stats/kept/settle-credit-sql.ts';
import { dropStaleMonths, type KeepingWorkspace } from './stats/kept/settle-months-sql.ts';
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

/** The deadline of a run. Cloudflare allows an hourly trigger 15 minutes. */
const RUN_DEADLINE_MS = 14 * 60 * 1000;

/** No step begins later, so that the last one has time for its retries. */
const LAST_STEP_MS = RUN_DEADLINE_MS - 60 * 1000;

/** Each deletes or settles a kind of row that is past its time, at most so many. */
const PURGES = [
  purgeRejections,
  settleWaitingAdjustments,
  purgeConversions,
  purgeTouchpoints,
  purgeReplacedItems,
  purgeKeyUsage,
];

/** Link facts that one step of settling looks at, under the lock that other requests of the workspace wait for. */
const STEP_FACTS = 1000;

/** One bounded step of a kind of work; true if more is left. */
export type Step = () => Promise<boolean>;

/**
 * Deletes expired rows, removes values of identities where plain storage was turned off, and settles what waits, in
 * bounded steps, when the hourly trigger fires. The kinds of work take turns until all is done, or until the time is
 * over; the next run does the rest. Two runs at once are safe.
 * @param stepRows the most rows of a step
 * @param settlingMs the time for sums of credit: no step of theirs begins later
 */
export async function runSchedule(
  config: Config,
  stepRows = STEP_ROWS,
  settlingMs = LAST_STEP_MS,
): Promise<void> {
  const databases = openDatabases(config.database_url, RUN_DEADLINE_MS);
  const database = databases.upkeep();
  const steps: Step[] = PURGES.map((purge) => async () => {
    const gone = await database.query(purge(stepRows));
    return gone.length === stepRows;
  });
  await takeTurns(
    [...steps, clearing(database, stepRows), settlingLinks(databases), settlingCredit(databases, settlingMs)],
    LAST_STEP_MS,
  );
}

/**
 * Does a step of each kind in turn until nothing is left of any. A kind that fails ends, and the others go on.
 * @param duration_ms no step begins later
 * @throws the first error, when the others are done
 */
export async function takeTurns(steps: readonly Step[], duration_ms: number): Promise<void> {
  const started = performance.now();
  const failures: unknown[] = [];
  const isOver = () => performance.now() - started >= duration_ms;
  let left = steps;
  while (left.length > 0 && !isOver()) {
    const open: Step[] = [];
    for (const step of left) {
      if (isOver()) break;
      try {
        if (await step()) open.push(step);
      } catch (error) {
        failures.push(error);
      }
    }
    left = open;
  }
  if (failures.length > 0) throw failures[0];
}

/** A day is settled at most so often. */
const MIN_AGE_SECONDS = 50;

/** Days of a workspace whose sums a run compares with the definition. */
const CHECKED_DAYS = 3;

/**
 * Settles the sums of credit of all workspaces that keep some, which take turns, and then compares a few of them with the
 * definition. A workspace that fails does not keep the others waiting.
 */
function settlingCredit(databases: Databases, duration_ms: number): Step {
  const started = performance.now();
  let waiting: { id: string; database: Database; settler: Settler }[] | null = null;
  const failures: unknown[] = [];
  return async () => {
    waiting ??= await keepingCredit(databases);
    const workspace = waiting.shift();
    if (!workspace || performance.now() - started >= duration_ms) return false;
    try {
      if (await workspace.settler.step()) waiting.push(workspace);
      else await checkCredit(workspace.database, workspace.id, CHECKED_DAYS);
    } catch (error) {
      failures.push(error);
    }
    if (waiting.length === 0 && failures.length > 0) throw failures[0];
    if (waiting.length > 0 && waiting.every(({ settler }) => settler.isWaiting())) await waitForOthers();
    return waiting.length > 0;
  };
}

async function keepingCredit(databases: Databases) {
  const keeping = await databases.upkeep().query<KeepingWorkspace>(keepingWorkspaces());
  const rules = { question_id: null, min_age_seconds: MIN_AGE_SECONDS };
  return keeping.map((workspace) => {
    const database = databases.inWorkspace(workspace.id);
    const settler = settlerOf(database, workspace.id, rules);
    let isFirst = true;
    const step = async () => {
      if (isFirst) await database.query(dropStaleMonths(workspace));
      isFirst = false;
      return settler.step();
    };
    return { id: workspace.id, database, settler: { ...settler, step } };
  });
}

function clearing(database: Database, stepRows: number): Step {
  return async () => {
    const [cleared] = await database.query<{ rows: number }>(clearPlainValues(stepRows));
    return (cleared?.rows ?? 0) === stepRows;
  };
}

/** Workspaces take turns, so that one with a million links does not keep the others waiting. */
function settlingLinks(databases: Databases): Step {
  let waiting: PendingWorkspace[] | null = null;
  return async () => {
    waiting ??= await databases.upkeep().query<PendingWorkspace>(pendingWorkspaces());
    const workspace = waiting.shift();
    if (!workspace) return false;
    const { workspace_id } = workspace;
    const [[row]] = await databases
      .inWorkspace(workspace_id)
      .atomic<[{ is_left: boolean }]>([settlePendingLinks(workspace_id, STEP_FACTS)]);
    if (row?.is_left) waiting.push(workspace);
    return waiting.length > 0;
  };
}
