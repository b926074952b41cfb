import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NeonServer, startNeonServer } from '../../local/neon-server.ts';
import { backendCases, type TestBackend } from './databases.ts';

neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`;

const OPEN_TIMEOUT_MS = 30_000;

for (const backendCase of await backendCases()) {
  describe.runIf(backendCase.reason === undefined)(`Neon's protocol over ${backendCase.name}`, () => {
    let db: TestBackend;
    let server: NeonServer;
    let sql: NeonQueryFunction<false, false>;

    beforeAll(async () => {
      db = await backendCase.open();
      server = await startNeonServer({ backend: db.backend });
      sql = neon(server.connectionString);
    }, OPEN_TIMEOUT_MS);

    afterAll(async () => {
      await server?.close();
      await db?.remove();
    });

    test('parameters of every kind come back as the types the driver gives them', async () => {
      const when = new Date('2026-03-29T01:30:00.125Z');
      const [row] =
        await sql`select ${1}::int as i, ${'9007199254740993'}::bigint as big, ${1.5}::float8 as f,
        ${'12.30'}::numeric as n, ${true}::bool as b, ${'naïve 💬 "q" \\ \''}::text as t, ${null}::text as nothing,
        ${{ a: [1, null, 'x'] }}::jsonb as j, ${[1, 2, 3]}::int[] as ints, ${['a,b', '{', null]}::text[] as texts,
        ${when}::timestamptz as at, ${Buffer.from([0, 255, 16])} as bytes`;
      expect(row).toEqual({
        i: 1,
        big: '9007199254740993',
        f: 1.5,
        n: '12.30',
        b: true,
        t: 'naïve 💬 "q" \\ \'',
        nothing: null,
        j: { a: [1, null, 'x'] },
        ints: [1, 2, 3],
        texts: ['a,b', '{', null],
        at: when,
        bytes: Buffer.from([0, 255, 16]),
      });
    });

    test('full results carry fields, the row count and the command; DDL carries no count', async () => {
      const full = { fullResults: true } as const;
      const created = await sql.query('create table counted (id int primary key)', [], full);
      expect(created).toMatchObject({ command: 'CREATE', rowCount: null, rows: [], fields: [] });
      const inserted = await sql.query('insert into counted select generate_series(1, 3)', [], full);
      expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 3, rows: [] });
      const updated = await sql.query('update counted set id = id where id > $1 returning id', [1], full);
      expect(updated).toMatchObject({ command: 'UPDATE', rowCount: 2 });
      expect(updated.fields).toMatchObject([{ name: 'id', dataTypeID: 23 }]);
      const none = await sql.query('select id from counted where false', [], { ...full, arrayMode: true });
      expect(none).toMatchObject({ command: 'SELECT', rowCount: 0, rows: [], rowAsArray: true });
    });

    test('array mode keeps two columns of one name', async () => {
      expect(await sql.query('select 1 as a, 2 as a', [], { arrayMode: true })).toEqual([[1, 2]]);
    });

    test('a batch is one transaction with a result for each statement', async () => {
      const results = await sql.transaction([
        sql`select pg_current_xact_id()::text as x`,
        sql`select pg_current_xact_id()::text as x`,
        sql`select ${'z'}::text as x`,
      ]);
      expect(results).toHaveLength(3);
      expect(results[0]).toEqual(results[1]);
      expect(results[2]).toEqual([{ x: 'z' }]);
    });

    test('the first error of a batch undoes all of it, and the next request is not affected', async () => {
      await sql`create table undone (id int constraint undone_once primary key)`;
      const batch = sql.transaction([
        sql`insert into undone values (1)`,
        sql`insert into undone values (2)`,
        sql`insert into undone values (1)`,
        sql`insert into undone values (3)`,
      ]);
      await expect(batch).rejects.toMatchObject({
        name: 'NeonDbError',
        code: '23505',
        severity: 'ERROR',
        schema: 'public',
        table: 'undone',
        constraint: 'undone_once',
        detail: 'Key (id)=(1) already exists.',
      });
      expect(await sql`select id from undone`).toEqual([]);
    });

    test('a constraint that fails at commit fails the batch', async () => {
      await sql`create table late (id int, constraint late_once unique (id) deferrable initially deferred)`;
      const batch = sql.transaction([sql`insert into late values (1)`, sql`insert into late values (1)`]);
      await expect(batch).rejects.toMatchObject({ code: '23505', constraint: 'late_once' });
      expect(await sql`select id from late`).toEqual([]);
    });

    test('errors carry SQLSTATE, position, detail and hint', async () => {
      await expect(sql.query('selec 1')).rejects.toMatchObject({ code: '42601', position: '1' });
      await expect(sql.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
      await expect(sql.query('select absent from pg_class')).rejects.toMatchObject({ code: '42703' });
      const raised = sql.query(
        `do $$ begin raise exception 'no' using errcode = 'TL001', detail = 'd', hint = 'h'; end $$`,
      );
      await expect(raised).rejects.toMatchObject({ message: 'no', code: 'TL001', detail: 'd', hint: 'h' });
    });

    test('two statements in one text are refused', async () => {
      await expect(sql.query('select 1; select 2')).rejects.toMatchObject({ code: '42601' });
    });

    test('isolation level, read only and deferrable hold for the batch, and for that batch only', async () => {
      const modes = `select current_setting('transaction_isolation') as level,
        current_setting('transaction_read_only') as read_only,
        current_setting('transaction_deferrable') as deferrable`;
      const strict = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const;
      expect(await sql.transaction([sql.query(modes)], strict)).toEqual([
        [{ level: 'serializable', read_only: 'on', deferrable: 'on' }],
      ]);
      expect(await sql.transaction([sql.query(modes)])).toEqual([
        [{ level: 'read committed', read_only: 'off', deferrable: 'off' }],
      ]);
      const write = sql.transaction([sql`create table never (id int)`], { readOnly: true });
      await expect(write).rejects.toMatchObject({ code: '25006' });
    });

    test('a local setting of a batch does not reach the next one', async () => {
      const current = sql`select current_setting('throughline.workspace', true) as w`;
      const set = sql`select set_config('throughline.workspace', ${'ws_1'}, true)`;
      expect((await sql.transaction([set, current]))[1]).toEqual([{ w: 'ws_1' }]);
      const [after] = await sql`select current_setting('throughline.workspace', true) as w`;
      expect(after?.w || null).toBeNull();
    });

    test('20 batches at once each see their own setting', async () => {
      const batches = Array.from({ length: 20 }, (_, n) =>
        sql.transaction([
          sql`select set_config('throughline.workspace', ${`ws_${n}`}, true)`,
          sql`select current_setting('throughline.workspace') as w`,
        ]),
      );
      const seen = (await Promise.all(batches)).map((results) => results[1]?.[0]?.w);
      expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `ws_${n}`));
    });

    test('a parameter of 1 MB goes through, as one call of one query', async () => {
      const before = { calls: server.calls(), queries: server.queries() };
      const items = JSON.stringify(Array.from({ length: 10_000 }, (_, id) => ({ id, note: 'x'.repeat(90) })));
      const rows = await sql`select count(*)::int as n, sum(length(note))::int as chars
        from jsonb_to_recordset(${items}::jsonb) as t(id int, note text)`;
      expect(rows).toEqual([{ n: 10_000, chars: 900_000 }]);
      expect(server.calls() - before.calls).toBe(1);
      expect(server.queries() - before.queries).toBe(1);
    });

    test('migrations are applied once', async () => {
      const folder = await migrationsFolder('create table migrated (id int);\n');
      await db.backend.migrate(folder);
      await db.backend.migrate(folder);
      expect(await sql`select count(*)::int as n from drizzle.__drizzle_migrations`).toEqual([{ n: 1 }]);
      expect(await sql`select * from migrated`).toEqual([]);
      await rm(folder, { recursive: true });
    });
  });
}

async function migrationsFolder(statement: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-migrations-'));
  await mkdir(join(folder, 'meta'));
  await writeFile(join(folder, '0000_first.sql'), statement);
  const entry = { idx: 0, version: '7', when: 1_700_000_000_000, tag: '0000_first', breakpoints: true };
  const journal = { version: '7', dialect: 'postgresql', entries: [entry] };
  await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify(journal));
  return folder;
}

describe('the server around the database', () => {
  const echo = {
    kind: 'postgres' as const,
    run: async () => [{ fields: [], rows: [], rowCount: null, command: 'SELECT' }],
    migrate: async () => ({ applied: [], newer: 0 }),
    close: async () => {},
  };
  const HEADERS = {
    'neon-connection-string': 'postgres://x@y/z',
    'neon-raw-text-output': 'true',
    'neon-array-mode': 'true',
  };

  test('a lost connection is 502, which the driver shows without a code', async () => {
    const lost = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const server = await startNeonServer({ backend: { ...echo, run: () => Promise.reject(lost) } });
    const failure = await neon(server.connectionString)`select 1`.catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'NeonDbError', code: undefined });
    expect(String(failure)).toContain('HTTP status 502');
    await server.close();
  });

  test('each request is told to onCall, with its queries and options', async () => {
    const told: unknown[] = [];
    const server = await startNeonServer({ backend: echo, onCall: (call) => told.push(call) });
    await neon(server.connectionString)`select ${7}`;
    expect(told).toEqual([{ queries: [{ query: 'select $1', params: ['7'] }], options: { atomic: false } }]);
    await server.close();
  });

  test.each([
    ['a body that is not JSON', HEADERS, 'select 1'],
    ['a body without a query', HEADERS, '{"queries":[{"params":[]}]}'],
    ['no connection string', { ...HEADERS, 'neon-connection-string': '' }, '{"query":"select 1"}'],
    ['object mode', { ...HEADERS, 'neon-array-mode': 'false' }, '{"query":"select 1"}'],
    [
      'an unknown isolation level',
      { ...HEADERS, 'neon-batch-isolation-level': 'Snapshot' },
      '{"queries":[]}',
    ],
  ])('%s is 400 with a message', async (_name, headers, body) => {
    const server = await startNeonServer({ backend: echo });
    const response = await fetch(`http://127.0.0.1:${server.port}/sql`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: expect.any(String) });
    expect(server.calls()).toBe(0);
    await server.close();
  });

  test('any other path is 404', async () => {
    const server = await startNeonServer({ backend: echo });
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
    await server.close();
  });

  test('a connection is kept for the next request', async () => {
    const server = await startNeonServer({ backend: echo });
    const agent = new Agent({ keepAlive: true });
    const post = () =>
      new Promise<boolean>((resolve, reject) => {
        const call = request(
          { agent, port: server.port, path: '/sql', method: 'POST', headers: HEADERS },
          (response) => response.resume().once('end', () => resolve(call.reusedSocket)),
        );
        call.once('error', reject).end('{"query":"select 1"}');
      });
    expect([await post(), await post()]).toEqual([false, true]);
    agent.destroy();
    await server.close();
  });
});
