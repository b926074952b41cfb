import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type MigrationOutcome, withoutPooler } from '../../local/migrator.ts';
import type { SqlBackend } from '../../local/sql-backend.ts';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { backendCases, type TestBackend } from './databases.ts';

/** Runs of the migrations wait for each other, and one that was interrupted can be repeated. */

const MARK = '-- without a transaction\n';

/** A folder with these migrations, in order. */
async function folderOf(migrations: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'meta'));
  const entries = Object.keys(migrations).map((tag, idx) => ({
    ...{ idx, tag, version: '7', when: 1_700_000_000_000 + idx, breakpoints: true },
  }));
  for (const [tag, text] of Object.entries(migrations)) await writeFile(join(folder, `${tag}.sql`), text);
  const journal = { version: '7', dialect: 'postgresql', entries };
  await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify(journal));
  return folder;
}

async function rowsOf(backend: SqlBackend, query: string): Promise<(string | null)[][]> {
  const [result] = await backend.run([{ query, params: [] }], { atomic: false });
  return result?.rows ?? [];
}

const INDEXES = `select c.relname::text, c.oid::text, i.indisvalid::text from pg_index i
  join pg_class c on c.oid = i.indexrelid where i.indrelid = 't'::regclass order by 1`;
const COUNT_APPLIED = 'select count(*)::text from drizzle.__drizzle_migrations';

/** The values 1 to 1,000, each of them twice. */
const TABLE = 'create table t (a int);\n--> statement-breakpoint\n';
const FILL = 'insert into t select n % 1000 from generate_series(1, 2000) n;';
const TWO_INDEXES = `${MARK}create index concurrently first on t (a);
--> statement-breakpoint
-- It fails as long as a value occurs twice.
create unique index concurrently "second" on t (a);`;

const cases = await backendCases();

for (const { name, reason, open } of cases) {
  describe.runIf(reason === undefined)(`on ${name}`, { timeout: 120_000 }, () => {
    async function backendOf(): Promise<SqlBackend> {
      const { backend, remove } = await open();
      onTestFinished(remove);
      return backend;
    }

    test('a migration is applied as a whole or not at all, those before it stay, and the next run goes on there', async () => {
      const backend = await backendOf();
      const folder = await folderOf({ '0000_a': TABLE + FILL, '0001_b': 'alter table t add b int' });
      const text = 'alter table t add c int;\n--> statement-breakpoint\nselect 1 / 0;';
      const broken = await folderOf({ '0000_a': TABLE + FILL, '0001_b': text });
      await expect(backend.migrate(broken)).rejects.toThrow('division by zero');
      expect(await rowsOf(backend, COUNT_APPLIED)).toEqual([['1']]);
      expect(await backend.migrate(folder)).toEqual({ applied: ['0001_b'], newer: 0 });
      expect(await rowsOf(backend, `select count(b)::text, count(*)::text from t`)).toEqual([['0', '2000']]);
      await expect(rowsOf(backend, 'select c from t')).rejects.toThrow('"c" does not exist');
    });

    test('`concurrently` without the mark is refused', async () => {
      const backend = await backendOf();
      const folder = await folderOf({ '0000_a': TABLE, '0001_b': TWO_INDEXES.replace(MARK, '') });
      await expect(backend.migrate(folder)).rejects.toThrow('cannot run inside a transaction block');
    });

    test('marked statements run one by one: a repeated run keeps a complete index and rebuilds a broken one', async () => {
      const backend = await backendOf();
      const folder = await folderOf({ '0000_a': TABLE + FILL, '0001_b': TWO_INDEXES });
      await expect(backend.migrate(folder)).rejects.toThrow('could not create unique index');
      const [first, second] = await rowsOf(backend, INDEXES);
      expect([first?.[2], second?.[2]]).toEqual(['true', 'false']);
      expect(await rowsOf(backend, COUNT_APPLIED)).toEqual([['1']]);

      await rowsOf(backend, 'delete from t where ctid not in (select min(ctid) from t group by a)');
      expect(await backend.migrate(folder)).toEqual({ applied: ['0001_b'], newer: 0 });
      const after = await rowsOf(backend, INDEXES);
      expect(after).toEqual([first, ['second', expect.any(String), 'true']]);
      expect(after[1]?.[1]).not.toBe(second?.[1]);
      expect(await backend.migrate(folder)).toEqual({ applied: [], newer: 0 });
      expect(await rowsOf(backend, COUNT_APPLIED)).toEqual([['2']]);
    });
  });
}

const onPostgres = cases.find(({ name }) => name.startsWith('postgres'));
const reason = onPostgres ? onPostgres.reason : 'no case';

describe.runIf(reason === undefined)('on postgres, with others at work', { timeout: 120_000 }, () => {
  async function database(): Promise<TestBackend & { url: string }> {
    const made = await onPostgres?.open();
    if (!made?.url) throw new Error('no server');
    onTestFinished(made.remove);
    return { ...made, url: made.url };
  }

  /** A session in a transaction that has read `t`. */
  async function openReader(url: string): Promise<Client> {
    const client = new Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin isolation level repeatable read');
    await client.query('select count(*) from t');
    return client;
  }

  const runProcess = (url: string) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const env = { ...process.env, DATABASE_URL: url };
      const args = [join(PROJECT_ROOT, 'local/migrate.ts')];
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), out: stdout + stderr }),
      );
    });

  test('two processes at once: both end well, each migration is applied once', async () => {
    const { backend, url } = await database();
    const results = await Promise.all([runProcess(url), runProcess(url)]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    const [idle, busy] = results.map(({ out }) => out).toSorted((a, b) => a.length - b.length);
    expect(idle).toContain('nothing to apply');
    expect(busy).toContain('applied 0000_tables');
    const applied = busy?.match(/^applied /gm) ?? [];
    expect(await rowsOf(backend, COUNT_APPLIED)).toEqual([[String(applied.length)]]);
  });

  test('a run that waits does not hold up an index that is made concurrently', async () => {
    const { backend } = await database();
    const index = `${MARK}select pg_sleep(1);\n--> statement-breakpoint\ncreate index concurrently i on t (a);`;
    const folder = await folderOf({ '0000_a': TABLE + FILL, '0001_b': index });
    let waiting = 0;
    const runs: Promise<MigrationOutcome>[] = [];
    for (let i = 0; i < 3; i++) {
      runs.push(
        backend.migrate(folder, () => {
          waiting += 1;
        }),
      );
      await sleep(200);
    }
    const applied = (await Promise.all(runs)).map((outcome) => outcome.applied.length);
    expect([applied, waiting]).toEqual([[2, 0, 0], 2]);
  });

  test('a run whose session is ended in the middle of an index leaves it invalid, and the next run repairs it', async () => {
    const { backend, url } = await database();
    await backend.migrate(await folderOf({ '0000_a': TABLE + FILL }));
    const reader = await openReader(url);
    const index = `${MARK}create index concurrently i on t (a);`;
    const folder = await folderOf({ '0000_a': TABLE + FILL, '0001_b': index });
    const outcome = backend.migrate(folder).catch((error: Error) => error.message);
    // The index waits for the reader, which could still read rows that it does not contain.
    while ((await rowsOf(backend, INDEXES)).length === 0) await sleep(50);
    await rowsOf(
      backend,
      `select pg_terminate_backend(pid)::text from pg_stat_activity
       where datname = current_database() and query ilike '%create index concurrently%' and pid <> pg_backend_pid()`,
    );
    expect(await outcome).toMatch(/terminat/);
    expect(await rowsOf(backend, INDEXES)).toEqual([['i', expect.any(String), 'false']]);
    await reader.query('commit');
    expect(await backend.migrate(folder)).toEqual({ applied: ['0001_b'], newer: 0 });
    expect(await rowsOf(backend, INDEXES)).toEqual([['i', expect.any(String), 'true']]);
  });

  test('a table that a slow report reads is changed after it, and requests pass meanwhile', async () => {
    const { backend, url } = await database();
    await backend.migrate(await folderOf({ '0000_a': TABLE + FILL }));
    const reader = await openReader(url);
    const folder = await folderOf({ '0000_a': TABLE + FILL, '0001_b': 'alter table t add b int' });
    const run = backend.migrate(folder);
    while ((await rowsOf(backend, WAITING_FOR_TABLE)).length === 0) await sleep(50);
    // It waits behind the change, which waits for the reader.
    expect(await rowsOf(backend, 'select count(*)::text from t')).toEqual([['2000']]);
    await reader.query('commit');
    expect(await run).toEqual({ applied: ['0001_b'], newer: 0 });
  });
});

const WAITING_FOR_TABLE = `select pid from pg_locks where not granted and relation = 't'::regclass`;

test("Neon's pooled host is replaced by the direct one, because a pooler keeps no session", () => {
  const path = 'us-east-2.aws.neon.tech/db?sslmode=require';
  expect(withoutPooler(`postgres://u:p@ep-cool-1a2b-pooler.${path}`)).toBe(
    `postgres://u:p@ep-cool-1a2b.${path}`,
  );
  for (const other of [
    `postgres://u:p@ep-cool-1a2b.${path}`,
    'postgres://u:p@db-pooler.example.com/neon.db',
  ]) {
    expect(withoutPooler(other)).toBe(other);
  }
});
