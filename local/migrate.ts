import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPostgres, type SqlBackend } from './sql-backend.ts';
import { PROJECT_ROOT } from './workerd.ts';

const MIGRATIONS = join(PROJECT_ROOT, 'migrations');

const USAGE = `DATABASE_URL names no database. Set it to the one to migrate, as in
  DATABASE_URL='postgres://user:password@host/database' npm run migrate`;

interface Journal {
  entries: { tag: string; when: number }[];
}

/** Brings the database to the newest migration. Returns the names of those that it lacked, in order. */
async function migrate(backend: SqlBackend): Promise<string[]> {
  const { entries } = JSON.parse(await readFile(join(MIGRATIONS, 'meta/_journal.json'), 'utf8')) as Journal;
  const before = await newestApplied(backend);
  await backend.migrate(MIGRATIONS);
  return entries.filter(({ when }) => when > before).map(({ tag }) => tag);
}

/** When the newest migration of the database was written, as the journal has it; 0 for an empty database. */
async function newestApplied(backend: SqlBackend): Promise<number> {
  const ask = async (query: string) => {
    const [result] = await backend.run([{ query, params: [] }], { atomic: false });
    return result?.rows[0]?.[0] ?? null;
  };
  const table = 'drizzle.__drizzle_migrations';
  const exists = await ask(`select to_regclass('${table}')::text`);
  return exists === null ? 0 : Number(await ask(`select max(created_at)::text from ${table}`));
}

/** The database's own words: what wraps them repeats the statement, which may be a page long. */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  // A refused connection to a name with two addresses has a code and no message.
  return inner.message || ('code' in inner ? String(inner.code) : inner.name);
}

/** Resolves to the exit code: 0 when the database is up to date, 1 when it could not be brought there. */
async function runMigrate(databaseUrl: string | undefined): Promise<number> {
  if (!databaseUrl || !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    process.stderr.write(`${USAGE}\n`);
    return 1;
  }
  let backend: SqlBackend | undefined;
  try {
    backend = await openPostgres(databaseUrl);
    const applied = await migrate(backend);
    const lines = applied.length > 0 ? applied.map((tag) => `applied ${tag}`) : ['nothing to apply'];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`the database could not be migrated: ${reasonOf(error)}\n`);
    return 1;
  } finally {
    await backend?.close();
  }
}

process.exitCode = await runMigrate(process.env.DATABASE_URL);
