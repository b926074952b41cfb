import { neon } from '@neondatabase/serverless';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { forgetCallers } from '../../src/http/authenticate.ts';
import type { Config } from '../../src/http/config.ts';
import { ringOf, unwrapKey, type WrappedKey, wrapKey } from '../../src/http/key-material.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { appWithQueue } from '../support/queue.ts';
import { rowsOf } from '../support/tables.ts';
import { sale, touch } from './items.ts';

/** A workspace is found, hashed and decrypted as before under any secret that its key material is wrapped under. */

needWorld();

// The application runs in the test's process and writes its log lines there.
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

const NEXT = 'the-next-identity-secret-0123456789abcdef';
const UNKNOWN = 'an-unknown-identity-secret-0123456789abcdef';

type Secrets = Pick<Config, 'identity_secret' | 'identity_secret_previous'>;

/** A new isolate of a deployment with these secrets. */
function isolate({ id }: { id: string }, secrets: Secrets, changes: Partial<Config> = {}) {
  forgetCallers(id);
  return appWithQueue(undefined, { ...secrets, ...changes });
}

const atOnce = (workspace: { id: string }, secrets: Secrets) =>
  isolate(workspace, secrets, { ingest_queue: undefined });

async function storedKeys(workspaceId: string): Promise<WrappedKey[]> {
  const rows = await rowsOf(
    `select secret_id, encode(sealed_key, 'hex') as sealed_key, hash_version from identity_keys
     where workspace_id = $1 order by created_at, secret_id`,
    [workspaceId],
  );
  return rows as unknown as WrappedKey[];
}

/** As `npm run rotate-identities` does it, for one workspace. */
async function rotate({ id }: { id: string }, to: string, { isOldRemoved }: { isOldRemoved: boolean }) {
  const [current, ...others] = await ringOf({ identity_secret: world.identitySecret });
  const [held] = await storedKeys(id);
  const material = held && (await unwrapKey(held, id, current));
  if (!material || others.length > 0) throw new Error('the workspace has the key of the tests');
  const { secret_id, sealed_key, hash_version } = await wrapKey(
    material,
    id,
    (await ringOf({ identity_secret: to }))[0],
  );
  await rowsOf(
    `insert into identity_keys (workspace_id, secret_id, sealed_key, hash_version) values ($1, $2, decode($3, 'hex'), $4)`,
    [id, secret_id, sealed_key, hash_version],
  );
  if (isOldRemoved)
    await rowsOf('delete from identity_keys where workspace_id = $1 and secret_id <> $2', [id, secret_id]);
}

describe('a new workspace', () => {
  test('has random key material, wrapped under each secret of the ring, and no secret derives it', async () => {
    const app = appWithQueue(undefined, { identity_secret: NEXT, identity_secret_previous: UNKNOWN });
    const made = [];
    for (const name of ['A', 'B'])
      made.push((await app.ask(world.rootKey, 'POST', '/v1/workspaces', { name })).body.workspace.id);
    const opened = [];
    for (const id of made) {
      const wrapped = await storedKeys(id);
      expect(wrapped.map(({ hash_version }) => hash_version)).toEqual([2, 2]);
      for (const identity_secret of [NEXT, UNKNOWN]) {
        const [secret] = await ringOf({ identity_secret });
        const own = wrapped.find(({ secret_id }) => secret_id === secret.id);
        const material = own && (await unwrapKey(own, id, secret));
        opened.push(Buffer.from(material?.bytes ?? []).toString('hex'));
        // A row that is copied to another workspace does not open there.
        expect(own && (await unwrapKey(own, crypto.randomUUID(), secret))).toBeNull();
      }
    }
    expect(opened.map(({ length }) => length)).toEqual([128, 128, 128, 128]);
    expect(new Set(opened).size).toBe(2);
    expect([opened[0], opened[2]]).toEqual([opened[1], opened[3]]);
  });

  test('has identities of its version, and loses its keys with itself', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    const [row] = await rowsOf('select hash_version from identities where workspace_id = $1', [workspace.id]);
    expect(row).toEqual({ hash_version: 2 });
    const app = appWithQueue();
    await app.ask(world.rootKey, 'DELETE', `/v1/workspaces/${workspace.id}`);
    expect(await storedKeys(workspace.id)).toEqual([]);
  });
});

/** Everything that is keyed or sealed, before a rotation. */
async function filled() {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const before = isolate(workspace, { identity_secret: world.identitySecret });
  const { id: _, ...nameless } = touch('');
  const batches: [string, Json, Json?][] = [
    ['touchpoints', [touch('t', { person: { user_id: 'u', email: 'u@example.com' } })]],
    ['touchpoints', [nameless, nameless], { 'idempotency-key': 'k' }],
    ['conversions', [sale('s', { person: { email: 'u@example.com' } })]],
  ];
  for (const [name, items, headers = {}] of batches) {
    const app = isolate(workspace, { identity_secret: world.identitySecret }, { ingest_queue: undefined });
    await app.ask(workspace.token, 'POST', `/v1/${name}`, { [name]: items }, headers);
  }
  await workspace.touchpoints(touch('gone', { person: { user_id: 'gone' } }), touch('wrong', { kind: 'x' }));
  const { person_id } = (await workspace.get('/v1/touchpoints/gone')).body;
  await workspace.ask('DELETE', `/v1/people/${person_id}`);
  await before.ask(workspace.token, 'POST', '/v1/touchpoints', {
    touchpoints: [touch('queued', { person: { email: 'u@example.com' } })],
  });
  return { workspace, batches, messages: before.sent };
}

describe.for<[string, Secrets, boolean]>([
  [
    'deployed beside the old one',
    { identity_secret: NEXT, identity_secret_previous: world.identitySecret },
    false,
  ],
  ['announced', { identity_secret: world.identitySecret, identity_secret_previous: NEXT }, false],
  ['alone, with the old one removed', { identity_secret: NEXT }, true],
])('with the next secret %s', ([, secrets, isOldRemoved]) => {
  test('known people stay known, retries are duplicates, erased people stay erased, messages are stored', async () => {
    const { workspace, batches, messages } = await filled();
    await rotate(workspace, NEXT, { isOldRemoved });
    const app = atOnce(workspace, secrets);
    const people = await rowsOf('select count(*)::int from identities where workspace_id = $1', [
      workspace.id,
    ]);
    for (const [name, items, headers = {}] of batches) {
      const { body } = await app.ask(workspace.token, 'POST', `/v1/${name}`, { [name]: items }, headers);
      expect(body).toMatchObject({ accepted: 0, duplicates: items.length });
    }
    const again = await app.ask(workspace.token, 'POST', '/v1/touchpoints', {
      touchpoints: [touch('gone-again', { person: { user_id: 'gone' } }), touch('t', { kind: 'reply' })],
    });
    expect(again.body.results.map(({ status }: Json) => status)).toEqual(['dropped', 'conflict']);
    expect(await app.deliver(messages)).toEqual(['ack']);
    const found = await app.ask(workspace.token, 'POST', '/v1/people/lookup', { person: { user_id: 'u' } });
    const { person_id } = (await app.ask(workspace.token, 'GET', '/v1/touchpoints/queued')).body;
    expect([found.status, found.body.id]).toEqual([200, person_id]);
    const { data } = (await app.ask(workspace.token, 'GET', '/v1/rejections')).body;
    const items = data.map(({ item, item_unreadable }: Json) => [item.id, item_unreadable]);
    expect(items.sort()).toEqual([
      ['t', false],
      ['wrong', false],
    ]);
    expect(
      await rowsOf('select count(*)::int from identities where workspace_id = $1', [workspace.id]),
    ).toEqual(people);
  });
});

describe('a secret that opens no key', () => {
  test('is 503 misconfigured with what to set, for reads and writes; nothing is stored, and messages wait', async () => {
    const { workspace, messages } = await filled();
    const count = `select (select count(*) from identities where workspace_id = $1) as identities,
      (select count(*) from touchpoints where workspace_id = $1) as touchpoints,
      (select count(*) from identity_keys where workspace_id = $1) as keys`;
    const before = await rowsOf(count, [workspace.id]);
    const wrong: Secrets[] = [
      { identity_secret: UNKNOWN },
      { identity_secret: UNKNOWN, identity_secret_previous: NEXT },
    ];
    for (const secrets of wrong) {
      const app = atOnce(workspace, secrets);
      const asked: [string, string, Json?][] = [
        ['POST', '/v1/touchpoints', { touchpoints: [touch('new')] }],
        ['GET', '/v1/rejections'],
        ['POST', '/v1/people/lookup', { person: { user_id: 'u' } }],
      ];
      for (const [method, path, body] of asked) {
        const answer = await app.ask(workspace.token, method, path, body);
        expect([answer.status, answer.body.code]).toEqual([503, 'misconfigured']);
        expect(answer.body.detail).toMatch(/Set IDENTITY_SECRET_PREVIOUS to the secret/);
      }
      expect(await app.deliver(messages)).toEqual([{ delaySeconds: 10 }]);
    }
    expect(await rowsOf(count, [workspace.id])).toEqual(before);
    const app = isolate(workspace, { identity_secret: world.identitySecret });
    expect(await app.deliver(messages)).toEqual(['ack']);
  });

  test('is no longer opened by the old one once that is removed', async () => {
    const workspace = await TestWorkspace.make();
    await rotate(workspace, NEXT, { isOldRemoved: true });
    const old = await atOnce(workspace, { identity_secret: world.identitySecret }).ask(
      workspace.token,
      'GET',
      '/v1/goals',
    );
    expect([old.status, old.body.code]).toEqual([503, 'misconfigured']);
    const next = await atOnce(workspace, { identity_secret: NEXT }).ask(workspace.token, 'GET', '/v1/goals');
    expect(next.status).toBe(200);
  });
});

test('a rejection that was stored under another key is shown as unreadable, exported so, and not replayed', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t'), touch('wrong', { kind: 'x' }), touch('readable', { kind: 'y' }));
  await rowsOf(
    `update rejections set item_encrypted = decode(repeat('ab', 64), 'hex') where workspace_id = $1 and item_id = 'wrong'`,
    [workspace.id],
  );
  const { body, status } = await workspace.get('/v1/rejections');
  expect(status).toBe(200);
  const byItem = Object.fromEntries(body.data.map((row: Json) => [row.item_id, row]));
  expect(byItem.wrong).toMatchObject({ item: null, item_unreadable: true, errors: [expect.anything()] });
  expect(byItem.readable).toMatchObject({ item: { id: 'readable' }, item_unreadable: false });
  expect((await workspace.get('/v1/rejections?format=csv')).status).toBe(200);
  const replayed = await workspace.post(`/v1/rejections/${byItem.wrong.id}/replay`, undefined);
  expect([replayed.status, replayed.body.code]).toEqual([422, 'item_unreadable']);
  const { person_id } = (await workspace.get('/v1/touchpoints/t')).body;
  const exported = (await workspace.get(`/v1/people/${person_id}/export`)).body.rejections;
  expect(exported.map(({ item_id, item_unreadable }: Json) => [item_id, item_unreadable]).sort()).toEqual([
    ['readable', false],
    ['wrong', true],
  ]);
});

test('adjustments, spend and rejections of release 0.1.0 are refused in the same way, and those of this one are not', async () => {
  const workspace = await TestWorkspace.make();
  const insert = async (table: string, setting: string, version: number) => {
    const driver = neon(world.connectionString);
    await rowsOf('update identity_keys set hash_version = $2 where workspace_id = $1', [
      workspace.id,
      version,
    ]);
    const settings = `select set_config('role', 'throughline_app', true),
      set_config('throughline.workspace_id', $1, true), set_config('throughline.wrapped_keys', $2, true)`;
    return driver
      .transaction([
        driver.query(settings, [workspace.id, setting]),
        driver.query(`insert into ${table} select * from ${table} where false`),
      ])
      .then(
        () => 'done',
        ({ code }: { code: string }) => code,
      );
  };
  for (const table of ['adjustments', 'spend', 'rejections']) {
    expect([table, await insert(table, '', 2)]).toEqual([table, '57P03']);
    expect([table, await insert(table, 'on', 2)]).toEqual([table, 'done']);
    expect([table, await insert(table, '', 1)]).toEqual([table, 'done']);
  }
});

test('hashes that another key made are refused with 57P03, which release 0.1.0 answers as 503', async () => {
  const workspace = await TestWorkspace.make();
  const resolve = (version: number) =>
    rowsOf(`select * from resolve_people($1, 'touchpoints', '[]', true, $2::smallint)`, [
      workspace.id,
      version,
    ]).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
  expect(await resolve(1)).toBe('57P03');
  expect(await resolve(2)).toBe('done');
  await rowsOf('update identity_keys set hash_version = 1 where workspace_id = $1', [workspace.id]);
  expect(await resolve(1)).toBe('done');
});
