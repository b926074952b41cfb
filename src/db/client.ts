import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';
import { type Clock, type RetryRules, SYSTEM_CLOCK, withRetries } from './retry.ts';
import { meaningOf } from './sqlstate.ts';

/** A row as the driver returns it: JSON parsed, `numeric` as text, `timestamptz` as Date. */
export type Row = Record<string, unknown>;

/** One statement for each type of rows. */
export type Statements<T extends readonly object[]> = { [I in keyof T]: SQL };

/** The rows of each of these statements, in order. */
export type RowsOf<T extends readonly object[]> = { [I in keyof T]: T[I][] };

/**
 * The database use of one request. `calls` counts every attempt; `duration_ms` is the wall time
 * of all of them, network included.
 */
export interface DatabaseUse {
  calls: number;
  duration_ms: number;
}

/** The rows that a transaction may see and write, and the database role that limits it to them. */
type Reach =
  | { role: 'throughline_app'; workspace_id: string }
  | { role: 'throughline_lookup' | 'throughline_upkeep' };

/**
 * The only way to Postgres. Each function is one round trip, and one transaction under the role of its reach.
 *
 * If no answer arrives, or the answer asks for a retry, the same statements are sent again.
 * Operations that are not idempotent therefore go through `once`. All reads are idempotent, and
 * so are writes whose ids are made before the call.
 */
export interface Database {
  /** One statement. */
  query<R extends object = Row>(statement: SQL): Promise<R[]>;
  /** Several statements in one transaction: all of them take effect, or none. Returns the rows of each, in order. */
  atomic<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
  /** Like `atomic`, for statements that read much, under settings that suit them. @throws ReportTooSlow */
  report<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
  /**
   * Like `atomic`, for operations that are not idempotent, or that would give a wrong answer the second time,
   * such as creating a key or deleting a row. Retries only if the statements certainly did not take effect.
   */
  once<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
}

/**
 * Time-outs of an attempt, of a report's attempt, and of all calls of a request. Senders give
 * up after half a minute.
 */
export const ATTEMPT_TIMEOUT_MS = 15_000;
export const REPORT_TIMEOUT_MS = 28_000;
/** Of a report that a read token asks for: a page does not wait longer. */
export const TOKEN_REPORT_TIMEOUT_MS = 10_000;
export const REQUEST_DEADLINE_MS = 30_000;

/**
 * Settings for statements that read much. A sort that spills to disk takes twice as long, and compiling a
 * statement of many steps takes longer than running it.
 */
export const REPORT_SETTINGS = sql`select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`;

/**
 * Settings for statements that join their own steps, sent before them. The planner does not know the sizes of
 * steps. It expects few rows and joins with a nested loop, which never ends over two steps of 100,000 rows,
 * or it sorts both sides for a merge, where a hash join needs no sort.
 */
export const HASH_JOINS = sql`select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)`;

/** Postgres answered with an error. `sqlstate` is its five-character code. No text of the driver is kept. */
export class DatabaseRefusal extends Error {
  override name = 'DatabaseRefusal';
  readonly sqlstate: string;
  constructor(sqlstate: string) {
    super(`the database refused with SQLSTATE ${sqlstate}`);
    this.sqlstate = sqlstate;
  }
  /** Did a value of the data cause the error, and not the statement? */
  get isOfData(): boolean {
    return meaningOf(this.sqlstate) === 'data';
  }
}

/** No readable answer, or one that asks for a retry. It may be unknown whether the statements took effect. */
export class DatabaseUnreachable extends Error {
  override name = 'DatabaseUnreachable';
  /** Set if the database reported an error. */
  readonly sqlstate: string | undefined;
  constructor(sqlstate?: string) {
    super('the database did not answer');
    this.sqlstate = sqlstate;
  }
}

/** The statements of a report exceeded its time-out and were cancelled, now or less than a minute ago. */
export class ReportTooSlow extends Error {
  override name = 'ReportTooSlow';
  /** False: they did so a moment ago, and were not sent again. */
  readonly ran: boolean;
  readonly timeout_ms: number;
  constructor(ran: boolean, timeout_ms: number) {
    super('a report was cancelled by its statement time-out');
    this.ran = ran;
    this.timeout_ms = timeout_ms;
  }
}

/** The workspace runs as many reports as it may. */
export class TooManyReports extends Error {
  override name = 'TooManyReports';
}

/**
 * The driver's message may contain a connection string and the parameters of the statement, so it is dropped.
 */
function databaseError(error: unknown): DatabaseRefusal | DatabaseUnreachable {
  const sqlstate = error instanceof NeonDbError ? error.code : undefined;
  const meaning = meaningOf(sqlstate);
  const isRefusal = meaning === 'data' || meaning === 'refused';
  return sqlstate && isRefusal ? new DatabaseRefusal(sqlstate) : new DatabaseUnreachable(sqlstate);
}

/** How a transaction is attempted. */
interface CallRules extends Omit<RetryRules, 'deadline_at_ms'> {
  /** Settings sent before the statements, after the role and the workspace. */
  settings: SQL[];
}

/** For idempotent statements: they are sent again even if their outcome is unknown. */
const INTERACTIVE: CallRules = {
  attempt_timeout_ms: ATTEMPT_TIMEOUT_MS,
  settings: [],
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) !== 'too_slow',
};
/** Reports of one workspace at a time, in all isolates together. A few more wait a moment for a slot. */
export const REPORT_SLOTS = 4;

/** SQLSTATEs of our own, see `migrations/functions/begin_report.sql`. */
const SLOW_REPORT = 'TL003';
const NO_REPORT_SLOT = 'TL004';

/** The request that a report is for. */
export interface ReportRequest {
  /** SHA-256 in hex of all that it asks. */
  question: string;
  timeout_ms: number;
  /** Fires when the caller has gone; the statements are then cancelled. */
  signal: AbortSignal;
}

const NO_REQUEST: ReportRequest = {
  question: '',
  timeout_ms: REPORT_TIMEOUT_MS,
  signal: new AbortController().signal,
};

function reportRules(workspaceId: string, { question, timeout_ms }: ReportRequest): CallRules {
  const begin = sql`select begin_report(${workspaceId}::uuid, decode(${question}, 'hex'), ${REPORT_SLOTS}::int)`;
  return { ...INTERACTIVE, attempt_timeout_ms: timeout_ms, settings: [REPORT_SETTINGS, begin] };
}

/** Remembers for a minute that a request ran out of time, and forgets those of before. */
function rememberSlowReport(workspaceId: string, question: string): SQL {
  return sql`
    with past as (
      delete from slow_reports s where s.workspace_id = (select ${workspaceId}::uuid) and s.until_at < now()
    )
    insert into slow_reports (workspace_id, question, until_at)
    values (${workspaceId}::uuid, decode(${question}, 'hex'), now() + interval '1 minute')
    on conflict (workspace_id, question) do update set until_at = excluded.until_at`;
}
/** For all others: they are sent again only if they certainly did not take effect. */
const ONCE: CallRules = {
  ...INTERACTIVE,
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'again',
};

/**
 * The parts of `PgDialect` of drizzle-orm that render a statement. The class itself would
 * bundle every column type.
 */
const POSTGRES = {
  casing: new CasingCache(),
  escapeName: (name: string) => `"${name.replaceAll('"', '""')}"`,
  escapeParam: (index: number) => `$${index + 1}`,
  escapeString: (text: string) => `'${text.replaceAll("'", "''")}'`,
};

const cloudEndpoint = neonConfig.fetchEndpoint;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

// The local stand-in for Neon listens without TLS on the port of the connection string.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`;
  return typeof cloudEndpoint === 'function' ? cloudEndpoint(host, port, options) : cloudEndpoint;
};

/** The database, before the reach of a transaction is chosen. */
export interface Databases {
  /** The use by everything that was opened here. */
  readonly use: DatabaseUse;
  /** The second lock (ADR 17): statements see no row of another workspace, whatever they select. */
  inWorkspace(id: string, request?: ReportRequest): Database;
  /** Finds the workspace of a key, and lists workspaces. It sees nothing else. */
  lookup(): Database;
  /** Deletes expired rows in all workspaces, for the hourly trigger, which takes no input. */
  upkeep(): Database;
}

/**
 * A statement is cancelled this much before its caller stops waiting; otherwise it would run on for nobody.
 */
const ENDS_EARLIER_MS = 500;

/** The first statement of each transaction. Its settings end with the transaction. */
export function underReach(reach: Reach, attempt_timeout_ms: number): SQL {
  const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
  return sql`select set_config('role', ${reach.role}, true), set_config('throughline.workspace_id', ${workspaceId}, true),
    set_config('statement_timeout', ${String(attempt_timeout_ms - ENDS_EARLIER_MS)}, true)`;
}

/** Raises `UNSAFE_ROLE` if the role in force would see more than its reach. */
export const REFUSE_UNSAFE_ROLE = sql`select refuse_unsafe_role()`;

/** A SQLSTATE of our own, see `migrations/functions/refuse_unsafe_role.sql`. */
export const UNSAFE_ROLE = 'TL002';

/** Roles, with their connection string, that were found safe since the isolate started. */
const known = new Set<string>();

/**
 * Opens the database for one request, message or run.
 * @param connectionString `postgres://…`, of a Neon database or of the local stand-in
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
    gone?: AbortSignal,
  ): Promise<RowsOf<T>> => {
    const name = `${reach.role} ${connectionString}`;
    const checks = known.has(name) ? [] : [REFUSE_UNSAFE_ROLE];
    const before = [underReach(reach, rules.attempt_timeout_ms), ...checks, ...rules.settings];
    // Compiled once, so that a retry sends exactly the same statements.
    const queries = [...before, ...statements].map(compile);
    const ended = (signal: AbortSignal) => (gone ? AbortSignal.any([signal, gone]) : signal);
    const mayRepeat = (error: unknown) => !gone?.aborted && rules.mayRepeat(error);
    const rows = await withRetries(
      (signal) => attempt(queries, ended(signal)),
      { ...rules, deadline_at_ms, mayRepeat },
      clock,
    );
    known.add(name);
    // The caller states the type of the rows; nothing here reads the SQL.
    return rows.slice(before.length) as RowsOf<T>;
  };
  const report = async <T extends object[]>(
    reach: Reach,
    statements: Statements<T>,
    request: ReportRequest,
  ): Promise<RowsOf<T>> => {
    const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
    const { question, timeout_ms, signal } = request;
    try {
      return await transact<T>(reach, statements, reportRules(workspaceId, request), signal);
    } catch (error) {
      const sqlstate = (error as { sqlstate?: string }).sqlstate;
      if (sqlstate === SLOW_REPORT) throw new ReportTooSlow(false, timeout_ms);
      if (sqlstate === NO_REPORT_SLOT) throw new TooManyReports('all slots are taken');
      if (!sqlstate || meaningOf(sqlstate) !== 'too_slow') throw error;
      // If it cannot be remembered, the next request runs out of time too.
      const remember = rememberSlowReport(workspaceId, question);
      await Promise.allSettled([transact(reach, [remember], INTERACTIVE)]);
      throw new ReportTooSlow(true, timeout_ms);
    }
  };
  const under = (reach: Reach, request: ReportRequest = NO_REQUEST): Database => ({
    query: async <R extends object>(statement: SQL) =>
      (await transact<[R]>(reach, [statement], INTERACTIVE))[0],
    atomic: (statements) => transact(reach, statements, INTERACTIVE),
    report: (statements) => report(reach, statements, request),
    once: (statements) => transact(reach, statements, ONCE),
  });
  return {
    use,
    inWorkspace: (workspace_id, request) => under({ role: 'throughline_app', workspace_id }, request),
    lookup: () => under({ role: 'throughline_lookup' }),
    upkeep: () => under({ role: 'throughline_upkeep' }),
  };
}

function compile(statement: SQL) {
  return statement.toQuery(POSTGRES);
}
