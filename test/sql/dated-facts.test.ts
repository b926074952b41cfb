import { expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/**
 * Facts are superseded and settings versioned, never overwritten, so the state at any earlier time can be recovered.
 */

needWorld();

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const LINK = { user_id: 'u1', email: 'ann@acme.example' };
const update = (id: string, person: object, minute: number) => ({ id, person, occurred_at: at(minute) });

async function linkRows(workspace: TestWorkspace) {
  return rowsOf(
    `select l.assertion, l.is_current, l.item_id, l.skipped, l.unlinked_at is not null as is_unlinked,
       count(*)::int as identities, count(distinct l.received_at)::int as times
     from identity_links l
     where l.workspace_id = $1
     group by 1, 2, 3, 4, 5
     order by 1, 3`,
    [workspace.id],
  );
}
const row = (assertion: number, item_id: string, changes: object = {}) => ({
  assertion,
  item_id,
  is_current: false,
  skipped: false,
  is_unlinked: false,
  identities: 2,
  times: 1,
  ...changes,
});

test('a link that is dated anew, undone and asserted again is three assertions of one fact', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.load('people', [update('b', LINK, 5)]);
  expect(await linkRows(workspace)).toEqual([row(1, 'b', { is_current: true })]);
  await workspace.load('people', [update('c', LINK, 9)]);
  await workspace.load('people', [update('a', LINK, 1)]);
  expect(await linkRows(workspace)).toEqual([row(1, 'b'), row(2, 'a', { is_current: true })]);
  const { id } = (await workspace.post('/v1/people/lookup', { person: { user_id: 'u1' } })).body;
  expect((await workspace.post(`/v1/people/${id}/unlink`, { person: LINK })).body.removed_links).toBe(1);
  expect(await linkRows(workspace)).toEqual([row(1, 'b'), row(2, 'a', { is_unlinked: true })]);
  await workspace.load('people', [update('d', LINK, 20)]);
  expect(await linkRows(workspace)).toEqual([
    row(1, 'b'),
    row(2, 'a', { is_unlinked: true }),
    row(3, 'd', { is_current: true }),
  ]);
  const timeline = (await workspace.get(`/v1/people/${id}/timeline?from=2026-01-01&to=2026-02-01`)).body.data;
  expect(timeline.map(({ type, id: item }: { type: string; id: string }) => [type, item])).toEqual([
    ['link', 'd'],
  ]);
});

test('an unlink of a skipped fact undoes it: it does not come into force at the next unlink', async () => {
  const workspace = await TestWorkspace.make();
  const link = (id: string, user_id: string, minute: number) => update(id, { user_id, x: 'a' }, minute);
  await workspace.load('people', [link('1', 'u1', 1), link('2', 'u2', 2)]);
  const idOf = async (person: object) => (await workspace.post('/v1/people/lookup', { person })).body.id;
  const [u1, u2] = [await idOf({ user_id: 'u1' }), await idOf({ user_id: 'u2' })];
  const unlink = (id: string, user_id: string) =>
    workspace.post(`/v1/people/${id}/unlink`, { person: { user_id, x: 'a' } });
  const { status, body } = await unlink(u2, 'u2');
  expect([status, body.removed_links]).toEqual([200, 1]);
  expect((await workspace.get(`/v1/people/${u1}`)).body.skipped_links).toEqual([]);
  expect((await unlink(u1, 'u1')).status).toBe(200);
  const handle = await idOf({ x: 'a' });
  expect([u1, u2]).not.toContain(handle);
  expect((await unlink(u1, 'u1')).status).toBe(404);
});

test('erasure deletes every assertion of the links of a person, undone ones too', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.load('people', [update('a', LINK, 5), update('b', { user_id: 'u1', x: 'ann' }, 6)]);
  const idOf = async (person: object) => (await workspace.post('/v1/people/lookup', { person })).body.id;
  await workspace.post(`/v1/people/${await idOf({ user_id: 'u1' })}/unlink`, { person: LINK });
  expect(await linkRows(workspace)).toEqual([
    row(1, 'a', { is_unlinked: true }),
    row(1, 'b', { is_current: true }),
  ]);
  await workspace.ask('DELETE', `/v1/people/${await idOf({ email: LINK.email })}`);
  expect(await linkRows(workspace)).toEqual([row(1, 'b', { is_current: true })]);
});

test('an e-mail address that turns out to be older keeps both dates of its membership', async () => {
  const workspace = await TestWorkspace.make({ accounts_from_email: true });
  const person = { email: 'ann@acme.example' };
  await workspace.load('people', [update('b', person, 5)]);
  await workspace.load('people', [update('c', person, 9)]);
  await workspace.load('people', [update('a', person, 1)]);
  expect(
    await rowsOf(
      `select assertion, is_current, occurred_at, account_id from account_facts where workspace_id = $1 order by 1`,
      [workspace.id],
    ),
  ).toEqual([
    { assertion: 1, is_current: false, occurred_at: new Date(at(5)), account_id: 'acme.example' },
    { assertion: 2, is_current: true, occurred_at: new Date(at(1)), account_id: 'acme.example' },
  ]);
  expect((await workspace.get('/v1/accounts/acme.example')).body.people).toBe(1);
});

test('a domain goes back to the account of the items when an administrator withdraws it', async () => {
  const workspace = await TestWorkspace.make();
  const claim = (id: string, account: object, minute: number) => ({
    ...update(id, { user_id: id }, minute),
    account,
  });
  await workspace.load('people', [
    claim('late', { id: 'acme', domain: 'acme.example' }, 9),
    claim('early', { id: 'acme', domain: 'acme.example' }, 3),
    claim('other', { id: 'zeta', domain: 'acme.example' }, 5),
  ]);
  const put = (id: string, domains: string[]) =>
    workspace.ask('PUT', `/v1/accounts/${id}`, { body: { name: id, domains } });
  const owner = async () => (await workspace.get('/v1/accounts/acme.example')).body.id;
  expect(await owner()).toBe('acme');
  await put('zeta', ['acme.example']);
  expect(await owner()).toBe('zeta');
  await put('zeta', []);
  expect(await owner()).toBe('acme');
  await put('acme', ['acme.example']);
  await put('acme', []);
  expect(await owner()).toBe('acme');
  expect((await workspace.get('/v1/accounts/acme')).body.domains).toEqual(['acme.example']);
  expect(
    await rowsOf(
      `select account_id, is_put, assertion, is_current, withdrawn_at is not null as is_withdrawn
       from account_domains where workspace_id = $1 order by 1, 2, 3`,
      [workspace.id],
    ),
  ).toEqual([
    { account_id: 'acme', is_put: false, assertion: 1, is_current: true, is_withdrawn: false },
    { account_id: 'acme', is_put: true, assertion: 1, is_current: false, is_withdrawn: true },
    { account_id: 'zeta', is_put: false, assertion: 1, is_current: true, is_withdrawn: false },
    { account_id: 'zeta', is_put: true, assertion: 1, is_current: false, is_withdrawn: true },
  ]);
});

test('settings, goals, exchange rates and spend keep the versions that were replaced', async () => {
  const workspace = await TestWorkspace.make({ timezone: 'UTC' });
  await workspace.goal('purchase', { lookback_days: 90 });
  const rate = (value: number) =>
    workspace.ask('PUT', '/v1/fx-rates', {
      body: { rates: [{ date: '2026-01-01', from: 'EUR', to: 'USD', rate: value }] },
    });
  const spend = (amount: number) =>
    workspace.load('spend', [{ id: 's', from: '2026-01-01', to: '2026-01-02', amount }]);
  await rate(1.1);
  await rate(1.1);
  await spend(10);
  const zone = (timezone: string) => workspace.ask('PATCH', '/v1/workspace', { body: { timezone } });
  await zone('UTC');
  expect(await versions(workspace)).toEqual([]);

  await workspace.goal('purchase', { lookback_days: 30 });
  await rate(1.2);
  await rate(1.3);
  await workspace.post('/v1/spend', {
    spend: [{ id: 's', from: '2026-01-01', to: '2026-01-02', amount: 20 }],
  });
  await zone('Europe/Berlin');
  expect(await versions(workspace)).toEqual([
    ['fx_rates', 'EUR/USD/2026-01-01', 1, 1.1],
    ['fx_rates', 'EUR/USD/2026-01-01', 2, 1.2],
    ['goals', 'purchase', 1, 90],
    ['spend', 's', 1, 10],
    ['workspaces', '', 1, 'UTC'],
  ]);
});

async function versions(workspace: TestWorkspace) {
  const rows = await rowsOf(
    `select table_name, row_key, version, coalesce(was -> 'rate', was -> 'lookback_days', was -> 'amount', was -> 'timezone') as was
     from row_versions where workspace_id = $1 order by 1, 2, 3`,
    [workspace.id],
  );
  return rows.map(({ table_name, row_key, version, was }) => [table_name, row_key, version, was]);
}
