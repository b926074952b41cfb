import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { creditsOf, sale, touch } from './items.ts';

/** Accounts in other features: journeys of a whole company, people who merge and split, and erasure. */

needWorld();

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00.000Z`;
const [ann, bob] = [{ user_id: 'ann' }, { user_id: 'bob' }];
const at = (n: number, person: Json, changes: Json = {}) => ({ occurred_at: day(n), person, ...changes });

const reportOf = async (workspace: TestWorkspace, query: string): Promise<Json> =>
  (await workspace.get(`/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01&${query}`)).body;

const explanationOf = async (workspace: TestWorkspace, id: string, query: string): Promise<Json> =>
  (await workspace.get(`/v1/conversions/${id}/explanation?${query}`)).body;

const idsOf = (rows: Json[]): string[] => rows.map(({ id }) => id);

async function accountsOf(workspace: TestWorkspace, list = 'touchpoints'): Promise<Json> {
  const { data } = (await workspace.get(`/v1/${list}?limit=1000`)).body;
  return Object.fromEntries(data.map((row: Json) => [row.id, row.account_id]));
}

async function personIdOf(workspace: TestWorkspace, person: Json): Promise<string> {
  return (await workspace.post('/v1/people/lookup', { person })).body.id;
}

/**
 * Ann and Bob are at acme. Ann has a touch on day 1, Bob on days 5 and 8; Bob buys on day 10. A stranger has a touch
 * too.
 */
async function company(goal: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase', goal);
  await workspace.load('people', [
    { ...at(1, ann), account: { id: 'acme' } },
    { ...at(1, bob), account: { id: 'acme' } },
  ]);
  await workspace.touchpoints(
    touch('ann1', at(1, ann, { channel: 'x' })),
    touch('bob5', at(5, bob, { channel: 'email' })),
    touch('bob8', at(8, bob, { channel: 'call' })),
    touch('stranger', at(2, { user_id: 'cid' }, { channel: 'linkedin' })),
  );
  await workspace.conversions(sale('sold', at(10, bob, { value: 90 })));
  return workspace;
}

describe('two people of one company, of whom the second converts,', () => {
  let workspace: TestWorkspace;
  beforeAll(async () => {
    if (world.missing === null) workspace = await company();
  });

  test('share the credit under scope=account; under scope=person only the own touches have it', async () => {
    const query = 'models=linear&group_by=channel';
    expect(creditsOf(await reportOf(workspace, `${query}&scope=account`))).toEqual({
      x: 30,
      email: 30,
      call: 30,
    });
    for (const own of [query, `${query}&scope=person`])
      expect(creditsOf(await reportOf(workspace, own))).toEqual({ email: 45, call: 45 });
  });

  test('explain it: the colleague’s touch is left out as another’s, or considered', async () => {
    const alone = await explanationOf(workspace, 'sold', 'models=linear&scope=person');
    expect(idsOf(alone.considered)).toEqual(['bob5', 'bob8']);
    expect(alone.left_out).toEqual([{ id: 'ann1', reason: 'other_person_of_account' }]);
    expect(alone.left_out_counts).toEqual({ other_person_of_account: 1 });
    const together = await explanationOf(workspace, 'sold', 'models=linear&scope=account');
    expect(idsOf(together.considered)).toEqual(['ann1', 'bob5', 'bob8']);
    expect(together.left_out).toEqual([]);
  });
});

describe('under scope=account', () => {
  test('journey=reset begins anew after the colleague’s conversion', async () => {
    const workspace = await company();
    await workspace.conversions(sale('first', at(6, ann, { value: 10 })));
    const query = 'models=linear&group_by=channel&journey=reset';
    // The first conversion uses the touches of days 1 and 5; the second has the touch of day 8.
    expect(creditsOf(await reportOf(workspace, `${query}&scope=account`))).toEqual({
      x: 5,
      email: 5,
      call: 90,
    });
    expect(creditsOf(await reportOf(workspace, `${query}&scope=person`))).toEqual({
      x: 10,
      email: 45,
      call: 45,
    });
    const { left_out } = await explanationOf(workspace, 'sold', 'models=linear&journey=reset&scope=account');
    expect(left_out).toEqual([
      { id: 'bob5', reason: 'used_by_previous' },
      { id: 'ann1', reason: 'used_by_previous' },
    ]);
  });

  test('a goal that counts once counts the company’s first', async () => {
    const workspace = await company({ counting: 'once' });
    await workspace.conversions(sale('first', at(6, ann, { value: 10 })));
    const totalsOf = async (scope: string) =>
      (await reportOf(workspace, `models=linear&scope=${scope}`)).totals;
    expect(await totalsOf('account')).toMatchObject({ conversions: 1, value: 10 });
    expect(await totalsOf('person')).toMatchObject({ conversions: 2, value: 100 });
    expect((await explanationOf(workspace, 'sold', 'models=linear&scope=account')).conversion).toMatchObject({
      counted: false,
    });
  });

  test('milestones of a colleague count', async () => {
    const workspace = await company();
    for (const goal of ['lead', 'opportunity']) await workspace.goal(goal);
    await workspace.touchpoints(touch('ann3', at(3, ann, { channel: 'demo' })));
    await workspace.conversions(
      sale('l', at(3, ann, { goal: 'lead' })),
      sale('o', at(8, bob, { goal: 'opportunity' })),
    );
    const query = 'models=w_shaped&milestones=lead,opportunity&group_by=channel';
    expect(creditsOf(await reportOf(workspace, `${query}&scope=account`), 'w_shaped')).toEqual({
      ...{ x: 27, demo: 27, email: 9, call: 27 },
    });
    // Bob alone has no lead: the share of the lead, and that of the touches in between, is renormalised away.
    expect(creditsOf(await reportOf(workspace, `${query}&scope=person`), 'w_shaped')).toEqual({
      ...{ email: 45, call: 45 },
    });
  });
});

describe('people', () => {
  test('of different companies who merge, and are unlinked: rows go by the facts of whoever it is then', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const cat = { x: 'cat' };
    await workspace.touchpoints(
      touch('ann1', at(1, ann, { account: { id: 'A' } })),
      touch('ann6', at(6, ann)),
      touch('cat5', at(5, cat, { account: { id: 'B' } })),
      touch('cat4', at(4, cat)),
    );
    await workspace.conversions(sale('ann-sold', at(7, ann)), sale('cat-sold', at(2, cat)));
    const apart = { ann1: 'A', ann6: 'A', cat4: 'B', cat5: 'B' };
    const soldApart = { 'ann-sold': 'A', 'cat-sold': 'B' };
    expect([await accountsOf(workspace), await accountsOf(workspace, 'conversions')]).toEqual([
      apart,
      soldApart,
    ]);
    await workspace.load('people', [{ id: 'l', person: { ...ann, ...cat }, occurred_at: day(9) }]);
    expect(await accountsOf(workspace)).toEqual({ ann1: 'A', cat4: 'A', cat5: 'B', ann6: 'B' });
    expect(await accountsOf(workspace, 'conversions')).toEqual({ 'ann-sold': 'B', 'cat-sold': 'A' });
    const id = await personIdOf(workspace, ann);
    const { status } = await workspace.post(`/v1/people/${id}/unlink`, { person: { ...ann, ...cat } });
    expect(status).toBe(200);
    expect([await accountsOf(workspace), await accountsOf(workspace, 'conversions')]).toEqual([
      apart,
      soldApart,
    ]);
  });

  test('record, by a goal’s match, conversions that have the touchpoint’s account and keep having it', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('demo', { match: { touchpoints: [{ kind: ['demo'] }] } });
    await workspace.touchpoints(
      touch('named', at(5, ann, { kind: 'demo', account: { domain: 'acme.com' } })),
      touch('by-person', at(6, ann, { kind: 'demo' })),
    );
    const both = (account: string) => ({ 'tp:named': account, 'tp:by-person': account });
    expect(await accountsOf(workspace, 'conversions')).toEqual(both('acme.com'));
    await workspace.ask('PUT', '/v1/accounts/sf-1', { body: { domains: ['acme.com'] } });
    expect(await accountsOf(workspace, 'conversions')).toEqual(both('sf-1'));
    await workspace.touchpoints(touch('moved', at(6, ann, { account: { id: 'z-1' } })));
    expect(await accountsOf(workspace, 'conversions')).toEqual({ 'tp:named': 'sf-1', 'tp:by-person': 'z-1' });
  });
});

const CANARY = 'canary-corp.example';

/** The tables with a row that contains the canary's domain. */
async function canaries(workspace: TestWorkspace): Promise<string[]> {
  const tables = await rowsOf(
    `select table_name::text as name from information_schema.columns
     where table_schema = 'public' and column_name = 'workspace_id'`,
    [],
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await rowsOf(
      `select from ${name} t where workspace_id = $1 and to_jsonb(t)::text like '%${CANARY}%' limit 1`,
      [workspace.id],
    );
    if (rows.length > 0) found.push(String(name));
  }
  return found.sort();
}

describe('erasure', () => {
  test.for(['hashed', 'plain'])(
    'takes an account that was known by the person’s address alone (%s), and keeps totals',
    async (storage) => {
      const workspace = await TestWorkspace.make({ identity_storage: storage, accounts_from_email: true });
      await workspace.goal('purchase');
      const person = { email: `ann@${CANARY}` };
      await workspace.touchpoints(
        touch('t1', at(1, person)),
        touch('t2', at(2, person, { channel: 'email' })),
      );
      await workspace.conversions(sale('s', at(3, person)));
      expect(await accountsOf(workspace)).toEqual({ t1: CANARY, t2: CANARY });
      expect(await canaries(workspace)).toEqual(
        expect.arrayContaining(['account_facts', 'accounts', 'conversions', 'touchpoints']),
      );
      const scopes = ['scope=person', 'scope=account'];
      const reports = () =>
        Promise.all(scopes.map((scope) => reportOf(workspace, `models=linear&group_by=channel&${scope}`)));
      const before = await reports();
      await workspace.ask('DELETE', `/v1/people/${await personIdOf(workspace, person)}`);
      expect(await canaries(workspace)).toEqual([]);
      const { t1, t2 } = await accountsOf(workspace);
      expect(t1).toMatch(/^erased:/);
      expect(t2).toBe(t1);
      expect((await workspace.get('/v1/accounts')).body.data).toEqual([]);
      const after = await reports();
      for (const [i, report] of after.entries())
        expect([report.totals, report.data]).toEqual([before[i].totals, before[i].data]);
      expect(before[1].totals.attributed.conversions).toBe(1);
    },
  );

  test('of the last of several people forgets an account that only their addresses spoke of', async () => {
    const workspace = await TestWorkspace.make({ identity_storage: 'plain', accounts_from_email: true });
    const [ann, bob] = [{ email: `ann@${CANARY}` }, { email: `bob@${CANARY}` }];
    await workspace.touchpoints(touch('t1', at(1, ann)), touch('t2', at(2, bob)));
    await workspace.ask('DELETE', `/v1/people/${await personIdOf(workspace, ann)}`);
    expect(await accountsOf(workspace)).toEqual({ t1: CANARY, t2: CANARY });
    await workspace.ask('DELETE', `/v1/people/${await personIdOf(workspace, bob)}`);
    expect(await canaries(workspace)).toEqual([]);
    const { t1, t2 } = await accountsOf(workspace);
    expect(t2).toBe(t1);
  });

  test('leaves an account that others are of, or that somebody named, with the rows that are its', async () => {
    const workspace = await TestWorkspace.make({ accounts_from_email: true });
    const people = {
      shared: 'ann@acme.com',
      colleague: 'bob@acme.com',
      named: 'cid@beta.io',
      put: 'dot@cat.com',
    };
    await workspace.touchpoints(...Object.entries(people).map(([id, email]) => touch(id, at(1, { email }))));
    await workspace.touchpoints(touch('says', at(2, { user_id: 'eve' }, { account: { domain: 'beta.io' } })));
    await workspace.ask('PUT', '/v1/accounts/sf-1', { body: { domains: ['cat.com'] } });
    const before = await accountsOf(workspace);
    for (const id of ['shared', 'named', 'put']) {
      const email = people[id as keyof typeof people];
      await workspace.ask('DELETE', `/v1/people/${await personIdOf(workspace, { email })}`);
    }
    expect(await accountsOf(workspace)).toEqual(before);
    expect(before).toMatchObject({ shared: 'acme.com', named: 'beta.io', put: 'sf-1' });
    expect((await workspace.get('/v1/accounts/acme.com')).body.people).toBe(2);
    await workspace.ask('PUT', '/v1/accounts/sf-2', { body: { domains: ['acme.com'] } });
    expect(await accountsOf(workspace)).toMatchObject({ shared: 'sf-2', colleague: 'sf-2' });
  });
});
