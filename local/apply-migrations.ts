import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SqlBackend } from './sql-backend.ts';
import { PROJECT_ROOT } from './workerd.ts';

const MIGRATIONS = join(PROJECT_ROOT, 'migrations');

interface Journal {
  entries: { tag: string; when: number }[];
}

/** The database has migrations that this version does not have, so its contents are unknown. */
export class ForeignMigrations extends Error {
  override name = 'ForeignMigrations';
}

/**
 * Brings the database to the newest migration. Returns the names of the migrations that were missing, in order.
 * @throws ForeignMigrations before anything is changed
 */
export async function applyMigrations(backend: SqlBackend): Promise<string[]> {
  const { entries } = JSON.parse(await readFile(join(MIGRATIONS, 'meta/_journal.json'), 'utf8')) as Journal;
  const applied = await appliedMigrations(backend);
  const foreign = applied.filter((when) => !entries.some((entry) => entry.when === when));
  if (foreign.length > 0) {
    throw new ForeignMigrations(
      `${foreign.length} of its ${applied.length} migrations belong to another version of Throughline and cannot be upgraded`,
    );
  }
  await backend.migrate(MIGRATIONS);
  return entries.filter(({ when }) => !applied.includes(when)).map(({ tag }) => tag);
}

/** The creation time of each applied migration, as in the journal. */
async function appliedMigrations(backend: SqlBackend): Promise<number[]> {
  const firstColumn = async (query: string) => {
    const [result] = await backend.run([{ query, params: [] }], { atomic: false });
    return (result?.rows ?? []).map(([value]) => value ?? null);
  };
  const table = 'drizzle.__drizzle_migrations';
  const [exists] = await firstColumn(`select to_regclass('${table}')::text`);
  if (exists === null) return [];
  return (await firstColumn(`select created_at::text from ${table} order by created_at`)).map(Number);
}
