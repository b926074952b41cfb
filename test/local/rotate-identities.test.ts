import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { openPostgres } from '../../local/sql-backend.ts';
import { buildWorker } from '../../local/workerd.ts';
import type { Json } from '../support/api.ts';
import { type Deployment, type Isolate, openDeployment } from '../support/deployment.ts';
import { ADMIN_URL, backendCases } from './databases.ts';

/** `npm run rotate-identities`, on a database of its own in a real server, beside isolates in workerd. */

const OLD = 'the-old-identity-secret-0123456789abcdef';
const NEW = 'the-new-identity-secret-0123456789abcdef';
const WRONG = 'a-wrong-identity-secret-0123456789abcdef';

const BOTH = { IDENTITY_SECRET: NEW, IDENTITY_SECRET_PREVIOUS: OLD };
const BACK = { IDENTITY_SECRET: OLD, IDENTITY_SECRET_PREVIOUS: NEW };
const ONLY_OLD = { IDENTITY_SECRET: OLD };
const ONLY_NEW = { IDENTITY_SECRET: NEW };

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'throughline-rotation-'));
  bundle = await buildWorker(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function deploy(): Promise<Deployment> {
  const name = `throughline_rotation_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: ADMIN_URL });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  const backend = await openPostgres(url.href);
  await applyMigrations(backend);
  await backend.close();
  const deployment = await openDeployment(url.href, bundle);
  onTestFinished(async () => {
    await deployment.close();
    await dropDatabase(admin, name);
    await admin.end();
  });
  return deployment;
}

/** Pools end their sessions without waiting for them; a session that is cut off would be an error of the test. */
async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  const sessions = 'select from pg_stat_activity where datname = $1';
  while ((await admin.query(sessions, [name])).rows.length > 0) await sleep(20);
  await admin.query(`drop database ${name}`);
}

interface Known {
  id: string;
  token: string;
}

const touchpoint = (id: string, user_id: string) => ({
  id,
  kind: 'visit',
  channel: 'x',
  person: { user_id },
});

async function workspacesOf(isolate: Isolate, count: number): Promise<Known[]> {
  const made: Known[] = [];
  for (let i = 0; i < count; i++) {
    const workspace = await isolate.makeWorkspace();
    await isolate.ask('POST', '/v1/touchpoints', workspace.token, { touchpoints: [touchpoint('t', 'u')] });
    made.push(workspace);
  }
  return made;
}

/** Makes workspaces like those of release 0.1.0, which stored no keys. Their identities are hashed as it did. */
async function forgetKeys(deployment: Deployment, workspaces: readonly Known[]): Promise<void> {
  for (const { id } of workspaces) {
    const key = Buffer.from(hkdfSync('sha256', OLD, id, 'throughline hash v1', 32));
    const hash = createHmac('sha256', key).update('identity\0user_id\0u').digest();
    await deployment.rows('delete from identity_keys where workspace_id = $1', [id]);
    await deployment.rows('update identities set value_hash = $2, hash_version = 1 where workspace_id = $1', [
      id,
      hash,
    ]);
  }
}

/** The statuses of the requests of workspaces whose person `u` must still be known. */
async function areKnown(isolate: Isolate, workspaces: readonly Known[]): Promise<number[]> {
  const body = { person: { user_id: 'u' } };
  const answers = await Promise.all(
    workspaces.map(({ token }) => isolate.ask('POST', '/v1/people/lookup', token, body)),
  );
  return [...new Set(answers.map(({ status }) => status))];
}

const keysOf = (deployment: Deployment) =>
  deployment.rows<Json>(
    `select secret_id, count(*)::int as rows from identity_keys group by secret_id order by min(created_at), 2`,
  );

const content = async (deployment: Deployment) =>
  (
    await deployment.rows(
      `select md5(string_agg(k::text, '' order by k::text)) as content from identity_keys k`,
    )
  )[0]?.content;

const postgres = (await backendCases()).find(({ name }) => name.startsWith('postgres'));

describe.runIf(postgres?.reason === undefined)('a rotation', { timeout: 120_000 }, () => {
  test('adds a wrap to every workspace, keeps the old ones, and can be rolled back and then ended', async () => {
    const deployment = await deploy();
    const old = await deployment.isolate(ONLY_OLD);
    const workspaces = await workspacesOf(old, 12);
    const there = await deployment.rotate(BOTH, '--batch-size=5');
    expect(there.how, there.output).toBe('code 0');
    expect(there.output).toMatch(/added 5 of 12 .*\n.*added 10 of 12 .*\n.*added 12 of 12 \(100 %\)/);
    expect((await keysOf(deployment)).map(({ rows }) => rows)).toEqual([12, 12]);
    expect(await areKnown(await deployment.isolate(ONLY_OLD), workspaces)).toEqual([200]);
    expect(await areKnown(await deployment.isolate(ONLY_NEW), workspaces)).toEqual([200]);
    const before = await content(deployment);
    expect((await deployment.rotate(BOTH)).how).toBe('code 0');
    expect((await deployment.rotate(BACK)).how).toBe('code 0');
    expect(await content(deployment)).toBe(before);
    const ended = await deployment.rotate(ONLY_NEW, '--batch-size=5');
    expect([ended.how, ended.output]).toEqual([
      'code 0',
      expect.stringContaining('removed 12 of 12 (100 %)'),
    ]);
    expect(ended.output).toContain('with no other secret');
    expect((await keysOf(deployment)).map(({ rows }) => rows)).toEqual([12]);
    expect(await areKnown(await deployment.isolate(ONLY_NEW), workspaces)).toEqual([200]);
    expect(await areKnown(await deployment.isolate(ONLY_OLD), workspaces)).toEqual([503]);
    const ready = [await deployment.isolate(ONLY_OLD), await deployment.isolate(ONLY_NEW)];
    const answers = await Promise.all(ready.map((isolate) => isolate.ask('GET', '/ready', '')));
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [503, 'misconfigured'],
      [200, undefined],
    ]);
  });

  test('with a wrong secret is refused before a row is touched, and says how many workspaces are closed', async () => {
    const deployment = await deploy();
    const old = await deployment.isolate(ONLY_OLD);
    await workspacesOf(old, 3);
    const before = await content(deployment);
    const wrongs: [Record<string, string>, RegExp][] = [
      [
        { IDENTITY_SECRET: NEW, IDENTITY_SECRET_PREVIOUS: WRONG },
        /3 of 3 workspaces .*Set IDENTITY_SECRET_PREVIOUS/,
      ],
      [{ IDENTITY_SECRET: WRONG }, /IDENTITY_SECRET does not open the keys of 3 of 3 workspaces/],
      [{ IDENTITY_SECRET: 'short' }, /IDENTITY_SECRET has fewer than 32 characters/],
      [{ IDENTITY_SECRET: OLD, IDENTITY_SECRET_PREVIOUS: OLD }, /are the same/],
    ];
    for (const [secrets, message] of wrongs) {
      const { how, output } = await deployment.rotate(secrets);
      expect([how, output]).toEqual(['code 1', expect.stringMatching(message)]);
    }
    expect((await deployment.rotate(BOTH, '--batch-size=0')).output).toContain('--batch-size is not');
    expect((await deployment.rotate(BOTH, '--chek')).output).toContain('unknown argument --chek');
    expect((await deployment.rotate(BOTH, '--check')).how).toBe('code 0');
    expect(await content(deployment)).toBe(before);
    // Some workspaces open and one does not.
    await deployment.rotate(BOTH);
    await (await deployment.isolate({ IDENTITY_SECRET: WRONG })).makeWorkspace();
    const mixed = await content(deployment);
    for (const secrets of [BOTH, ONLY_NEW]) {
      const { how, output } = await deployment.rotate(secrets);
      expect([how, output]).toEqual(['code 1', expect.stringMatching(/keys of 1 of 4 workspaces/)]);
    }
    expect(await content(deployment)).toBe(mixed);
  });

  test('started twice at once gives each workspace one wrap', async () => {
    const deployment = await deploy();
    const workspaces = await workspacesOf(await deployment.isolate(ONLY_OLD), 20);
    const runs = await Promise.all([1, 2].map(() => deployment.rotate(BOTH, '--batch-size=3')));
    expect(runs.map(({ how }) => how)).toEqual(['code 0', 'code 0']);
    expect((await keysOf(deployment)).map(({ rows }) => rows)).toEqual([20, 20]);
    const ends = [ONLY_NEW, ONLY_OLD].map((secrets) => deployment.rotate(secrets, '--batch-size=1'));
    await Promise.all(ends);
    expect(await areKnown(await deployment.isolate(BOTH), workspaces)).toEqual([200]);
  });

  test('removes no wrap while another run removes the one that it keeps', async () => {
    const deployment = await deploy();
    const workspaces = await workspacesOf(await deployment.isolate(ONLY_OLD), 3);
    await deployment.rotate(BOTH);
    const other = new pg.Client({ connectionString: deployment.databaseUrl });
    await other.connect();
    await other.query('begin');
    await other.query(`select pg_advisory_xact_lock(hashtextextended('rotate_identities', 0))`);
    const running = deployment.startRotation(ONLY_OLD, []);
    const waiting = `select from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    let isEnded = false;
    running.exited.then(() => {
      isEnded = true;
    });
    while (!isEnded && (await other.query(waiting)).rows.length === 0) await sleep(20);
    const [{ secret_id } = {}] = await keysOf(deployment);
    await other.query('delete from identity_keys where secret_id = $1', [secret_id]);
    await other.query('commit');
    await other.end();
    expect(await running.exited).toBe('code 1');
    expect(await areKnown(await deployment.isolate(ONLY_NEW), workspaces)).toEqual([200]);
  });

  test('stops on SIGTERM after its batch, and goes on when it is run again', async () => {
    const deployment = await deploy();
    await workspacesOf(await deployment.isolate(ONLY_OLD), 10);
    const running = deployment.startRotation(BOTH, ['--batch-size=1'], (text) => {
      if (text.includes('added 2 of')) process.kill(running.pid, 'SIGTERM');
    });
    expect(await running.exited).toBe('code 1');
    expect(running.output()).toContain('stopped; run it again to go on');
    const [, added] = await keysOf(deployment);
    expect(added?.rows).toBeGreaterThanOrEqual(2);
    expect(added?.rows).toBeLessThan(10);
    expect((await deployment.rotate(BOTH)).how).toBe('code 0');
    expect((await keysOf(deployment)).map(({ rows }) => rows)).toEqual([10, 10]);
  });
});

describe.runIf(postgres?.reason === undefined)('a workspace of release 0.1.0', { timeout: 120_000 }, () => {
  test('has its keys stored by the first request, without a round trip, and keeps its people', async () => {
    const deployment = await deploy();
    const workspaces = await workspacesOf(await deployment.isolate(ONLY_OLD), 2);
    await forgetKeys(deployment, workspaces);
    const isolate = await deployment.isolate(ONLY_OLD);
    const [first = { id: '', token: '' }] = workspaces;
    const answer = await isolate.ask('POST', '/v1/people/lookup', first.token, { person: { user_id: 'u' } });
    expect([answer.status, answer.headers.get('server-timing')]).toEqual([
      200,
      expect.stringContaining('calls=2'),
    ]);
    const stored = await deployment.rows('select workspace_id, hash_version from identity_keys');
    expect(stored).toEqual([{ workspace_id: first.id, hash_version: 1 }]);
    expect(await areKnown(isolate, workspaces)).toEqual([200]);
    await isolate.ask('POST', '/v1/touchpoints', first.token, { touchpoints: [touchpoint('v', 'new')] });
    const versions = await deployment.rows('select distinct hash_version from identities');
    expect(versions).toEqual([{ hash_version: 1 }]);
    await deployment.rotate(BOTH);
    const ended = await deployment.rotate(ONLY_NEW);
    expect(ended.output).toContain('2 workspaces of release 0.1.0 keep the keys that were derived');
    expect(await areKnown(await deployment.isolate(ONLY_NEW), workspaces)).toEqual([200]);
  });

  test('is never guessed: 503 with two secrets, after a rotation, and until one request shows the secret', async () => {
    const deployment = await deploy();
    const workspaces = await workspacesOf(await deployment.isolate(ONLY_OLD), 3);
    await forgetKeys(deployment, workspaces);
    const unproved = await deployment.rotate(ONLY_OLD);
    expect([unproved.how, unproved.output]).toEqual(['code 1', expect.stringContaining('send one request')]);
    expect(await areKnown(await deployment.isolate(BOTH), workspaces)).toEqual([503]);
    expect((await deployment.rotate(BOTH)).output).toContain('without IDENTITY_SECRET_PREVIOUS');
    expect(await keysOf(deployment)).toEqual([]);
    // A workspace that is created with another secret shows that the secret has changed since.
    const other = await (await deployment.isolate(BOTH)).makeWorkspace();
    const misled = await (await deployment.isolate(ONLY_NEW)).ask(
      'GET',
      '/v1/goals',
      workspaces[0]?.token ?? '',
    );
    expect([misled.status, misled.body.detail]).toEqual([503, expect.stringContaining('rotate-identities')]);
    expect((await deployment.rotate(ONLY_NEW)).how).toBe('code 1');
    await deployment.rows('delete from workspaces where id = $1', [other.id]);
    const isolate = await deployment.isolate(ONLY_OLD);
    expect(await areKnown(isolate, workspaces.slice(0, 1))).toEqual([200]);
    const proved = await deployment.rotate(ONLY_OLD);
    expect([proved.how, proved.output]).toEqual(['code 0', expect.stringContaining('added 2 of 2')]);
    expect(await areKnown(await deployment.isolate(ONLY_OLD), workspaces)).toEqual([200]);
  });
});
