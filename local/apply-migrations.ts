import { join } from 'node:path';
import type { MigrationOutcome } from './migrator.ts';
import type { SqlBackend } from './sql-backend.ts';
import { PROJECT_ROOT } from './workerd.ts';

const MIGRATIONS = join(PROJECT_ROOT, 'migrations');

/**
 * Brings the database to the newest migration of this checkout. A schema that is newer and still supports it is left
 * as it is.
 * @param onWait called once if another run has to end first
 * @throws ForeignMigrations, SchemaTooNew before anything is changed
 */
export function applyMigrations(backend: SqlBackend, onWait?: () => void): Promise<MigrationOutcome> {
  return backend.migrate(MIGRATIONS, onWait);
}
