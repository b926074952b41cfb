import { NeonDbError, neon, neonConfig, types } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { parseExactJson } from '../domain/exact-json.ts';
import { compile } from './dialect.ts';
import { NO_REQUEST, type ReportRequest, reportSettings, runReportCall } from './report-call.ts';
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
  /**
   * Like `query`, for one page of a streamed response: a response of many pages takes longer than a request may, so
   * each page has a deadline of its own.
   * @param gone fires when nobody reads any more; the page is then abandoned
   */
  page<R extends object = Row>(statement: SQL, gone: AbortSignal): Promise<R[]>;
  /**
   * Like `atomic`, for statements that read much, under settings that suit them, within the
   * bounds of `report-call.ts`. @throws ReportTooSlow, TooManyReports
   */
  report<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
  /**
   * Like `atomic`, for operations that are not idempotent, or that would give a wrong answer the second time,
   * such as creating a key or deleting a row. Retries only if the statements certainly did not take effect.
   */
  once<T extends object[] = Row[]>(statements: NoInfer<Statements<T>>): Promise<RowsOf<T>>;
}

/** Time-outs of an attempt, and of all calls of a request. Senders give up after half a minute. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
export const REQUEST_DEADLINE_MS = 30_000;

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
/** For all others: they are sent again only if they certainly did not take effect. */
const ONCE: CallRules = {
  ...INTERACTIVE,
  mayRepeat: (error) => error instanceof DatabaseUnreachable && meaningOf(error.sqlstate) === 'again',
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

/**
 * The first statement of each transaction. Its settings end with the transaction. `wrapped_keys` tells it from those of
 * release 0.1.0; see `migrations/functions/refuse_unwrapped_keys.sql`.
 */
export function underReach(reach: Reach, attempt_timeout_ms: number): SQL {
  const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
  return sql`select set_config('role', ${reach.role}, true), set_config('throughline.workspace_id', ${workspaceId}, true),
    set_config('statement_timeout', ${String(attempt_timeout_ms - ENDS_EARLIER_MS)}, true),
    set_config('throughline.wrapped_keys', 'on', true)`;
}

/** Raises `UNSAFE_ROLE` if the role in force would see more than its reach. */
export const REFUSE_UNSAFE_ROLE = sql`select refuse_unsafe_role()`;

/** A SQLSTATE of our own, see `migrations/functions/refuse_unsafe_role.sql`. */
export const UNSAFE_ROLE = 'TL002';

/** As the driver parses, but for JSON, whose integers keep their digits. */
const PARSERS = {
  getTypeParser: (oid: number) =>
    oid === types.builtins.JSON || oid === types.builtins.JSONB ? parseExactJson : types.getTypeParser(oid),
};

/** Sends compiled statements as one transaction, and counts it in `use`. */
function attempting(connectionString: string, use: DatabaseUse) {
  const driver = neon(connectionString);
  return async (queries: ReturnType<typeof compile>[], signal: AbortSignal) => {
    const started = performance.now();
    use.calls += 1;
    try {
      const sent = queries.map(({ sql: text, params }) => driver.query(text, params, { types: PARSERS }));
      return await driver.transaction<false, false>(sent, { fetchOptions: { signal } });
    } catch (error) {
      throw databaseError(error);
    } finally {
      use.duration_ms += performance.now() - started;
    }
  };
}

/** Roles, with their connection string, that were found safe since the isolate started. */
const known = new Set<string>();

/**
 * Opens the database for one request, message or run.
 * @param connectionString `postgres://…`, of a Neon database or of the local stand-in
 * @param deadline_ms from now on, for all calls together, and for each page of a streamed response
 */
export function openDatabases(
  connectionString: string,
  deadline_ms: number = REQUEST_DEADLINE_MS,
  clock: Clock = SYSTEM_CLOCK,
): Databases {
  const use: DatabaseUse = { calls: 0, duration_ms: 0 };
  const attempt = attempting(connectionString, use);
  const deadlineFromNow = () => clock.nowMs() + deadline_ms;
  const deadlineOfRequest = deadlineFromNow();
  const transact = async <T extends object[]>(
    reach: Reach,
    statements: Statements<T>,
    rules: CallRules,
    deadline_at_ms = deadlineOfRequest,
  ): Promise<RowsOf<T>> => {
    const name = `${reach.role} ${connectionString}`;
    const checks = known.has(name) ? [] : [REFUSE_UNSAFE_ROLE];
    const before = [underReach(reach, rules.attempt_timeout_ms), ...checks, ...rules.settings];
    // Compiled once, so that a retry sends exactly the same statements.
    const queries = [...before, ...statements].map(compile);
    const rows = await withRetries((signal) => attempt(queries, signal), { ...rules, deadline_at_ms }, clock);
    known.add(name);
    // The caller states the type of the rows; nothing here reads the SQL.
    return rows.slice(before.length) as RowsOf<T>;
  };
  const under = (reach: Reach, request: ReportRequest = NO_REQUEST): Database => ({
    query: async <R extends object>(statement: SQL) =>
      (await transact<[R]>(reach, [statement], INTERACTIVE))[0],
    atomic: (statements) => transact(reach, statements, INTERACTIVE),
    page: async <R extends object>(statement: SQL, gone: AbortSignal) =>
      (await transact<[R]>(reach, [statement], { ...INTERACTIVE, gone }, deadlineFromNow()))[0],
    report: <T extends object[]>(statements: NoInfer<Statements<T>>) => {
      const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
      const rules = {
        ...INTERACTIVE,
        attempt_timeout_ms: request.timeout_ms,
        settings: reportSettings(workspaceId, request),
        gone: request.signal,
      };
      return runReportCall(
        workspaceId,
        request,
        () => transact<T>(reach, statements, rules),
        (statement) => transact(reach, [statement], INTERACTIVE),
      );
    },
    once: (statements) => transact(reach, statements, ONCE),
  });
  return {
    use,
    inWorkspace: (workspace_id, request) => under({ role: 'throughline_app', workspace_id }, request),
    lookup: () => under({ role: 'throughline_lookup' }),
    upkeep: () => under({ role: 'throughline_upkeep' }),
  };
}
