import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';

/** A row as the driver gives it: JSON parsed, `numeric` as text, `timestamptz` as Date. */
export type Row = Record<string, unknown>;

/** What one request asked of the database. `duration_ms` is the wall time of the calls, network included. */
export interface DatabaseUse {
  calls: number;
  duration_ms: number;
}

/** The one seam to Postgres. Each function is one round trip. */
export interface Database {
  readonly use: DatabaseUse;
  /** One statement. */
  query<R extends Row = Row>(statement: SQL): Promise<R[]>;
  /** Several statements in one transaction: all of them happen, or none. Rows of each, in order. */
  atomic(statements: SQL[]): Promise<Row[][]>;
  /** The same for statements that read much, under the settings that suit them. */
  report(statements: SQL[]): Promise<Row[][]>;
}

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
}

/** No answer that could be read: whether the statement took effect is unknown. */
export class DatabaseUnreachable extends Error {
  override name = 'DatabaseUnreachable';
  constructor() {
    super('the database did not answer');
  }
}

const dialect = new PgDialect();
const cloudEndpoint = neonConfig.fetchEndpoint;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

// A local stand-in listens without TLS on the port of the connection string.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`;
  return typeof cloudEndpoint === 'function' ? cloudEndpoint(host, port, options) : cloudEndpoint;
};

/** @param connectionString `postgres://…`, a Neon database or the local stand-in */
export function openDatabase(connectionString: string): Database {
  const driver = neon(connectionString);
  const use: DatabaseUse = { calls: 0, duration_ms: 0 };
  const compile = (statement: SQL) => {
    const { sql, params } = dialect.sqlToQuery(statement);
    return driver.query(sql, params);
  };
  const call = async <T>(ask: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    use.calls += 1;
    try {
      return await ask();
    } catch (error) {
      // The driver's message may hold a connection string and the statement's parameters: neither goes on.
      if (error instanceof NeonDbError && error.code) throw new DatabaseRefusal(error.code);
      throw new DatabaseUnreachable();
    } finally {
      use.duration_ms += performance.now() - started;
    }
  };
  const atomic = (statements: SQL[]) =>
    call(() => driver.transaction(statements.map(compile))) as Promise<Row[][]>;
  return {
    use,
    query: <R extends Row>(statement: SQL) => call(() => compile(statement)) as Promise<R[]>,
    atomic,
    report: async (statements) => (await atomic([REPORT_SETTINGS, ...statements])).slice(1),
  };
}
