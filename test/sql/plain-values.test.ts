import { expect, test } from 'vitest';
import { runSchedule } from '../../src/schedule.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** Turning plain storage off: no response shows a value any more, and the stored values go. */

needWorld();

const CANARY = 'canary-3c90@acme.example';
/** The hourly run of another test file may get ahead of a test, a few milliseconds at a time. */
const RETRIED = { retry: 2 };

const CONFIG = { database_url: world.connectionString, root_key: '', identity_secret: '' };

async function prepare(): Promise<{ workspace: TestWorkspace; person: string }> {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await workspace.load('people', [{ id: 'p', person: { email: CANARY, user_id: 'u' } }]);
  const { body } = await workspace.post('/v1/people/lookup', { person: { email: CANARY } });
  expect(body.identities[0]).toEqual({ namespace: 'email', value: CANARY });
  return { workspace, person: body.id };
}

const store = (workspace: TestWorkspace, identity_storage: string) =>
  workspace.ask('PATCH', '/v1/workspace', { body: { identity_storage } });
const left = async ({ id }: TestWorkspace) =>
  (await rowsOf('select value from identities where workspace_id = $1 and value is not null', [id])).length;

/** As an isolate with the old setting does within the 30 seconds of its cache. */
const storeLate = ({ id }: TestWorkspace) =>
  rowsOf(`update identities set value = $2 where workspace_id = $1 and namespace = 'email'`, [id, CANARY]);

/** Values in every response that shows identities. */
async function shown(workspace: TestWorkspace, person: string): Promise<unknown[]> {
  const [read, found, held] = [
    await workspace.get(`/v1/people/${person}`),
    await workspace.post('/v1/people/lookup', { person: { email: CANARY } }),
    await workspace.get(`/v1/people/${person}/export`),
  ];
  expect([read.status, found.status, held.status]).toEqual([200, 200, 200]);
  expect(held.body.identities).toHaveLength(2);
  return [read, found, held].flatMap(({ body }) =>
    body.identities.map(({ value }: Json) => value ?? null).filter((value: unknown) => value !== null),
  );
}

test('the values are gone from the tables and from every response, and the person is still found', async () => {
  const { workspace, person } = await prepare();
  expect(await shown(workspace, person)).toHaveLength(6);
  const answer = await store(workspace, 'hashed');
  expect([answer.status, answer.body.identity_storage]).toEqual([200, 'hashed']);
  expect(answer.headers.get('server-timing')).toContain('calls=1');
  expect(await shown(workspace, person)).toEqual([]);
  const tables = await rowsOf(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`,
    [],
  );
  for (const { name } of tables) {
    const column = name === 'workspaces' ? 'id' : 'workspace_id';
    const rows = await rowsOf(`select to_jsonb(t)::text as row from ${name} t where ${column} = $1`, [
      workspace.id,
    ]);
    expect([name, rows.filter(({ row }) => String(row).includes('canary-3c90'))]).toEqual([name, []]);
  }
  await workspace.load('people', [{ id: 'q', person: { email: `new-${CANARY}` } }]);
  expect(await left(workspace)).toBe(0);
  const { body } = await workspace.get('/v1/audit?action=workspace.update');
  expect(body.data).toMatchObject([{ target_id: null, fields: ['identity_storage'] }]);
});

test(
  'of 5,300 values the request removes 5,000, the hourly run the rest, and plain storage stays untouched',
  RETRIED,
  async () => {
    const [{ workspace, person }, other] = await Promise.all([prepare(), prepare()]);
    await rowsOf(
      `insert into identities (workspace_id, namespace, value_hash, hash_version, person_id, value)
     select $1::uuid, 'email', decode(md5(n::text), 'hex'), 1, gen_random_uuid(), 'v' || n from generate_series(3, 5300) n`,
      [workspace.id],
    );
    expect(await left(workspace)).toBe(5300);
    await store(workspace, 'hashed');
    expect(await left(workspace)).toBe(300);
    await storeLate(workspace);
    expect(await shown(workspace, person)).toEqual([]);
    await runSchedule(CONFIG, undefined, 5000);
    expect([await left(workspace), await left(other.workspace)]).toEqual([0, 2]);
    expect(await shown(other.workspace, other.person)).toHaveLength(6);
  },
);

test(
  'plain storage is not turned on again before the last value is gone, and never shows an old one',
  RETRIED,
  async () => {
    const { workspace, person } = await prepare();
    await store(workspace, 'hashed');
    await storeLate(workspace);
    const early = await store(workspace, 'plain');
    expect([early.status, early.body.code, early.body.errors?.[0].pointer]).toEqual([
      422,
      'invalid_request',
      '/identity_storage',
    ]);
    expect((await workspace.get('/v1/workspace')).body.identity_storage).toBe('hashed');
    expect((await store(workspace, 'plain')).status).toBe(200);
    expect(await shown(workspace, person)).toEqual([]);
    await workspace.load('people', [{ id: 'r', person: { email: `later-${CANARY}` } }]);
    expect(await left(workspace)).toBe(1);
    // Plain storage that is on stays on.
    expect((await store(workspace, 'plain')).status).toBe(200);
  },
);
