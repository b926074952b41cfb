import { join } from 'node:path';
import { PGlite, type Results, type Transaction } from '@electric-sql/pglite';
import { Client, Pool, type PoolClient, type QueryArrayConfig } from 'pg';
import { lockFolder } from './folder-lock.ts';
import { type MigrationOutcome, migrate, migratePostgres } from './migrator.ts';

/** One statement as it arrives over HTTP: `$1` placeholders and parameters that are text or null. */
export interface BackendQuery {
  query: string;
  params: unknown[];
}

/** A column of a result; PostgreSQL adds more to it (table, size, modifier), PGlite has these two only. */
export interface RawField {
  name: string;
  dataTypeID: number;
}

/** A result as the database sent it: every value is PostgreSQL's text, or null. */
export interface RawResult {
  fields: RawField[];
  rows: (string | null)[][];
  /** Null if the command tag has no count (DDL, `SET`). */
  rowCount: number | null;
  /** First word of the command tag: `SELECT`, `INSERT`, `CREATE` … */
  command: string | null;
}

/** Isolation levels by the names of Neon's `Neon-Batch-Isolation-Level` header, and their SQL. */
export const ISOLATION_LEVELS = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
} as const;

/** The spelling of an isolation level on the wire. */
export type IsolationLevel = keyof typeof ISOLATION_LEVELS;

/** How a list of statements is run. The last three are read only if `atomic` is true. */
export interface RunOptions {
  /** One transaction, which the first error rolls back; else each statement is its own transaction. */
  atomic: boolean;
  isolationLevel?: IsolationLevel;
  readOnly?: boolean;
  deferrable?: boolean;
}

/** A database behind the Neon server: an embedded PGlite or a real PostgreSQL. */
export interface SqlBackend {
  kind: 'pglite' | 'postgres';
  /**
   * One result per query, in order. Throws the database's error, or the error that broke the connection.
   * @param gone fires when nobody waits for the result any more; PostgreSQL then cancels the statement
   */
  run(queries: BackendQuery[], options: RunOptions, gone?: AbortSignal): Promise<RawResult[]>;
  /** Applies the migrations of `folder` that the database does not have; a second run waits for the first. */
  migrate(folder: string, onWait?: () => void): Promise<MigrationOutcome>;
  close(): Promise<void>;
}

/** An error that PostgreSQL itself reported, with its SQLSTATE in `code`. */
export interface DatabaseErrorShape extends Error {
  code: string;
  severity: string;
}

/**
 * Whether the database reported the error. A SQLSTATE alone is not enough: Node's `EPIPE` and `EBUSY` have five
 * capitals too. The severity, which only PostgreSQL sends, has to be there.
 */
export function isDatabaseError(error: unknown): error is DatabaseErrorShape {
  if (!(error instanceof Error)) return false;
  const { code, severity } = error as Partial<DatabaseErrorShape>;
  return typeof severity === 'string' && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
}

/**
 * A parameter as PostgreSQL's text. Neon's driver already sends text or null; the rest is for callers that write JSON
 * by hand.
 */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The modes after `set transaction`, or null if the defaults apply. */
export function transactionModes(options: RunOptions): string | null {
  const modes: string[] = [];
  if (options.isolationLevel) modes.push(`isolation level ${ISOLATION_LEVELS[options.isolationLevel]}`);
  if (options.readOnly !== undefined) modes.push(options.readOnly ? 'read only' : 'read write');
  if (options.deferrable !== undefined) modes.push(options.deferrable ? 'deferrable' : 'not deferrable');
  return modes.length > 0 ? modes.join(', ') : null;
}

/** More than the reports of a workspace that may wait for a slot, so that other requests find a connection. */
const MAX_CONNECTIONS = 25;
const CONNECT_TIMEOUT_MS = 10_000;

/** The value of `dataDir` that stores nothing on disk. */
export const IN_MEMORY = 'memory:';

/**
 * Opens the embedded database, in memory or in a folder on disk (created if missing). It takes 2 to 4 seconds. Throws
 * if another living process has the folder open, because two would corrupt it.
 */
export async function openPglite(dataDir: string = IN_MEMORY): Promise<SqlBackend> {
  const onDisk = dataDir !== IN_MEMORY;
  const unlock = onDisk ? await lockFolder(dataDir) : async () => {};
  try {
    const db = await PGlite.create(onDisk ? join(dataDir, 'pgdata') : 'memory://');
    keepText(db);
    return {
      kind: 'pglite',
      run: (queries, options) => runPglite(db, queries, options),
      migrate: (folder) => migrate((queries, options) => runPglite(db, queries, options), folder),
      close: async () => {
        await db.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/**
 * PGlite parses and serialises by type, with defaults for every type without an entry. A table that has an entry for
 * each possible type leaves all values as PostgreSQL's text.
 */
function keepText(db: PGlite): void {
  db.parsers = new Proxy({}, { get: () => (text: string) => text });
  db.serializers = new Proxy({}, { get: () => parameterText });
}

async function runPglite(db: PGlite, queries: BackendQuery[], options: RunOptions): Promise<RawResult[]> {
  if (!options.atomic) return runInPglite(db, queries);
  // PGlite has one session; transaction() blocks every other statement until it ends.
  return db.transaction(async (tx) => {
    const modes = transactionModes(options);
    if (modes) await tx.exec(`set transaction ${modes}`);
    return runInPglite(tx, queries);
  });
}

async function runInPglite(session: PGlite | Transaction, queries: BackendQuery[]): Promise<RawResult[]> {
  const results: RawResult[] = [];
  for (const { query, params } of queries) {
    results.push(pgliteResult(await session.query<(string | null)[]>(query, params, { rowMode: 'array' })));
  }
  return results;
}

function pgliteResult(result: Results<(string | null)[]>): RawResult {
  return {
    fields: result.fields,
    rows: result.rows,
    rowCount: result.rowCount ?? null,
    command: result.command ?? null,
  };
}

/** Opens a pool to a real PostgreSQL. Nothing connects before the first query. */
export async function openPostgres(
  connectionString: string,
  maxConnections: number = MAX_CONNECTIONS,
): Promise<SqlBackend> {
  const pool = new Pool({
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // If the server drops an idle connection, the next query replaces it. Without a listener the event would end the
  // process.
  pool.on('error', () => {});
  return {
    kind: 'postgres',
    run: (queries, options, gone) => runPostgres(pool, queries, options, gone),
    migrate: (folder, onWait) => migratePostgres(connectionString, folder, onWait),
    close: () => pool.end(),
  };
}

async function runPostgres(
  pool: Pool,
  queries: BackendQuery[],
  options: RunOptions,
  gone?: AbortSignal,
): Promise<RawResult[]> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection lost between two statements is reported by this event only.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  let cancelling: Promise<void> | undefined;
  const cancel = () => {
    cancelling = cancelStatement(pool, client);
  };
  gone?.addEventListener('abort', cancel, { once: true });
  try {
    return options.atomic
      ? await runBatch(client, queries, options, gone)
      : await runInPostgres(client, queries, gone);
  } catch (error) {
    // A connection in an unknown state, perhaps inside a transaction, is not reused.
    broken ??= await (isDatabaseError(error) && error.severity === 'ERROR'
      ? rollback(client)
      : asError(error));
    throw error;
  } finally {
    client.off('error', onError);
    gone?.removeEventListener('abort', cancel);
    // It must not reach the next user of the session.
    await cancelling;
    client.release(broken);
  }
}

/** Cancels what the session runs, over a connection of its own: the pool may be full of what is to be cancelled. */
async function cancelStatement(pool: Pool, running: PoolClient): Promise<void> {
  const { processID } = running as PoolClient & { processID: number };
  const client = new Client({ connectionString: pool.options.connectionString });
  try {
    await client.connect();
    await client.query('select pg_cancel_backend($1)', [processID]);
  } catch (error) {
    // The statement then ends with its time-out.
    console.warn(`a statement could not be cancelled: ${asError(error).message}`);
  } finally {
    await client.end();
  }
}

/** Resolves to the error that makes the connection unusable, if there is one. */
async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
  } catch (error) {
    return asError(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function runBatch(
  client: PoolClient,
  queries: BackendQuery[],
  options: RunOptions,
  gone?: AbortSignal,
): Promise<RawResult[]> {
  await client.query(`begin ${transactionModes(options) ?? ''}`);
  const results = await runInPostgres(client, queries, gone);
  await client.query('commit');
  return results;
}

async function runInPostgres(
  client: PoolClient,
  queries: BackendQuery[],
  gone?: AbortSignal,
): Promise<RawResult[]> {
  const results: RawResult[] = [];
  for (const { query, params } of queries) {
    // A cancellation reaches the statement that runs, and none between two.
    gone?.throwIfAborted();
    const result = await client.query<(string | null)[]>(rawQuery(query, params));
    results.push({
      fields: result.fields,
      rows: result.rows,
      rowCount: result.rowCount,
      command: result.command,
    });
  }
  return results;
}

interface RawQueryConfig extends QueryArrayConfig {
  queryMode: 'extended';
}

function rawQuery(text: string, params: unknown[]): RawQueryConfig {
  return {
    text,
    values: params.map(parameterText),
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
    // Without this option a query without parameters uses the simple protocol, which accepts several statements in one
    // text. Neon rejects them.
    queryMode: 'extended',
  };
}
