import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { type Clock, type RetryRules, SYSTEM_CLOCK, withRetries } from './retry.ts';
import { meaningOf } from './sqlstate.ts';

/** A row as the driver gives it: JSON parsed, `numeric` as text, `timestamptz` as Date. */
export type Row = Record<string, unknown>;

/**
 * What one request asked of the database. `calls` counts each attempt, `duration_ms` is the wall time of all of them,
 * network included.
 */
export interface DatabaseUse {
  calls: number;
  duration_ms: number;
}

/**
 * The one seam to Postgres. Each function is one round trip; where no answer comes, or one that asks for it, the same
 * statements are sent again. So whatever is asked by the first three must be the same done twice: reads are, and writes
 * whose ids are made before.
 */
export interface Database {
  readonly use: DatabaseUse;
  /** One statement. */
  query<R extends Row = Row>(statement: SQL): Promise<R[]>;
  /** Several statements in one transaction: all of them happen, or none. Rows of each, in order. */
  atomic(statements: SQL[]): Promise<Row[][]>;
  /** The same for statements that read much, under the settings that suit them. */
  report(statements: SQL[]): Promise<Row[][]>;
  /**
   * `atomic` for what may not be done twice, or would be answered wrongly the second time, as what makes keys and what
   * deletes. Sent again only if it was certainly not done.
   */
  once(statements: SQL[]): Promise<Row[][]>;
}

/** One attempt, a report's, and all calls of a request together: senders give up on an answer after half a minute. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
export const REPORT_TIMEOUT_MS = 28_000;
export const REQUEST_DEADLINE_MS = 30_000;

/**
 * For statements that read much. A sort that spills to disk takes twice as long, and compiling a statement of many
 * steps takes longer than running it.
 */
export const REPORT_SETTINGS = sql`select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`;

/**
 * For statements that join their own steps, sent before them. The sizes of steps are not known beforehand: the planner
 * expects few rows and joins by a nested loop, which over two steps of 100,000 rows never ends, or sorts both sides for
 * a merge, which takes twice as long as a hash.
 */
export const HASH_JOINS = sql`select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)`;

/** Postgres answered, and refused. `sqlstate` is its five-character code. Holds no text of the driver. */
export class DatabaseRefusal extends Error {
  override name = 'DatabaseRefusal';
  readonly sqlstate: string;
  constructor(sqlstate: string) {
    super(`the database refused with SQLSTATE ${sqlstate}`);
    this.sqlstate = sqlstate;
  }
  /** Is it a value of the data that is refused, and not the statement? */
  get isOfData(): boolean {
    return meaningOf(this.sqlstate) === 'data';
  }
}

/** No answer that could be read, or one that says to come back: whether the statement took effect may be unknown. */
export class DatabaseUnreachable extends Error {
  override name = 'DatabaseUnreachable';
  /** Where the database said why. */
  readonly sqlstate: string | undefined;
  constructor(sqlstate?: string) {
    super('the database did not answer');
    this.sqlstate = sqlstate;
  }
}

/** The driver's message may hold a connection string and the statement's parameters: neither goes on. */
function databaseError(error: unknown): DatabaseRefusal | DatabaseUnreachable {
  const sqlstate = error instanceof NeonDbError ? error.code : undefined;
  const meaning = meaningOf(sqlstate);
  const isRefusal = meaning === 'data' || meaning === 'refused';
  return sqlstate && isRefusal ? new DatabaseRefusal(sqlstate) : new DatabaseUnreachable(sqlstate);
}

type CallRules = Omit<RetryRules, 'deadline_at_ms'>;

/** What is the same done twice is sent again if nobody knows whether it was done. */
const INTERACTIVE: CallRules = {
  attempt_timeout_ms: ATTEMPT_TIMEOUT_MS,
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) !== 'too_slow',
};
const REPORT: CallRules = { ...INTERACTIVE, attempt_timeout_ms: REPORT_TIMEOUT_MS };
/** Anything else only if it is certain that it was not. */
const ONCE: CallRules = {
  ...INTERACTIVE,
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'again',
};

const dialect = new PgDialect();
const cloudEndpoint = neonConfig.fetchEndpoint;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

// A local stand-in listens without TLS on the port of the connection string.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`;
  return typeof cloudEndpoint === 'function' ? cloudEndpoint(host, port, options) : cloudEndpoint;
};

/**
 * @param connectionString `postgres://…`, a Neon database or the local stand-in
 * @param deadline_ms from now on, for all calls together
 */
export function openDatabase(
  connectionString: string,
  deadline_ms: number = REQUEST_DEADLINE_MS,
  clock: Clock = SYSTEM_CLOCK,
): Database {
  const driver = neon(connectionString);
  const use: DatabaseUse = { calls: 0, duration_ms: 0 };
  const deadline_at_ms = clock.nowMs() + deadline_ms;
  const attempt = async <T>(ask: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    use.calls += 1;
    try {
      return await ask();
    } catch (error) {
      throw databaseError(error);
    } finally {
      use.duration_ms += performance.now() - started;
    }
  };
  const repeat = <T>(ask: (signal: AbortSignal) => Promise<T>, rules: CallRules) =>
    withRetries((signal) => attempt(() => ask(signal)), { ...rules, deadline_at_ms }, clock);
  const transact = (statements: SQL[], rules: CallRules) => {
    // Compiled once: what is sent again is the same to the letter.
    const queries = statements.map((statement) => dialect.sqlToQuery(statement));
    const ask = (signal: AbortSignal) =>
      driver.transaction(
        queries.map(({ sql, params }) => driver.query(sql, params)),
        { fetchOptions: { signal } },
      );
    return repeat(ask, rules) as Promise<Row[][]>;
  };
  return {
    use,
    query: <R extends Row>(statement: SQL) => {
      const { sql, params } = dialect.sqlToQuery(statement);
      const ask = (signal: AbortSignal) => driver.query(sql, params, { fetchOptions: { signal } });
      return repeat(ask, INTERACTIVE) as Promise<R[]>;
    },
    atomic: (statements) => transact(statements, INTERACTIVE),
    report: async (statements) => (await transact([REPORT_SETTINGS, ...statements], REPORT)).slice(1),
    once: (statements) => transact(statements, ONCE),
  };
}
