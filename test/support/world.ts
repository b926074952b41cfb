import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { openPglite, openPostgres, type SqlBackend } from '../../local/sql-backend.ts';
import { buildWorker, startWorkerd } from '../../local/workerd.ts';

/** The system under test of the API tests: the built Worker in workerd, over one kind of database. */
export interface World {
  database: 'pglite' | 'postgres';
  url: string;
  rootKey: string;
  identitySecret: string;
  /** Connection string of the Neon-protocol server, for tests that read the tables. */
  connectionString: string;
  /** A file with every line that the Worker has logged so far. */
  log: string;
  /** Set if there is no such database: every test of the project is skipped with this reason. */
  missing: string | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    world: World;
  }
}

const ROOT_KEY = 'root-key-of-the-tests-0123456789abcdef';
const IDENTITY_SECRET = 'identity-secret-of-the-tests-0123456789';
const TOKEN_SECRET = 'token-secret-of-the-tests-0123456789abc';

/** One build for both projects, whose setup runs in one process. */
const shared = globalThis as { throughlineBundle?: Promise<string> };

/** Starts everything, provides its addresses to the tests, and returns a function that stops it. */
export async function startWorld(
  project: TestProject,
  database: World['database'],
  open: () => Promise<SqlBackend>,
): Promise<() => Promise<void>> {
  shared.throughlineBundle ??= buildWorker();
  const bundle = await shared.throughlineBundle;
  const backend = await open();
  await applyMigrations(backend);
  const neon = await startNeonServer({ backend });
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET, TOKEN_SECRET };
  const folder = await mkdtemp(join(tmpdir(), 'throughline-log-'));
  const log = join(folder, 'worker.log');
  writeFileSync(log, '');
  const worker = await startWorkerd({ bundle, env, onOutput: (text) => appendFileSync(log, text) });
  project.provide('world', {
    database,
    url: worker.url,
    rootKey: ROOT_KEY,
    identitySecret: IDENTITY_SECRET,
    connectionString: neon.connectionString,
    log,
    missing: null,
  });
  return async () => {
    await worker.stop();
    await neon.close();
    await backend.close();
    await rm(folder, { recursive: true, force: true });
  };
}

export const startOnPglite = (project: TestProject) => startWorld(project, 'pglite', () => openPglite());

/** The server to use; the databases of the tests are created in it and dropped. */
const SERVER = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** Runs on a database of its own in the server, or skips with a loud reason if there is no server. */
export async function startOnPostgres(project: TestProject): Promise<() => Promise<void>> {
  const name = `throughline_test_${process.pid}_${Date.now()}`;
  const admin = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 3000 });
  try {
    await admin.connect();
    await admin.query(`create database ${name}`);
  } catch (error) {
    const missing = `NO POSTGRES SERVER at ${new URL(SERVER).host} (${(error as Error).message}); set TEST_DATABASE_URL. Its tests are skipped.`;
    console.warn(`\n*** ${missing} ***\n`);
    project.provide('world', {
      database: 'postgres',
      url: '',
      rootKey: '',
      identitySecret: '',
      connectionString: '',
      log: '',
      missing,
    });
    return async () => {};
  }
  const own = new URL(SERVER);
  own.pathname = `/${name}`;
  const stop = await startWorld(project, 'postgres', () => openPostgres(own.href));
  return async () => {
    await stop();
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  };
}
