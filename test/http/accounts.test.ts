import papaparse from 'papaparse';
import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, idsIn, sale, touch } from './items.ts';

/** Accounts: created by an administrator, read by id or domain, listed, and the timeline of their people. */

needWorld();

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00.000Z`;

const put = (workspace: TestWorkspace, id: string, body: Json) =>
  workspace.ask('PUT', `/v1/accounts/${id}`, { body });

const get = async (workspace: TestWorkspace, id: string): Promise<Json> =>
  (await workspace.get(`/v1/accounts/${id}`)).body;

test('a name that was said with the domain alone goes to the account that turns out to own it, in either order', async () => {
  const byDomain = touch('d', {
    occurred_at: '2026-01-02T00:00:00Z',
    account: { domain: 'acme.com', name: 'Acme' },
  });
  const byId = touch('i', {
    occurred_at: '2026-01-01T00:00:00Z',
    account: { id: 'sf-1', domain: 'acme.com' },
  });
  for (const order of [
    [byDomain, byId],
    [byId, byDomain],
  ]) {
    const workspace = await TestWorkspace.make();
    for (const item of order) await workspace.touchpoints(item);
    expect((await workspace.get('/v1/accounts/sf-1')).body).toMatchObject({
      name: 'Acme',
      domains: ['acme.com'],
    });
  }
});

describe('PUT /v1/accounts/{id}', () => {
  test('makes an account, replaces it, and answers with what it is now, in one round trip', async () => {
    const workspace = await TestWorkspace.make();
    const made = await put(workspace, 'sf-1', { name: 'Acme', domains: ['acme.io', 'acme.com'] });
    expect(made.status).toBe(200);
    expect(made.body).toEqual({
      id: 'sf-1',
      name: 'Acme',
      domains: ['acme.com', 'acme.io'],
      people: 0,
      first_seen_at: null,
      last_seen_at: null,
      created_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    });
    const replaced = await put(workspace, 'sf-1', { domains: ['acme.com'] });
    expect(replaced.headers.get('server-timing')).toContain('calls=1');
    expect(replaced.body).toEqual({ ...made.body, name: null, domains: ['acme.com'] });
    expect(await get(workspace, 'sf-1')).toEqual(replaced.body);
    expect((await put(workspace, 'sf-1', {})).body.domains).toEqual([]);
  });

  test('compares domains as everywhere: lower case, punycode, no www., no space, each once', async () => {
    const workspace = await TestWorkspace.make();
    const { body } = await put(workspace, 'a', {
      domains: [' WWW.Acme.com ', 'acme.com.', 'acme.com', 'bücher.example'],
    });
    expect(body.domains).toEqual(['acme.com', 'xn--bcher-kva.example']);
  });

  test.for<[Json, string[]]>([
    [{ domains: ['acme.com', 'not a domain', 'acme.com/x'] }, ['/domains/1', '/domains/2']],
    [{ domains: ['gmail.com', 'acme.com', 'Fastmail.com'] }, ['/domains/0', '/domains/2']],
    [{ domains: [''] }, ['/domains/0']],
    [{ domains: 'acme.com' }, ['/domains']],
    [{ domains: Array.from({ length: 101 }, (_, i) => `a${i}.example`) }, ['/domains']],
    [{ name: '' }, ['/name']],
    [{ name: 'x'.repeat(501) }, ['/name']],
    [{ title: 'Acme' }, ['/title']],
  ])('refuses %j and points at %j', async ([body, pointers]) => {
    const workspace = await TestWorkspace.make();
    expectProblem(await put(workspace, 'a', body), 422, 'invalid_request', pointers);
    expect(await idsIn(workspace, '/v1/accounts')).toEqual([]);
  });

  test('refuses an id that is a placeholder, and one that could not be stored', async () => {
    const workspace = await TestWorkspace.make();
    for (const id of ['null', 'undefined', '%5Bobject%20Object%5D'])
      expectProblem(await put(workspace, id, {}), 422, 'invalid_request');
    for (const id of ['%00', 'x'.repeat(256)]) expectProblem(await put(workspace, id, {}), 404, 'not_found');
  });

  test('refuses domains that are another account’s, naming it, and changes nothing', async () => {
    const workspace = await TestWorkspace.make();
    await put(workspace, 'a', { domains: ['acme.com', 'acme.io'] });
    const taken = await put(workspace, 'b', { name: 'B', domains: ['b.example', 'acme.io', 'WWW.acme.com'] });
    expectProblem(taken, 409, 'domain_taken', ['/domains/1', '/domains/2']);
    expect(taken.body.errors[0].detail).toContain('put a without it');
    expectProblem(await workspace.get('/v1/accounts/b'), 404, 'not_found');
    await put(workspace, 'a', { domains: ['acme.com'] });
    expect((await put(workspace, 'b', { domains: ['acme.io'] })).status).toBe(200);
    expect(await get(workspace, 'acme.io')).toMatchObject({ id: 'b', domains: ['acme.io'] });
  });

  test('needs a key with the scope admin; reading needs read', async () => {
    const workspace = await TestWorkspace.make();
    await put(workspace, 'a', {});
    const { token } = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'] })).body;
    expectProblem(await ask('PUT', '/v1/accounts/b', { token, body: {} }), 403, 'forbidden');
    for (const path of ['', '/a', '/a/timeline'])
      expect((await ask('GET', `/v1/accounts${path}`, { token })).status).toBe(200);
    const ingest = (await workspace.post('/v1/keys', { name: 'i', scopes: ['ingest'] })).body.token;
    for (const path of ['', '/a', '/a/timeline'])
      expectProblem(await ask('GET', `/v1/accounts${path}`, { token: ingest }), 403, 'forbidden');
  });
});

describe('GET /v1/accounts/{id}', () => {
  test('counts the people who are or were of it, and says when they were seen there', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.goal('demo', { match: { touchpoints: [{ kind: ['demo'] }] } });
    const account = { id: 'a', name: 'Acme' };
    await workspace.touchpoints(
      touch('t1', { account, occurred_at: day(3) }),
      touch('t2', { account, occurred_at: day(4) }),
      touch('t3', { account, occurred_at: day(1), kind: 'demo', person: { user_id: 'u2' } }),
      touch('elsewhere', { account: { id: 'b' }, occurred_at: day(9) }),
    );
    await workspace.conversions(sale('s', { account, occurred_at: day(6), person: { user_id: 'u3' } }));
    const seen = { first_seen_at: day(1), last_seen_at: day(6) };
    expect(await get(workspace, 'a')).toMatchObject({ id: 'a', name: 'Acme', people: 3, ...seen });
    // A conversion that a voided touchpoint recorded does not count either.
    await workspace.ask('DELETE', '/v1/touchpoints/t3');
    expect(await get(workspace, 'a')).toMatchObject({ people: 3, first_seen_at: day(3) });
  });

  test('takes one of its domains, as it is compared; an account whose id is that domain goes first', async () => {
    const workspace = await TestWorkspace.make();
    await put(workspace, 'sf-1', { domains: ['acme.com'] });
    for (const id of ['acme.com', 'ACME.com', 'www.acme.com'])
      expect(await get(workspace, id)).toMatchObject({ id: 'sf-1' });
    await put(workspace, 'acme.com', { name: 'Other' });
    expect(await get(workspace, 'acme.com')).toMatchObject({ id: 'acme.com', name: 'Other', domains: [] });
    expect(await get(workspace, 'ACME.com')).toMatchObject({ id: 'sf-1' });
  });

  test('is 404 for an id nobody has, and in another workspace', async () => {
    const [mine, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    await put(mine, 'a', { domains: ['acme.com'] });
    for (const id of ['a', 'acme.com']) {
      expectProblem(await other.get(`/v1/accounts/${id}`), 404, 'not_found');
      expectProblem(await other.get(`/v1/accounts/${id}/timeline`), 404, 'not_found');
    }
    for (const id of ['b', '%00', 'not%20a%20domain'])
      expectProblem(await mine.get(`/v1/accounts/${id}`), 404, 'not_found');
  });
});

describe('GET /v1/accounts', () => {
  test.for([1, 2, 1000])(
    'lists newest first, the greater id at one instant, in pages of %i',
    async (limit) => {
      const workspace = await TestWorkspace.make();
      const batch = ['a', 'B', 'é', '10', '9'];
      await workspace.touchpoints(...batch.map((id, i) => touch(`t${i}`, { account: { id } })));
      await put(workspace, 'newest', { domains: ['acme.com'] });
      const bytewise = batch.toSorted((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)));
      expect(await idsIn(workspace, '/v1/accounts', limit)).toEqual(['newest', ...bytewise]);
    },
  );

  test('shows the domains that are the account’s, and is a table too', async () => {
    const workspace = await TestWorkspace.make();
    const account = (id: string, domain: string) => ({ account: { id, domain } });
    await workspace.touchpoints(
      touch('1', { ...account('first', 'acme.com'), occurred_at: day(1) }),
      touch('2', { ...account('second', 'acme.com'), occurred_at: day(2) }),
      touch('3', { account: { domain: 'beta.io' }, occurred_at: day(3) }),
    );
    const { body } = await workspace.get('/v1/accounts');
    expect(body.data.map(({ id, domains }: Json) => [id, domains])).toEqual([
      ['second', []],
      ['first', ['acme.com']],
      ['beta.io', ['beta.io']],
    ]);
    const csv = (await workspace.get('/v1/accounts?format=csv')).text;
    const { data } = papaparse.parse<Record<string, string>>(csv.trimEnd(), { header: true });
    expect(Object.keys(data[0] ?? {})).toEqual(['id', 'name', 'domains', 'created_at']);
    const lines = (await workspace.get('/v1/accounts?format=ndjson')).text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(body.data);
    for (const query of ['?cursor=x', '?limit=0', '?name=a'])
      expectProblem(await workspace.get(`/v1/accounts${query}`), 422, 'invalid_request');
  });
});

/** Two people at acme, one of whom moves to beta later. */
async function workspaceWithHistory(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const [ann, bob] = [{ user_id: 'ann' }, { user_id: 'bob' }];
  await workspace.touchpoints(
    touch('t1', { occurred_at: day(1), person: ann, account: { id: 'acme', domain: 'acme.com' } }),
    touch('t2', { occurred_at: day(2), person: bob, account: { domain: 'acme.com' } }),
    touch('t4', { occurred_at: day(4), person: bob, account: { id: 'beta' } }),
    touch('t5', { occurred_at: day(5), person: bob }),
  );
  await workspace.conversions(
    sale('s3', { occurred_at: day(3), person: ann, currency: 'EUR' }),
    sale('s6', { occurred_at: day(6), person: ann }),
    sale('s7', { occurred_at: day(7), person: bob }),
  );
  return workspace;
}

describe('GET /v1/accounts/{id}/timeline', () => {
  test('has what everyone did while they were there, and says who, in pages of any size', async () => {
    const workspace = await workspaceWithHistory();
    const acme = ['s6', 's3', 't2', 't1'];
    for (const limit of [1, 2, 3, 1000])
      expect(await idsIn(workspace, '/v1/accounts/acme.com/timeline', limit)).toEqual(acme);
    expect(await idsIn(workspace, '/v1/accounts/beta/timeline')).toEqual(['s7', 't5', 't4']);
    const { body } = await workspace.get('/v1/accounts/acme/timeline');
    const ann = (await workspace.get('/v1/touchpoints/t1')).body.person_id;
    const bob = (await workspace.get('/v1/touchpoints/t5')).body.person_id;
    expect(body.data.map((row: Json) => row.person_id)).toEqual([ann, ann, bob, ann]);
  });

  test('has the entries of the person’s history, each with its person', async () => {
    const workspace = await workspaceWithHistory();
    const person_id: string = (await workspace.get('/v1/touchpoints/t1')).body.person_id;
    const own = (await workspace.get(`/v1/people/${person_id}/timeline`)).body.data;
    const { data } = (await workspace.get('/v1/accounts/acme/timeline')).body;
    expect(data.filter((row: Json) => row.person_id === person_id)).toEqual(
      own.map((entry: Json) => ({ ...entry, person_id })),
    );
    expect(Object.keys(own[0])).not.toContain('person_id');
  });

  test('takes a range, its own cursors and formats; with nothing in the range it is empty', async () => {
    const workspace = await workspaceWithHistory();
    const path = '/v1/accounts/acme/timeline';
    expect(await idsIn(workspace, `${path}?from=2025-06-02&to=2025-06-04`)).toEqual(['s3', 't2']);
    expect((await workspace.get(`${path}?to=2025-06-01`)).body).toEqual({
      data: [],
      has_more: false,
      next_cursor: null,
    });
    await put(workspace, 'empty', {});
    expect(await idsIn(workspace, '/v1/accounts/empty/timeline')).toEqual([]);
    expectProblem(await workspace.get(`${path}?cursor=x`), 422, 'invalid_request', ['?cursor']);
    const { data } = (await workspace.get(path)).body;
    const lines = (await workspace.get(`${path}?format=ndjson`)).text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(data);
    expect((await workspace.get(`${path}?format=csv`)).text.split('\r\n')[0]).toContain('person_id');
  });
});

test('a workspace that is deleted leaves no row in any table', async () => {
  const workspace = await workspaceWithHistory();
  await put(workspace, 'acme', { domains: ['acme.io'] });
  await workspace.load('people', [{ person: { user_id: 'ann', email: 'ann@acme.com' }, traits: { a: 1 } }]);
  await workspace.post('/v1/conversions/s3/adjustments', { kind: 'retraction' });
  await workspace.touchpoints(touch('bad', { kind: 'nope' }));
  const gone: string = (await workspace.get('/v1/touchpoints/t5')).body.person_id;
  await workspace.ask('DELETE', `/v1/people/${gone}`);
  const tables = await rowsOf(
    `select table_name::text as name from information_schema.columns
     where table_schema = 'public' and column_name = 'workspace_id'`,
    [],
  );
  const counts = async () => {
    const found: Record<string, number> = {};
    for (const { name } of tables) {
      const [row] = await rowsOf(`select count(*)::int as n from ${name} where workspace_id = $1`, [
        workspace.id,
      ]);
      found[String(name)] = Number(row?.n);
    }
    return found;
  };
  const filled = Object.entries(await counts()).filter(([, n]) => n > 0);
  expect(filled.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      ...[
        'account_domains',
        'account_facts',
        'accounts',
        'adjustments',
        'audit_log',
        'conversions',
        'erasures',
      ],
      ...['goals', 'identities', 'identity_links', 'keys', 'people', 'person_updates', 'rejections'],
      ...['tombstones', 'touchpoints'],
    ]),
  );
  const { status } = await ask('DELETE', `/v1/workspaces/${workspace.id}`, { token: world.rootKey });
  expect(status).toBeLessThan(300);
  expect(Object.entries(await counts()).filter(([, n]) => n > 0)).toEqual([]);
});
