import { describe, expect, onTestFinished, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { ForeignMigrations, SchemaTooNew } from '../../local/migrator.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { openPostgres, type SqlBackend } from '../../local/sql-backend.ts';
import { createApp } from '../../src/app.ts';
import { checkAnswer } from '../support/contract.ts';
import { type BackendCase, backendCases } from './databases.ts';

/** `GET /ready` against databases that are older or newer than the code, or read-only. */

const SECRET = 'secret-of-the-ready-tests-0123456789abcdef';

async function run(backend: SqlBackend, query: string): Promise<(string | null)[][]> {
  const [result] = await backend.run([{ query, params: [] }], { atomic: false });
  return result?.rows ?? [];
}

/** Sent by the code of this checkout, over the database. */
async function askReady(backend: SqlBackend) {
  const neon = await startNeonServer({ backend });
  try {
    const config = { database_url: neon.connectionString, root_key: SECRET, identity_secret: SECRET };
    const response = await createApp({ config }).request('/ready');
    const body = (await response.json()) as { code?: string; detail?: string };
    const type = response.headers.get('content-type') ?? '';
    checkAnswer('GET', '/ready', response.status, type, body);
    return { status: response.status, body, calls: neon.calls() };
  } finally {
    await neon.close();
  }
}

/** A contract of a later release: a migration that the code does not have, which ends the support for it. */
async function addMigration(backend: SqlBackend, after_ms: number): Promise<void> {
  await run(
    backend,
    `insert into drizzle.__drizzle_migrations (hash, created_at)
     select 'later', max(created_at) + ${after_ms} from drizzle.__drizzle_migrations`,
  );
}

const END_SUPPORT = `do $$ begin execute format(
  'create or replace function oldest_supported_migration() returns bigint language sql immutable as ''select %s''',
  (select max(created_at) from drizzle.__drizzle_migrations)); end $$`;

// The embedded database takes seconds to start and behaves the same, so it is the second choice.
const cases = await backendCases();
const { name, open } = cases.findLast(({ reason }) => reason === undefined) ?? (cases[0] as BackendCase);

describe(`on ${name}, /ready`, { timeout: 120_000 }, () => {
  async function database(): Promise<{ backend: SqlBackend; url: string | null }> {
    const { backend, url, remove } = await open();
    onTestFinished(remove);
    return { backend, url };
  }

  async function migrated() {
    const made = await database();
    await applyMigrations(made.backend);
    return made;
  }

  test('is 200 `current` after the migrations, in two round trips', async () => {
    const { backend } = await migrated();
    const { status, body, calls } = await askReady(backend);
    expect({ status, body, calls }).toEqual({
      status: 200,
      body: { status: 'ready', schema: 'current' },
      calls: 2,
    });
  });

  test('is 503 `not_migrated` on an empty database, and on one without the newest migration', async () => {
    const { backend } = await database();
    expect(await askReady(backend)).toMatchObject({ status: 503, body: { code: 'not_migrated' } });
    await applyMigrations(backend);
    await run(
      backend,
      `delete from drizzle.__drizzle_migrations
       where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`,
    );
    expect(await askReady(backend)).toMatchObject({
      status: 503,
      body: { code: 'not_migrated', detail: expect.stringContaining('npm run migrate') },
    });
  });

  test('is 503 `not_migrated` on the schema of release 0.1.0', async () => {
    const { backend } = await migrated();
    await run(backend, 'drop function oldest_supported_migration()');
    await run(backend, 'delete from drizzle.__drizzle_migrations where created_at > 1795910819386');
    expect(await askReady(backend)).toMatchObject({ status: 503, body: { code: 'not_migrated' } });
  });

  test('is 200 `newer` on a newer schema that supports the code; a run of the migrations changes nothing', async () => {
    const { backend } = await migrated();
    await addMigration(backend, 1);
    expect(await askReady(backend)).toMatchObject({
      status: 200,
      body: { status: 'ready', schema: 'newer' },
    });
    expect(await applyMigrations(backend)).toEqual({ applied: [], newer: 1 });
  });

  test('is 503 `schema_too_new` after a contract; a run of the migrations is refused', async () => {
    const { backend } = await migrated();
    await addMigration(backend, 1);
    await run(backend, END_SUPPORT);
    expect(await askReady(backend)).toMatchObject({
      status: 503,
      body: { code: 'schema_too_new', detail: expect.stringContaining('Deploy the newer release') },
    });
    await expect(applyMigrations(backend)).rejects.toThrow(SchemaTooNew);
    // Unknown migrations that are not all newer are of another line of development.
    await run(backend, 'update drizzle.__drizzle_migrations set created_at = created_at + 1 where id = 1');
    await expect(applyMigrations(backend)).rejects.toThrow(ForeignMigrations);
  });

  // The embedded database has one session, whose settings do not change.
  if (name === 'pglite') return;

  test('is 503 `database_read_only` on a read-only database', async () => {
    const { backend, url } = await migrated();
    await run(
      backend,
      `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
    );
    // The setting applies to new sessions.
    const later = await openPostgres(url ?? '');
    onTestFinished(() => later.close());
    expect(await askReady(later)).toMatchObject({
      status: 503,
      body: {
        code: 'database_read_only',
        detail: expect.stringContaining('default_transaction_read_only'),
      },
    });
    expect(await applyMigrations(later)).toEqual({ applied: [], newer: 0 });
  });
});
