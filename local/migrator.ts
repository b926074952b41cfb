import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { Client, DatabaseError } from 'pg';

/** The first line of a migration whose statements Postgres refuses inside a transaction. */
export const WITHOUT_TRANSACTION = '-- without a transaction';

/** The table in which drizzle-kit and earlier releases expect the applied migrations. */
const APPLIED = 'drizzle.__drizzle_migrations';

/** What a run found and did. */
export interface MigrationOutcome {
  /** The names of the migrations that it applied, in order. */
  applied: string[];
  /** The number of migrations of a newer release, whose schema still supports this one. */
  newer: number;
}

/** The database has migrations of another line of development, so its contents are unknown. */
export class ForeignMigrations extends Error {
  override name = 'ForeignMigrations';
}

/** A newer release has dropped something that this one needs. */
export class SchemaTooNew extends Error {
  override name = 'SchemaTooNew';
}

/** Runs statements one by one, or in one transaction; rows are PostgreSQL's text. All calls use the same session. */
export type RunStatements = (
  statements: { query: string; params: unknown[] }[],
  options: { atomic: boolean },
) => Promise<{ rows: (string | null)[][] }[]>;

interface Migration {
  tag: string;
  /** In milliseconds, as in the journal: its identity in the database, and its place in the order. */
  when: number;
  hash: string;
  statements: string[];
  isTransaction: boolean;
}

interface Journal {
  entries: { tag: string; when: number }[];
}

/** The migrations of a folder, in order. */
function readMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal;
  const files = readMigrationFiles({ migrationsFolder: folder });
  return entries.map(({ tag, when }, i) => {
    const { sql: statements = [], hash = '' } = files[i] ?? {};
    const isTransaction = statements[0]?.split('\n')[0]?.trim() !== WITHOUT_TRANSACTION;
    return { tag, when, hash, statements, isTransaction };
  });
}

/**
 * Applies the migrations of a folder that the database does not have. Each is a transaction of its own, together with
 * its row in the table of applied migrations. The statements of one that is marked run one by one, and its row comes
 * last: if the run is interrupted, the next one repeats them.
 * @throws ForeignMigrations, SchemaTooNew before anything is changed
 */
export async function migrate(run: RunStatements, folder: string): Promise<MigrationOutcome> {
  const migrations = readMigrations(folder);
  const done = await appliedMigrations(run);
  if (done === null) await run(CREATE_TABLE.map(asQuery), { atomic: true });
  const newer = done === null ? 0 : await newerMigrations(run, migrations, done);
  const missing = migrations.filter(({ when }) => !done?.includes(when));
  for (const migration of missing) await apply(run, migration);
  return { applied: missing.map(({ tag }) => tag), newer };
}

const CREATE_TABLE = [
  'create schema if not exists drizzle',
  `create table if not exists ${APPLIED} (id serial primary key, hash text not null, created_at bigint)`,
];

const asQuery = (query: string) => ({ query, params: [] });

async function firstColumn(run: RunStatements, query: string): Promise<(string | null)[]> {
  const [result] = await run([asQuery(query)], { atomic: false });
  return (result?.rows ?? []).map(([value]) => value ?? null);
}

/** The creation time of each applied migration, as in the journal; null before the first run. */
async function appliedMigrations(run: RunStatements): Promise<number[] | null> {
  const [table] = await firstColumn(run, `select to_regclass('${APPLIED}')::text`);
  if (table === null) return null;
  return (await firstColumn(run, `select created_at::text from ${APPLIED} order by created_at`)).map(Number);
}

/**
 * The number of applied migrations that a newer release brought.
 * @throws ForeignMigrations if others are unknown too, SchemaTooNew if the schema does not support this release
 */
async function newerMigrations(run: RunStatements, known: Migration[], done: number[]): Promise<number> {
  const foreign = done.filter((when) => !known.some((migration) => migration.when === when));
  if (foreign.length === 0) return 0;
  const newest = Math.max(...known.map(({ when }) => when));
  const isNewer = foreign.every((when) => when > newest) && known.every(({ when }) => done.includes(when));
  const [support] = await firstColumn(run, `select to_regproc('oldest_supported_migration')::text`);
  if (!isNewer || support === null)
    throw new ForeignMigrations(
      `${foreign.length} of its ${done.length} migrations belong to another version of Throughline and cannot be upgraded`,
    );
  const [oldest] = await firstColumn(run, 'select oldest_supported_migration()::text');
  if (Number(oldest) > newest)
    throw new SchemaTooNew(
      'a newer release has changed the schema of the database, which no longer supports this one: use that release, or a newer one',
    );
  return foreign.length;
}

async function apply(
  run: RunStatements,
  { statements, when, hash, isTransaction }: Migration,
): Promise<void> {
  const record = asQuery(`insert into ${APPLIED} (hash, created_at) values ('${hash}', ${when})`);
  if (isTransaction) {
    await run([...statements.map(asQuery), record], { atomic: true });
    return;
  }
  for (const statement of statements) {
    const index = CONCURRENT_INDEX.exec(statement)?.[1];
    if (index === undefined || (await isToBuild(run, index)))
      await run([asQuery(statement)], { atomic: false });
  }
  await run([record], { atomic: false });
}

/** Captures the name. Comments may precede the statement. */
const CONCURRENT_INDEX =
  /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?"?(\w+)"?\s+on\b/im;

/**
 * Whether an index is still to be built: an interrupted run may have completed it. An interrupted build leaves an index
 * that no query uses and every write maintains. It is dropped.
 */
async function isToBuild(run: RunStatements, index: string): Promise<boolean> {
  const [isValid] = await firstColumn(
    run,
    `select indisvalid::text from pg_index where indexrelid = to_regclass('"${index}"')`,
  );
  if (isValid === 'false')
    await run([asQuery(`drop index concurrently if exists "${index}"`)], { atomic: false });
  return isValid !== 'true';
}

const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_POLL_MS = 200;
const TRY_LOCK = `select pg_try_advisory_lock(hashtextextended('migrations of throughline', 0))::text`;

/**
 * A table that is to be changed is locked for a moment. While the change waits for a slow report, every request on the
 * table waits behind it, so it gives up after this time, lets them pass, and tries again.
 */
const TABLE_LOCK_TIMEOUT_MS = 2_000;
const TABLE_LOCK_ATTEMPTS = 30;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Like `migrate`, on a server, in one session that holds an advisory lock: a second run waits for the first.
 * @param onWait called once if another run holds the lock
 */
export async function migratePostgres(
  connectionString: string,
  folder: string,
  onWait: () => void = () => {},
): Promise<MigrationOutcome> {
  const client = new Client({
    connectionString: withoutPooler(connectionString),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // A lost connection also rejects the statement that runs, or the next one.
  client.on('error', () => {});
  const run: RunStatements = (statements, { atomic }) =>
    atomic ? runAtOnce(client, statements) : runEach(client, statements);
  try {
    await client.connect();
    await run(['set statement_timeout = 0', 'set lock_timeout = 0'].map(asQuery), { atomic: false });
    // It is not waited for inside the database: a statement that waits holds a snapshot, `create index concurrently`
    // waits for all snapshots, and the two runs would wait for each other.
    for (let waits = 0; (await firstColumn(run, TRY_LOCK))[0] !== 'true'; waits++) {
      if (waits === 0) onWait();
      await sleep(LOCK_POLL_MS);
    }
    return await migrate(run, folder);
  } finally {
    // The end of the session releases the lock, and rolls back what was not committed.
    await client.end();
  }
}

/**
 * Neon's pooled host gives each transaction another session, so that a lock of a session would be held by nobody. The
 * same host without `-pooler` is a direct connection.
 * Source: https://neon.com/docs/connect/connection-pooling
 */
export function withoutPooler(connectionString: string): string {
  return connectionString.replace(/(@ep-[a-z0-9-]+)-pooler(\.[^/?]*\bneon\.)/, '$1$2');
}

type Statements = Parameters<RunStatements>[0];

async function runEach(client: Client, statements: Statements): ReturnType<RunStatements> {
  const results: { rows: (string | null)[][] }[] = [];
  for (const { query } of statements) {
    results.push(await client.query<(string | null)[]>({ text: query, rowMode: 'array', types: AS_TEXT }));
  }
  return results;
}

const AS_TEXT = { getTypeParser: () => (value: string) => value };

async function runAtOnce(client: Client, statements: Statements): ReturnType<RunStatements> {
  const timeout = asQuery(`set local lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
  for (let attempt = 1; ; attempt++) {
    try {
      const results = await runEach(client, [asQuery('begin'), timeout, ...statements, asQuery('commit')]);
      return results.slice(2, -1);
    } catch (error) {
      const isLocked = error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE;
      if (!isLocked || attempt === TABLE_LOCK_ATTEMPTS) throw error;
      await runEach(client, [asQuery('rollback')]);
      await sleep(LOCK_POLL_MS * attempt);
    }
  }
}
