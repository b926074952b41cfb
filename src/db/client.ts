import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';
import { type Clock, type RetryRules, SYSTEM_CLOCK, withRetries } from './retry.ts';
import { meaningOf } from './sqlstate.ts';

/** A row as the driver gives it: JSON parsed, `numeric` as text, `timestamptz` as Date. */
export type Row = Record<string, unknown>;

/** One statement for each type of rows. */
export type Statements<T extends readonly object[]> = { [I in keyof T]: SQL };

/** The rows of each of these statements, in order. */
export type RowsOf<T extends readonly object[]> = { [I in keyof T]: T[I][] };

/**
 * What one request asked of the database. `calls` counts each attempt, `duration_ms` is the wall time of all of them,
 * network included.
 */
export interface DatabaseUse {
  calls: number;
  duration_ms: number;
}

/** Whose rows a transaction sees and may write, and the role of the migrations that holds it to them. */
type Reach =
  | { role: 'throughline_app'; workspace_id: string }
  | { role: 'throughline_lookup' | 'throughline_upkeep' };

/**
 * The one seam to Postgres. Each function is one round trip, and one transaction under the role of its reach; where no answer comes, or one that asks for it, the same
 * statements are sent again. So whatever is asked by the first three must be the same done twice: reads are, and writes
 * whose ids are made before.
 */
export interface Database {
  /** One statement. */
  query<R extends object = Row>(statement: SQL): Promise<R[]>;
  /** Several statements in one transaction: all of them happen, or none. Rows of each, in order. */
  atomic<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
  /** The same for statements that read much, under the settings that suit them. @throws ReportTooSlow */
  report<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
  /**
   * `atomic` for what may not be done twice, or would be answered wrongly the second time, as what makes keys and what
   * deletes. Sent again only if it was certainly not done.
   */
  once<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
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
 * a merge, where a hash need not sort.
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

/** A report's statements ran for as long as a report may, and were cancelled. */
export class ReportTooSlow extends Error {
  override name = 'ReportTooSlow';
}

/** The driver's message may hold a connection string and the statement's parameters: neither goes on. */
function databaseError(error: unknown): DatabaseRefusal | DatabaseUnreachable {
  const sqlstate = error instanceof NeonDbError ? error.code : undefined;
  const meaning = meaningOf(sqlstate);
  const isRefusal = meaning === 'data' || meaning === 'refused';
  return sqlstate && isRefusal ? new DatabaseRefusal(sqlstate) : new DatabaseUnreachable(sqlstate);
}

/** How a transaction is tried. */
interface CallRules extends Omit<RetryRules, 'deadline_at_ms'> {
  /** What is said before its statements, after its role and its workspace. */
  settings: SQL[];
}

/** What is the same done twice is sent again if nobody knows whether it was done. */
const INTERACTIVE: CallRules = {
  attempt_timeout_ms: ATTEMPT_TIMEOUT_MS,
  settings: [],
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) !== 'too_slow',
};
const REPORT: CallRules = {
  ...INTERACTIVE,
  attempt_timeout_ms: REPORT_TIMEOUT_MS,
  settings: [REPORT_SETTINGS],
};
/** Anything else only if it is certain that it was not. */
const ONCE: CallRules = {
  ...INTERACTIVE,
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'again',
};

/** As `PgDialect` of drizzle-orm writes it, which would bring every kind of column along. */
const POSTGRES = {
  casing: new CasingCache(),
  escapeName: (name: string) => `"${name.replaceAll('"', '""')}"`,
  escapeParam: (index: number) => `$${index + 1}`,
  escapeString: (text: string) => `'${text.replaceAll("'", "''")}'`,
};

const cloudEndpoint = neonConfig.fetchEndpoint;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

// A local stand-in listens without TLS on the port of the connection string.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`;
  return typeof cloudEndpoint === 'function' ? cloudEndpoint(host, port, options) : cloudEndpoint;
};

/** A database before it is known whose rows are asked for. */
export interface Databases {
  /** Of all that was opened here. */
  readonly use: DatabaseUse;
  /** The second lock: statements see no row of another workspace, whatever they say. */
  inWorkspace(id: string): Database;
  /** Finds the workspace of a key, and lists workspaces; sees nothing else. */
  lookup(): Database;
  /** Deletes what is past its days in all workspaces; for the hourly trigger, which nobody asks anything. */
  upkeep(): Database;
}

/** A statement ends itself before its caller stops to wait for it, or it would run on for nobody. */
const ENDS_EARLIER_MS = 500;

/** The first statement of each transaction; what it sets ends with the transaction. */
export function underReach(reach: Reach, attempt_timeout_ms: number): SQL {
  const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
  return sql`select set_config('role', ${reach.role}, true), set_config('throughline.workspace_id', ${workspaceId}, true),
    set_config('statement_timeout', ${String(attempt_timeout_ms - ENDS_EARLIER_MS)}, true)`;
}

/** Raises `UNSAFE_ROLE` where the role in force would see more than its reach. */
export const REFUSE_UNSAFE_ROLE = sql`select refuse_unsafe_role()`;

/** SQLSTATE of our own: see `migrations/functions/refuse_unsafe_role.sql`. */
export const UNSAFE_ROLE = 'TL002';

/** Databases, by role and connection string, whose roles were found safe since the isolate began. */
const known = new Set<string>();

/**
 * @param connectionString `postgres://…`, a Neon database or the local stand-in
 * @param deadline_ms from now on, for all calls together
 */
export function openDatabases(
  connectionString: string,
  deadline_ms: number = REQUEST_DEADLINE_MS,
  clock: Clock = SYSTEM_CLOCK,
): Databases {
  const driver = neon(connectionString);
  const use: DatabaseUse = { calls: 0, duration_ms: 0 };
  const deadline_at_ms = clock.nowMs() + deadline_ms;
  const attempt = async (queries: ReturnType<typeof compile>[], signal: AbortSignal) => {
    const started = performance.now();
    use.calls += 1;
    try {
      const sent = queries.map(({ sql: text, params }) => driver.query(text, params));
      return await driver.transaction<false, false>(sent, { fetchOptions: { signal } });
    } catch (error) {
      throw databaseError(error);
    } finally {
      use.duration_ms += performance.now() - started;
    }
  };
  const transact = async <T extends object[]>(
    reach: Reach,
    statements: Statements<T>,
    rules: CallRules,
  ): Promise<RowsOf<T>> => {
    const name = `${reach.role} ${connectionString}`;
    const checks = known.has(name) ? [] : [REFUSE_UNSAFE_ROLE];
    const before = [underReach(reach, rules.attempt_timeout_ms), ...checks, ...rules.settings];
    // Compiled once: what is sent again is the same to the letter.
    const queries = [...before, ...statements].map(compile);
    const rows = await withRetries((signal) => attempt(queries, signal), { ...rules, deadline_at_ms }, clock);
    known.add(name);
    // What a statement returns is the caller's word: nothing here reads its SQL.
    return rows.slice(before.length) as RowsOf<T>;
  };
  const under = (reach: Reach): Database => ({
    query: async <R extends object>(statement: SQL) =>
      (await transact<[R]>(reach, [statement], INTERACTIVE))[0],
    atomic: (statements) => transact(reach, statements, INTERACTIVE),
    report: async <T extends object[]>(statements: NoInfer<Statements<T>>) => {
      try {
        return await transact<T>(reach, statements, REPORT);
      } catch (error) {
        const isTooSlow = error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'too_slow';
        throw isTooSlow ? new ReportTooSlow('a report was cancelled by its statement time-out') : error;
      }
    },
    once: (statements) => transact(reach, statements, ONCE),
  });
  return {
    use,
    inWorkspace: (workspace_id) => under({ role: 'throughline_app', workspace_id }),
    lookup: () => under({ role: 'throughline_lookup' }),
    upkeep: () => under({ role: 'throughline_upkeep' }),
  };
}

function compile(statement: SQL) {
  return statement.toQuery(POSTGRES);
}
