import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, pointersOf, sale, statusesOf, touch } from './items.ts';

/** Dated membership: the account of every touchpoint and conversion, and the present account of a person. */

needWorld();

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00.000Z`;

/** A touchpoint of `u1` on a day, with or without an account. */
const on = (n: number, id: string, changes: Json = {}) => touch(id, { occurred_at: day(n), ...changes });

/** The account of every touchpoint (or conversion), by id. */
async function accountsOf(workspace: TestWorkspace, list = 'touchpoints'): Promise<Json> {
  const { data } = (await workspace.get(`/v1/${list}?limit=1000`)).body;
  return Object.fromEntries(data.map((row: Json) => [row.id, row.account_id]));
}

async function personOf(workspace: TestWorkspace, person: Json = { user_id: 'u1' }): Promise<Json> {
  return (await workspace.post('/v1/people/lookup', { person })).body;
}

const put = (workspace: TestWorkspace, id: string, domains: string[]) =>
  workspace.ask('PUT', `/v1/accounts/${id}`, { body: { domains } });

describe('an item', () => {
  test('names its account by id, by domain, or both; a touchpoint and a conversion show it', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const accounts = [{ id: 'sf-1' }, { domain: 'WWW.Beta.io' }, { id: 'sf-3', domain: 'cat.com' }];
    const about = accounts.map((account, i) => ({ account, person: { user_id: `p${i}` } }));
    await workspace.touchpoints(...about.map((changes, i) => touch(`t${i}`, changes)));
    await workspace.conversions(...about.map((changes, i) => sale(`s${i}`, changes)));
    expect(await accountsOf(workspace)).toEqual({ t0: 'sf-1', t1: 'beta.io', t2: 'sf-3' });
    expect(await accountsOf(workspace, 'conversions')).toEqual({ s0: 'sf-1', s1: 'beta.io', s2: 'sf-3' });
    expect((await workspace.get('/v1/touchpoints/t1')).body.account_id).toBe('beta.io');
    expect((await workspace.get('/v1/conversions/s2')).body.account_id).toBe('sf-3');
    const only = (await workspace.get('/v1/touchpoints?account_id=sf-3')).body.data;
    expect(only.map((row: Json) => row.id)).toEqual(['t2']);
  });

  test('of a person of whom no company is known has none', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('t'), touch('o', { person: { user_id: 'u2' }, account: { id: 'a' } }));
    await workspace.conversions(sale('s'));
    expect(await accountsOf(workspace)).toEqual({ t: null, o: 'a' });
    expect(await accountsOf(workspace, 'conversions')).toEqual({ s: null });
    expect((await personOf(workspace)).account).toBeNull();
  });

  test('is of the latest company at its time, else of the first later one, and its own word wins', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const accounts = { a: { account: { id: 'A' } }, b: { account: { id: 'B' } } };
    await workspace.touchpoints(on(1, 'before'), on(3, 'at-a', accounts.a), on(6, 'at-b', accounts.b));
    await workspace.touchpoints(on(5, 'stays-a'), on(6, 'with-b'), on(9, 'after'));
    await workspace.load('people', [
      { person: { user_id: 'u1' }, account: { id: 'C', name: 'Cat' }, occurred_at: day(8) },
    ]);
    await workspace.conversions(sale('s', { occurred_at: day(7) }), sale('s9', { occurred_at: day(9) }));
    expect(await accountsOf(workspace)).toEqual({
      ...{ before: 'A', 'at-a': 'A', 'stays-a': 'A', 'at-b': 'B', 'with-b': 'B', after: 'C' },
    });
    expect(await accountsOf(workspace, 'conversions')).toEqual({ s: 'B', s9: 'C' });
    expect((await personOf(workspace)).account).toEqual({ id: 'C', name: 'Cat' });
    await workspace.touchpoints(on(3, 'own', { account: { id: 'D' } }));
    // At one instant the greater account id applies to the person; each item keeps the account it names.
    expect(await accountsOf(workspace)).toMatchObject({ 'at-a': 'A', own: 'D', before: 'D', 'stays-a': 'D' });
  });

  test('that comes late moves exactly the rows between it and the next fact', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const days = [1, 2, 3, 4, 5, 6, 7];
    await workspace.touchpoints(
      ...days.map((n) => on(n, `t${n}`)),
      on(2, 'a', { account: { id: 'A' } }),
      on(6, 'c', { account: { id: 'C' } }),
    );
    await workspace.conversions(...days.map((n) => sale(`s${n}`, { occurred_at: day(n) })));
    const expected = (prefix: string, accounts: string) =>
      Object.fromEntries(days.map((n, i) => [`${prefix}${n}`, accounts[i]]));
    expect(await accountsOf(workspace, 'conversions')).toEqual(expected('s', 'AAAAACC'));
    await workspace.touchpoints(on(4, 'b', { account: { id: 'B' } }));
    expect(await accountsOf(workspace, 'conversions')).toEqual(expected('s', 'AAABBCC'));
    expect(await accountsOf(workspace)).toEqual({ ...expected('t', 'AAABBCC'), a: 'A', b: 'B', c: 'C' });
    expect((await personOf(workspace)).account.id).toBe('C');
  });

  test('at the same instant: named goes before e-mail, then the greater id, bytewise', async () => {
    const workspace = await TestWorkspace.make({ accounts_from_email: true });
    const names = ['B', 'a', 'é', 'Z'];
    await workspace.touchpoints(
      touch('t'),
      ...names.map((id) => touch(id, { account: { id }, person: { user_id: 'u1' } })),
      touch('mail', { person: { user_id: 'u1', email: 'ann@zzz.example' } }),
    );
    expect(await accountsOf(workspace)).toMatchObject({ t: 'é', mail: 'é' });
    const other = await TestWorkspace.make({ accounts_from_email: true });
    await other.touchpoints(touch('mail', { person: { user_id: 'u1', email: 'ann@zzz.example' } }));
    expect(await accountsOf(other)).toEqual({ mail: 'zzz.example' });
    await other.touchpoints(touch('named', { account: { id: 'A' } }));
    expect(await accountsOf(other)).toEqual({ mail: 'A', named: 'A' });
  });

  test('that names no company but a public mail provider or a placeholder goes in with a warning', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.touchpoints(
      touch('1', { account: { domain: 'GMail.com' } }),
      touch('2', { account: { id: 'null' } }),
      touch('3', { account: { id: 'undefined', domain: 'acme.com' }, person: { user_id: 'u3' } }),
    );
    expect(statusesOf(answer)).toEqual(['accepted', 'accepted', 'accepted']);
    const warned = answer.body.results.map((result: Json) => pointersOf(result.warnings));
    expect(warned).toEqual([
      ['/touchpoints/0/account/domain'],
      ['/touchpoints/1/account/id'],
      ['/touchpoints/2/account/id'],
    ]);
    expect(await accountsOf(workspace)).toEqual({ 1: null, 2: null, 3: 'acme.com' });
  });

  test.for<[Json, string]>([
    [{}, '/touchpoints/0/account'],
    [{ name: 'Acme' }, '/touchpoints/0/account'],
    [{ id: 'a', website: 'acme.com' }, '/touchpoints/0/account/website'],
    [{ domain: 'not a domain' }, '/touchpoints/0/account/domain'],
    [{ id: '' }, '/touchpoints/0/account'],
    ['acme.com', '/touchpoints/0/account'],
  ])('with the account %j is rejected at %s', async ([account, pointer]) => {
    const workspace = await TestWorkspace.make();
    const { body, status } = await workspace.touchpoints(touch('t', { account }));
    expect(status).toBe(422);
    expect(pointersOf(body.results[0].errors)).toEqual([pointer]);
    expect((await workspace.get('/v1/accounts')).body.data).toEqual([]);
  });

  test('names its account, the last word counting, whenever it comes', async () => {
    const workspace = await TestWorkspace.make();
    const said = (n: number, name: string) => on(n, `t${n}`, { account: { id: 'a', name } });
    for (const [n, name] of [
      [2, 'Old'],
      [5, 'New'],
      [3, 'Between'],
    ] as const)
      await workspace.touchpoints(said(n, name));
    expect((await workspace.get('/v1/accounts/a')).body.name).toBe('New');
    expect((await personOf(workspace)).account).toEqual({ id: 'a', name: 'New' });
  });
});

describe('a domain', () => {
  const byDomain = (n: number, id: string) =>
    on(n, id, { account: { domain: 'acme.com' }, person: { user_id: id } });
  const claim = (n: number, id: string, account: string) =>
    on(n, id, { account: { id: account, domain: 'acme.com' }, person: { user_id: id } });

  test('is an account of its own until an item says whose it is, and then everything is that one’s', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(
      byDomain(1, 't1'),
      byDomain(2, 't2'),
      on(3, 't3', { person: { user_id: 't1' } }),
    );
    expect((await workspace.get('/v1/accounts/acme.com')).body).toMatchObject({ id: 'acme.com', people: 2 });
    await workspace.touchpoints(claim(9, 'c', 'sf-1'));
    const all = { t1: 'sf-1', t2: 'sf-1', t3: 'sf-1', c: 'sf-1' };
    expect(await accountsOf(workspace)).toEqual(all);
    expect((await workspace.get('/v1/accounts/acme.com')).body).toMatchObject({
      ...{ id: 'sf-1', domains: ['acme.com'], people: 3, first_seen_at: day(1), last_seen_at: day(9) },
    });
    expect((await workspace.get('/v1/accounts')).body.data).toHaveLength(1);
    await workspace.touchpoints(byDomain(1, 'later'));
    expect(await accountsOf(workspace)).toEqual({ ...all, later: 'sf-1' });
  });

  test('is the one’s who claimed it first by its time, whatever comes first; then the smaller id', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(byDomain(1, 't'), claim(5, 'c5', 'late'));
    expect(await accountsOf(workspace)).toMatchObject({ t: 'late' });
    await workspace.touchpoints(claim(3, 'c3', 'tie-b'));
    expect(await accountsOf(workspace)).toMatchObject({ t: 'tie-b', c5: 'late' });
    await workspace.touchpoints(claim(3, 'c3a', 'tie-a'), claim(4, 'c4', 'never'));
    expect(await accountsOf(workspace)).toMatchObject({ t: 'tie-a', c3: 'tie-b', c4: 'never' });
  });

  test('is the one’s that an admin says, above all items, until it is withdrawn', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(byDomain(1, 't'), claim(2, 'c', 'said'));
    await put(workspace, 'admins', ['acme.com']);
    expect(await accountsOf(workspace)).toEqual({ t: 'admins', c: 'said' });
    await workspace.touchpoints(claim(1, 'c1', 'earlier'));
    expect(await accountsOf(workspace)).toMatchObject({ t: 'admins' });
    await put(workspace, 'admins', []);
    expect(await accountsOf(workspace)).toEqual({ t: 'earlier', c: 'said', c1: 'earlier' });
    const alone = await TestWorkspace.make();
    await alone.touchpoints(byDomain(1, 't'));
    await put(alone, 'admins', ['acme.com']);
    await put(alone, 'admins', []);
    expect(await accountsOf(alone)).toEqual({ t: 'acme.com' });
    expect((await alone.get('/v1/accounts/acme.com')).body).toMatchObject({ domains: ['acme.com'] });
  });
});

describe('accounts_from_email', () => {
  const mail = (email: string, id = email) => touch(id, { person: { email } });

  test('is off by default', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(mail('ann@acme.com'));
    expect(await accountsOf(workspace)).toEqual({ 'ann@acme.com': null });
    expect((await workspace.get('/v1/accounts')).body.data).toEqual([]);
  });

  test.for(['hashed', 'plain'])(
    'takes the company from an address, %s, never a mail provider',
    async (storage) => {
      const workspace = await TestWorkspace.make({ identity_storage: storage });
      await workspace.ask('PATCH', '/v1/workspace', { body: { accounts_from_email: true } });
      const addresses = [
        'ann@acme.com',
        'Bob@ACME.com',
        'cid@mail.acme.com',
        'dot@gmail.com',
        'eve@fastmail.com',
      ];
      await workspace.touchpoints(
        ...addresses.map((email) => mail(email)),
        mail('x@localhost', 'no-dot'),
        touch('u1', { person: { user_id: 'u1' }, occurred_at: day(9) }),
      );
      expect(Object.values(await accountsOf(workspace))).toEqual(
        expect.arrayContaining(['acme.com', 'mail.acme.com', null]),
      );
      expect(await accountsOf(workspace)).toEqual({
        ...{ 'ann@acme.com': 'acme.com', 'Bob@ACME.com': 'acme.com', 'cid@mail.acme.com': 'mail.acme.com' },
        ...{ 'dot@gmail.com': null, 'eve@fastmail.com': null, 'no-dot': null, u1: null },
      });
      await workspace.load('people', [{ person: { user_id: 'u1', email: 'ann@acme.com' }, occurred_at: AT }]);
      expect(await accountsOf(workspace)).toMatchObject({ u1: 'acme.com' });
      expect((await personOf(workspace)).account).toEqual({ id: 'acme.com', name: null });
    },
  );

  test('means the account that the domain is of', async () => {
    const workspace = await TestWorkspace.make({ accounts_from_email: true });
    await workspace.touchpoints(mail('ann@acme.com', 'before'));
    await put(workspace, 'sf-1', ['acme.com']);
    await workspace.touchpoints(mail('bob@acme.com', 'after'));
    expect(await accountsOf(workspace)).toEqual({ before: 'sf-1', after: 'sf-1' });
  });
});
