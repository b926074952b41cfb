import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless';
import { type SQL, sql } from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';

/** A row as the driver gives it: JSON parsed, `numeric` as text, `timestamptz` as Date. */
export type Row = Record<string, unknown>;

/** What one request asked of the database. `duration_ms` is the wall time of the calls, network included. */
export interface DatabaseUse {
  calls: number;
  duration_ms: number;
}

/** Whose rows a transaction sees and may write, and the role of the migrations that holds it to them. */
type Reach =
  | { role: 'throughline_app'; workspace_id: string }
  | { role: 'throughline_lookup' | 'throughline_upkeep' };

/** The one seam to Postgres. Each function is one round trip, and one transaction under the role of its reach. */
export interface Database {
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

/** Longer than any report should take; a statement that runs on holds a connection that others wait for. */
const STATEMENT_TIMEOUT_MS = 25_000;

/** The first statement of each transaction; what it sets ends with the transaction. */
function underReach(reach: Reach): SQL {
  const workspaceId = 'workspace_id' in reach ? reach.workspace_id : '';
  return sql`select set_config('role', ${reach.role}, true), set_config('throughline.workspace_id', ${workspaceId}, true),
    set_config('statement_timeout', ${String(STATEMENT_TIMEOUT_MS)}, true)`;
}

/** Raises `UNSAFE_ROLE` where the role in force would see more than its reach. */
export const REFUSE_UNSAFE_ROLE = sql`select refuse_unsafe_role()`;

/** SQLSTATE of our own: see `refuse_unsafe_role` in the migrations. */
export const UNSAFE_ROLE = 'TL001';

/** Databases, by their connection string, whose roles were found safe since the isolate began. */
const known = new Set<string>();

/** @param connectionString `postgres://…`, a Neon database or the local stand-in */
export function openDatabases(connectionString: string): Databases {
  const driver = neon(connectionString);
  const use: DatabaseUse = { calls: 0, duration_ms: 0 };
  const compile = (statement: SQL) => {
    const { sql, params } = statement.toQuery(POSTGRES);
    return driver.query(sql, params);
  };
  const transact = async (reach: Reach, statements: SQL[]): Promise<Row[][]> => {
    const name = `${reach.role} ${connectionString}`;
    const checks = known.has(name) ? [] : [REFUSE_UNSAFE_ROLE];
    const before = [underReach(reach), ...checks];
    const started = performance.now();
    use.calls += 1;
    try {
      const rows = (await driver.transaction([...before, ...statements].map(compile))) as Row[][];
      known.add(name);
      return rows.slice(before.length);
    } catch (error) {
      // The driver's message may hold a connection string and the statement's parameters: neither goes on.
      if (error instanceof NeonDbError && error.code) throw new DatabaseRefusal(error.code);
      throw new DatabaseUnreachable();
    } finally {
      use.duration_ms += performance.now() - started;
    }
  };
  const under = (reach: Reach): Database => ({
    query: async <R extends Row>(statement: SQL) => ((await transact(reach, [statement]))[0] ?? []) as R[],
    atomic: (statements) => transact(reach, statements),
    report: async (statements) => (await transact(reach, [REPORT_SETTINGS, ...statements])).slice(1),
  });
  return {
    use,
    inWorkspace: (workspace_id) => under({ role: 'throughline_app', workspace_id }),
    lookup: () => under({ role: 'throughline_lookup' }),
    upkeep: () => under({ role: 'throughline_upkeep' }),
  };
}
