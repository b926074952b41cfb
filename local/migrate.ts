import { applyMigrations } from './apply-migrations.ts';
import { ForeignMigrations, type MigrationOutcome } from './migrator.ts';
import { reasonOf } from './reason.ts';
import { openPostgres, type SqlBackend } from './sql-backend.ts';

const USAGE = `DATABASE_URL is not a connection string. Set it to the database to migrate:
  DATABASE_URL='postgres://user:password@host/database' npm run migrate`;

const WAITING = 'waiting for another run of the migrations on this database to end';

function linesOf({ applied, newer }: MigrationOutcome): string[] {
  if (applied.length > 0) return applied.map((tag) => `applied ${tag}`);
  const isNewer = newer > 0 && `: its schema is ${newer} migrations newer, and supports this release`;
  return [`nothing to apply${isNewer || ''}`];
}

/** Resolves to the exit code: 0 if the database is up to date, 1 if it could not be migrated. */
async function runMigrate(databaseUrl: string | undefined): Promise<number> {
  if (!databaseUrl || !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    process.stderr.write(`${USAGE}\n`);
    return 1;
  }
  let backend: SqlBackend | undefined;
  try {
    backend = await openPostgres(databaseUrl);
    const outcome = await applyMigrations(backend, () => process.stderr.write(`${WAITING}\n`));
    process.stdout.write(`${linesOf(outcome).join('\n')}\n`);
    return 0;
  } catch (error) {
    const advice = error instanceof ForeignMigrations ? '. Use an empty database.' : '';
    process.stderr.write(`the database could not be migrated: ${reasonOf(error)}${advice}\n`);
    return 1;
  } finally {
    await backend?.close();
  }
}

process.exitCode = await runMigrate(process.env.DATABASE_URL);
