import { type SQL, sql } from 'drizzle-orm';
import { meaningOf } from './sqlstate.ts';

/** The bounds of a report: its time, how many run at a time, and how soon one that was too slow may run again. */

/** Time-outs of a report, and of one that a read token requests: a page does not wait as long. */
export const REPORT_TIMEOUT_MS = 28_000;
export const TOKEN_REPORT_TIMEOUT_MS = 10_000;

/** Reports of one workspace at a time, in all isolates together. Further ones wait a moment for a slot. */
export const REPORT_SLOTS = 4;

/**
 * Settings for statements that read much. A sort that spills to disk takes twice as long, and compiling a
 * statement of many steps takes longer than running it.
 */
export const REPORT_SETTINGS = sql`select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`;

/** The request that a report is for. */
export interface ReportRequest {
  /** SHA-256 in hex of everything that the request asks. */
  question: string;
  timeout_ms: number;
  /** Fires when the caller has gone. The statements are then cancelled. */
  signal: AbortSignal;
}

/** A report without a request, as tests and benchmarks run it. */
export const NO_REQUEST: ReportRequest = {
  question: '',
  timeout_ms: REPORT_TIMEOUT_MS,
  signal: new AbortController().signal,
};

/** The statements of a report exceeded its time-out and were cancelled, now or less than a minute ago. */
export class ReportTooSlow extends Error {
  override name = 'ReportTooSlow';
  /** False: it happened less than a minute ago, and they were not sent again. */
  readonly ran: boolean;
  readonly timeout_ms: number;
  constructor(ran: boolean, timeout_ms: number) {
    super('a report was cancelled by its statement time-out');
    this.ran = ran;
    this.timeout_ms = timeout_ms;
  }
}

/** All slots of the workspace are taken. */
export class TooManyReports extends Error {
  override name = 'TooManyReports';
}

/** SQLSTATEs of our own, see `migrations/functions/begin_report.sql`. */
const SLOW_REPORT = 'TL003';
const NO_SLOT = 'TL004';

/** The statements before those of a report, after the role and the workspace. */
export function reportSettings(workspaceId: string, { question }: ReportRequest): SQL[] {
  const begin = sql`select begin_report(${workspaceId}::uuid, decode(${question}, 'hex'), ${REPORT_SLOTS}::int)`;
  return [REPORT_SETTINGS, begin];
}

/**
 * Runs a report, and remembers one that ran out of time.
 * @param run sends the statements
 * @param remember sends one statement in a transaction of its own
 * @throws ReportTooSlow, TooManyReports, and what `run` throws
 */
export async function runReportCall<R>(
  workspaceId: string,
  { question, timeout_ms }: ReportRequest,
  run: () => Promise<R>,
  remember: (statement: SQL) => Promise<unknown>,
): Promise<R> {
  try {
    return await run();
  } catch (error) {
    const sqlstate = (error as { sqlstate?: string }).sqlstate;
    if (sqlstate === SLOW_REPORT) throw new ReportTooSlow(false, timeout_ms);
    if (sqlstate === NO_SLOT) throw new TooManyReports('all slots are taken');
    if (sqlstate === undefined || meaningOf(sqlstate) !== 'too_slow') throw error;
    // If it cannot be remembered, the same request runs out of time once more.
    await Promise.allSettled([remember(slowReport(workspaceId, question))]);
    throw new ReportTooSlow(true, timeout_ms);
  }
}

/** Remembers a request for a minute, and forgets those whose minute is over. */
function slowReport(workspaceId: string, question: string): SQL {
  return sql`
    with past as (
      delete from slow_reports s where s.workspace_id = (select ${workspaceId}::uuid) and s.until_at < now()
    )
    insert into slow_reports (workspace_id, question, until_at)
    values (${workspaceId}::uuid, decode(${question}, 'hex'), now() + interval '1 minute')
    on conflict (workspace_id, question) do update set until_at = excluded.until_at`;
}
