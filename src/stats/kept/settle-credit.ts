import { type Database, DatabaseUnreachable } from '../../db/client.ts';
import { REPORT_SETTINGS } from '../../db/report-call.ts';
import { meaningOf } from '../../db/sqlstate.ts';
import type { ChosenSums } from './chosen-sums.ts';
import { beginSettling, endSettling, type SettlingRules } from './settle-credit-sql.ts';
import { settleDays } from './settle-days-sql.ts';

/** Days that the first step computes. Later steps compute more or fewer, by the time that the one before took. */
const FIRST_DAYS = 8;
const MAX_DAYS = 366;
const QUICK_STEP_MS = 300;
const SLOW_STEP_MS = 2000;

/** A mark is taken into account two horizons later, so this many steps in a row without work mean that none is left. */
const IDLE_STEPS = 3;

/** While an earlier transaction runs, the next step follows after this time. */
const WAIT_MS = 100;

/** Steps that may find such a transaction, one after the other, until the rest is left to the next run. */
const MAX_WAITS = 50;

/** The answer of `end_settling_credit`. */
interface StepAnswer extends Partial<ChosenSums> {
  status: 'none' | 'busy' | 'foreign' | 'new' | 'waiting' | 'ready';
  is_left: boolean;
}

/** Settles the sums of one workspace, step by step. */
export interface Settler {
  /** One transaction. True if more is left. */
  step(): Promise<boolean>;
  /** Has the last step found a transaction that it has to wait for? */
  isWaiting(): boolean;
}

/** For a caller with nothing else to do while an earlier transaction runs. */
export const waitForOthers = () => new Promise((resolve) => setTimeout(resolve, WAIT_MS));

/**
 * Each step of the settler computes the sums that the one before chose.
 * @param database sees the workspace
 */
export function settlerOf(database: Database, workspaceId: string, rules: SettlingRules): Settler {
  let chosen: ChosenSums | null = null;
  let days = FIRST_DAYS;
  let idle = 0;
  let waits = 0;
  const attempt = async (): Promise<StepAnswer> => {
    const work = chosen === null ? [] : settleDays(workspaceId, chosen);
    const rows = await database.atomic([
      REPORT_SETTINGS,
      beginSettling(workspaceId),
      ...work,
      endSettling(workspaceId, rules, days),
    ]);
    return (rows.at(-1) as [{ answer: StepAnswer }])[0].answer;
  };
  const step = async (): Promise<boolean> => {
    const started = performance.now();
    let answer: StepAnswer;
    try {
      answer = await attempt();
    } catch (error) {
      const isTooSlow = error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'too_slow';
      if (!isTooSlow || days === 1) throw error;
      // Fewer days fit into the time-out.
      chosen = null;
      days = 1;
      return true;
    }
    if (answer.status === 'none' || answer.status === 'busy') return false;
    if (answer.status === 'waiting') {
      waits += 1;
      return waits < MAX_WAITS;
    }
    waits = 0;
    if (chosen !== null) days = nextDays(days, performance.now() - started);
    chosen = sumsOf(answer);
    idle = chosen === null && answer.status === 'ready' && !answer.is_left ? idle + 1 : 0;
    return idle < IDLE_STEPS;
  };
  return { step, isWaiting: () => waits > 0 };
}

function sumsOf({ question_id, question, currency, first_day, last_day }: StepAnswer): ChosenSums | null {
  if (!question_id || !question || !currency || !first_day || !last_day) return null;
  return { question_id, question, currency, first_day, last_day };
}

function nextDays(days: number, took_ms: number): number {
  if (took_ms < QUICK_STEP_MS) return Math.min(days * 2, MAX_DAYS);
  return took_ms > SLOW_STEP_MS ? Math.max(Math.floor(days / 2), 1) : days;
}

/** Settles until nothing is left, or the time is over; no step begins later. */
export async function settleCredit(
  database: Database,
  workspaceId: string,
  rules: SettlingRules,
  duration_ms: number,
): Promise<void> {
  const settler = settlerOf(database, workspaceId, rules);
  const started = performance.now();
  while (await settler.step()) {
    if (settler.isWaiting()) await waitForOthers();
    if (performance.now() - started >= duration_ms) return;
  }
}
