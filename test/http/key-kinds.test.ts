import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, touch } from './items.ts';

/** The life cycle of keys: the two kinds, rotation, and the day of last use. */

needWorld();

const ORIGIN = 'https://shop.example';
const PUBLISHABLE = { name: 'Shop', kind: 'publishable', allowed_origins: [ORIGIN] };
const TODAY = () => new Date().toISOString().slice(0, 10);

describe('a publishable key', () => {
  test('has its own prefix, the scope ingest alone, and the origins that were named, normalised and once each', async () => {
    const workspace = await TestWorkspace.make();
    const allowed_origins = ['HTTPS://Shop.Example:443', ORIGIN, 'http://localhost:3000'];
    const { body, status } = await workspace.post('/v1/keys', { ...PUBLISHABLE, allowed_origins });
    expect(status).toBe(201);
    expect(body.token).toMatch(/^tl_pk_[0-9A-Za-z]{49}$/);
    expect(body).toMatchObject({
      kind: 'publishable',
      scopes: ['ingest'],
      allowed_origins: [ORIGIN, 'http://localhost:3000'],
      last_used_on: null,
    });
    const listed = (await workspace.get('/v1/keys')).body.data;
    expect(listed.at(-1)).toEqual({ ...body, token: undefined });
  });

  test.for<[Json, string[]]>([
    [{ ...PUBLISHABLE, scopes: ['ingest', 'read'] }, ['/scopes']],
    [{ ...PUBLISHABLE, allowed_origins: undefined }, ['/allowed_origins']],
    [{ ...PUBLISHABLE, allowed_origins: [] }, ['/allowed_origins']],
    [{ ...PUBLISHABLE, allowed_origins: ['https://shop.example/x'] }, ['/allowed_origins/0']],
    [{ ...PUBLISHABLE, allowed_origins: [ORIGIN, '*'] }, ['/allowed_origins/1']],
    [{ ...PUBLISHABLE, allowed_origins: Array(51).fill(ORIGIN) }, ['/allowed_origins']],
    [{ name: 'k', scopes: ['read'], allowed_origins: [ORIGIN] }, ['/allowed_origins']],
    [{ name: 'k' }, ['/scopes']],
    [{ name: 'k', kind: 'public', scopes: ['read'] }, ['/kind']],
  ])('or another is refused where it does not fit: %j', async ([body, pointers]) => {
    const workspace = await TestWorkspace.make();
    expectProblem(await workspace.post('/v1/keys', body), 422, 'invalid_request', pointers);
  });
});

describe('a key that is rotated', () => {
  const opens = async (token: string) => (await ask('GET', '/v1/goals', { token })).status;

  test('gets a successor like it, and both work for the grace', async () => {
    const workspace = await TestWorkspace.make();
    const expires_at = '2099-01-01T00:00:00.000Z';
    const old = (await workspace.post('/v1/keys', { name: 'R', scopes: ['read'], expires_at })).body;
    const started = Date.now();
    const { body, status } = await workspace.post(`/v1/keys/${old.id}/rotate`, { grace_seconds: 60 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'R', kind: 'secret', scopes: ['read'], expires_at });
    expect(body.id).not.toBe(old.id);
    expect(body.token).not.toBe(old.token);
    expect([await opens(old.token), await opens(body.token)]).toEqual([200, 200]);
    const listed: Json[] = (await workspace.get('/v1/keys')).body.data;
    const ends = Date.parse(listed.find(({ id }) => id === old.id)?.expires_at) - started;
    expect(ends).toBeGreaterThan(55_000);
    expect(ends).toBeLessThan(65_000);
  });

  test('ends at once without grace, after a day by default, and never later than it would have', async () => {
    const workspace = await TestWorkspace.make();
    const make = async (settings: Json = {}) =>
      (await workspace.post('/v1/keys', { name: 'R', scopes: ['read'], ...settings })).body;
    const [now, later, soon] = [
      await make(),
      await make(),
      await make({ expires_at: '2099-01-01T00:00:00Z' }),
    ];
    expect(await opens(now.token)).toBe(200);
    const next = (await workspace.post(`/v1/keys/${now.id}/rotate`, { grace_seconds: 0 })).body;
    expect([await opens(now.token), await opens(next.token)]).toEqual([401, 200]);
    await workspace.post(`/v1/keys/${later.id}/rotate`, {});
    const expiring = new Date(Date.now() + 60_000).toISOString();
    await rowsOf('update keys set expires_at = $1 where id = $2', [expiring, soon.id]);
    await workspace.post(`/v1/keys/${soon.id}/rotate`, { grace_seconds: 604_800 });
    const listed = new Map<string, Json>(
      (await workspace.get('/v1/keys')).body.data.map((key: Json) => [key.id, key]),
    );
    const day = Date.parse(listed.get(later.id).expires_at) - Date.now();
    expect(Math.abs(day - 86_400_000)).toBeLessThan(10_000);
    expect(listed.get(soon.id).expires_at).toBe(expiring);
    // The key has expired, so it cannot be rotated.
    expectProblem(await workspace.post(`/v1/keys/${now.id}/rotate`, {}), 404, 'not_found');
  });

  test('stays publishable, with its origins; of another workspace it is not there', async () => {
    const [workspace, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    const { id } = (await workspace.post('/v1/keys', PUBLISHABLE)).body;
    expectProblem(await other.post(`/v1/keys/${id}/rotate`, {}), 404, 'not_found');
    const { body } = await workspace.post(`/v1/keys/${id}/rotate`, {});
    expect(body.token).toMatch(/^tl_pk_/);
    expect(body.allowed_origins).toEqual([ORIGIN]);
    for (const grace_seconds of [-1, 604_801, 1.5])
      expectProblem(await workspace.post(`/v1/keys/${id}/rotate`, { grace_seconds }), 422, 'invalid_request');
  });
});

describe('the day of the last use', () => {
  test('is noted in the round trip of a request, and the key that is not used has none', async () => {
    const workspace = await TestWorkspace.make();
    const idle = (await workspace.post('/v1/keys', { name: 'idle', scopes: ['read'] })).body;
    const used = (await workspace.post('/v1/keys', { name: 'used', scopes: ['ingest'] })).body;
    const answer = await ask('POST', '/v1/touchpoints', {
      token: used.token,
      body: { touchpoints: [touch('t')] },
    });
    // One call looks up the key, one stores the item.
    expect(answer.headers.get('server-timing')).toContain('calls=2');
    const listed = (await workspace.get('/v1/keys')).body.data;
    const day = (id: string) => listed.find((key: Json) => key.id === id).last_used_on;
    expect([day(used.id), day(idle.id)]).toEqual([TODAY(), null]);
  });

  test('is written once a day and isolate', async () => {
    const workspace = await TestWorkspace.make();
    const { id, token } = (await workspace.post('/v1/keys', { name: 'k', scopes: ['read'] })).body;
    await ask('GET', '/v1/goals', { token });
    await rowsOf("update keys set last_used_on = '2020-01-01' where id = $1", [id]);
    await ask('GET', '/v1/goals', { token });
    const [row] = await rowsOf('select last_used_on::text as day from keys where id = $1', [id]);
    expect(row?.day).toBe('2020-01-01');
  });

  test('is not written by a request that is refused', async () => {
    const workspace = await TestWorkspace.make();
    const { id, token } = (await workspace.post('/v1/keys', { name: 'k', scopes: ['read'] })).body;
    expectProblem(await ask('GET', '/v1/keys', { token }), 403, 'forbidden');
    const headers = { origin: ORIGIN };
    expectProblem(await ask('GET', '/v1/goals', { token, headers }), 403, 'forbidden');
    const [row] = await rowsOf('select last_used_on from keys where id = $1', [id]);
    expect(row?.last_used_on).toBeNull();
  });
});

test('the root key makes a publishable key too', async () => {
  const workspace = await TestWorkspace.make();
  const { body } = await ask('POST', `/v1/workspaces/${workspace.id}/keys`, {
    token: world.rootKey,
    body: PUBLISHABLE,
  });
  expect(body).toMatchObject({ kind: 'publishable', allowed_origins: [ORIGIN] });
});
