import type { TestProject } from 'vitest/node';
import { buildWorker } from '../../local/workerd.ts';
import { postgresBinaries } from './cluster.ts';

/** The bundle of the Worker and the Postgres programs that the tests start. */
export interface FaultStandParts {
  bundle: string;
  /** The folder with `initdb` and `postgres`. */
  binaries: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    faultStand: FaultStandParts;
  }
}

/**
 * Builds the Worker once for all files. Without the Postgres programs the tests that need them are skipped with a
 * warning.
 */
export async function setup(project: TestProject): Promise<void> {
  const binaries = postgresBinaries();
  const missing = binaries
    ? null
    : 'NO POSTGRES PROGRAMS under /usr/lib/postgresql; set POSTGRES_BIN to the folder with initdb. The fault tests are skipped.';
  if (missing) console.warn(`\n*** ${missing} ***\n`);
  project.provide('faultStand', {
    bundle: missing ? '' : await buildWorker(),
    binaries: binaries ?? '',
  });
  project.provide('world', {
    database: 'postgres',
    url: '',
    rootKey: '',
    identitySecret: '',
    connectionString: '',
    log: '',
    missing,
  });
}
