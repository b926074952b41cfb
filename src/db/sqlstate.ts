/**
 * What an error of the database says of the work that met it:
 * - `again`: it was not done, and may be done a moment later; anything is tried again.
 * - `unknown`: it may have been done; only what can be repeated is tried again.
 * - `too_slow`: it was not done, and would take as long again.
 * - `data`: it was not done, because of a value in it; of a batch, the item with that value is found and refused.
 * - `refused`: it was not done, and the statement itself is wrong: a fault of ours.
 */
export type SqlstateMeaning = 'again' | 'unknown' | 'too_slow' | 'data' | 'refused';

/**
 * By SQLSTATE, or by its class, the first two characters; the longer entry counts. What is not here is `refused`.
 * Source: appendix A of the PostgreSQL manual.
 */
export const SQLSTATE_MEANINGS: Readonly<Record<string, SqlstateMeaning>> = {
  // Connection exceptions: lost on the way, perhaps after the commit.
  '08': 'unknown',
  // Data exceptions: 22003 numbers, 22007 and 22008 dates, 22021 and 22P05 characters, 22001 lengths.
  '22': 'data',
  '23514': 'data', // check_violation
  '25006': 'again', // read_only_sql_transaction: another server is about to take over
  // Rolled back for the sake of other transactions: 40001 serialization_failure, 40P01 deadlock_detected.
  '40': 'again',
  '40003': 'unknown', // statement_completion_unknown
  // No room for one more: 53300 too_many_connections, 53200 out_of_memory, 53100 disk_full.
  '53': 'again',
  '54000': 'data', // program_limit_exceeded: a value too long for its index
  '55P03': 'again', // lock_not_available
  '57014': 'too_slow', // query_canceled, by statement_timeout
  '57P01': 'unknown', // admin_shutdown: told to a session at whatever point it was
  '57P02': 'unknown', // crash_shutdown
  '57P03': 'again', // cannot_connect_now: it is starting up
  '57P05': 'unknown', // idle_session_timeout
  // Errors of the system beneath, as of its disks, which the commit may meet too.
  '58': 'unknown',
};

/** Five characters, or nothing where the driver told none: then nobody knows. */
export function meaningOf(sqlstate: string | undefined): SqlstateMeaning {
  if (sqlstate === undefined) return 'unknown';
  return SQLSTATE_MEANINGS[sqlstate] ?? SQLSTATE_MEANINGS[sqlstate.slice(0, 2)] ?? 'refused';
}
