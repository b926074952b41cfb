/**
 * The consequence of a database error for the work that met it:
 * - `again`: not done, and may succeed a moment later. Everything is retried.
 * - `unknown`: possibly done. Only idempotent work is retried.
 * - `too_slow`: not done, and would take as long again.
 * - `data`: not done, because of a value in it. In a batch, the item with that value is found and rejected.
 * - `refused`: not done, because the statement itself is wrong: a defect of ours.
 */
export type SqlstateMeaning = 'again' | 'unknown' | 'too_slow' | 'data' | 'refused';

/**
 * The meaning of an error by its SQLSTATE, or by its class, the first two characters. The longer entry takes
 * precedence. Without an entry it is `refused`.
 * Source: appendix A of the PostgreSQL manual.
 */
export const SQLSTATE_MEANINGS: Readonly<Record<string, SqlstateMeaning>> = {
  // Connection exceptions: the connection was lost, perhaps after the commit.
  '08': 'unknown',
  // Data exceptions: 22003 numbers, 22007 and 22008 dates, 22021 and 22P05 characters, 22001 lengths.
  '22': 'data',
  '23514': 'data', // check_violation
  '25006': 'again', // read_only_sql_transaction: another server is about to take over
  // Rolled back because of other transactions: 40001 serialization_failure, 40P01 deadlock_detected.
  '40': 'again',
  '40003': 'unknown', // statement_completion_unknown
  // Insufficient resources: 53300 too_many_connections, 53200 out_of_memory, 53100 disk_full.
  '53': 'again',
  '54000': 'data', // program_limit_exceeded: a value too long for its index
  '55P03': 'again', // lock_not_available
  '57014': 'too_slow', // query_canceled, by statement_timeout
  '57P01': 'unknown', // admin_shutdown: may reach a session at any point of its work
  '57P02': 'unknown', // crash_shutdown
  '57P03': 'again', // cannot_connect_now: the server is starting up
  '57P05': 'unknown', // idle_session_timeout
  // System errors, such as those of disks, which the commit may meet too.
  '58': 'unknown',
};

/**
 * The meaning of an error.
 * @param sqlstate five characters; undefined if the driver gave none, and then the outcome is unknown
 */
export function meaningOf(sqlstate: string | undefined): SqlstateMeaning {
  if (sqlstate === undefined) return 'unknown';
  return SQLSTATE_MEANINGS[sqlstate] ?? SQLSTATE_MEANINGS[sqlstate.slice(0, 2)] ?? 'refused';
}
