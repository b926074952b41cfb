import { describe, expect, test } from 'vitest';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { expectProblem, FUNNEL, idsIn, sale, statusesOf, touch } from './items.ts';

/** Guarantees of every request: its id and its round trips to the database; and the workspace resource. */

needWorld();

describe('X-Request-Id', () => {
  test('is echoed on answers and in problems', async () => {
    const workspace = await TestWorkspace.make();
    const headers = { 'x-request-id': 'my-request:1.2_3' };
    expect((await workspace.ask('GET', '/v1/goals', { headers })).headers.get('x-request-id')).toBe(
      'my-request:1.2_3',
    );
    for (const path of ['/v1/goals/missing', '/v1/nothing', '/v1/goals?x=1']) {
      expect((await workspace.ask('GET', path, { headers })).body.request_id).toBe('my-request:1.2_3');
    }
  });

  test('is made where none, or an unfit one, is sent; another for each request', async () => {
    const ids = new Set<string>();
    for (const id of [undefined, '', 'a b', 'x'.repeat(129), '<script>', 'a"b']) {
      const answer = await ask('GET', '/health', id === undefined ? {} : { headers: { 'x-request-id': id } });
      ids.add(answer.headers.get('x-request-id') ?? '');
    }
    expect(ids.size).toBe(6);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('one round trip to the database, shown by Server-Timing,', () => {
  const item = sale('new');
  test.for<[method: string, path: string, body?: Json]>([
    ['POST', '/v1/touchpoints', { touchpoints: [touch('new', { person: { email: 'a@b.c', x: 'a' } })] }],
    ['POST', '/v1/touchpoints', { touchpoints: [touch('new'), touch('wrong', { kind: 'x' })] }],
    ['POST', '/v1/touchpoints', { touchpoints: [touch('wrong', { kind: 'x' })] }],
    ['POST', '/v1/touchpoints', { touchpoints: [touch('t'), touch('t', { kind: 'reply' })] }],
    ['POST', '/v1/touchpoints?dry_run=true', { touchpoints: [touch('new')] }],
    ['POST', '/v1/conversions', { conversions: [item] }],
    ['POST', '/v1/conversions/s/adjustments', { id: 'a', kind: 'retraction' }],
    ['GET', '/v1/touchpoints?limit=1'],
    ['GET', '/v1/touchpoints/t'],
    ['DELETE', '/v1/touchpoints/t'],
    ['GET', '/v1/conversions'],
    ['GET', '/v1/conversions/s'],
    ['GET', '/v1/conversions/missing'],
    ['GET', '/v1/conversions/s/adjustments'],
    ['GET', '/v1/conversions/s/explanation?models=linear,time_decay'],
    ['GET', '/v1/reports/attribution?goal=purchase&interval=day&journey=reset'],
    ['GET', '/v1/reports/attribution?goal=nowhere'],
    ['GET', '/v1/reports/attribution?goal=purchase&scope=account'],
    ['GET', '/v1/reports/journeys?goal=purchase'],
    ['GET', '/v1/reports/lifecycle'],
    ['POST', '/v1/spend', { spend: [{ id: 'sp', from: '2025-06-01', to: '2025-06-02', amount: 1 }] }],
    ['GET', '/v1/spend'],
    ['GET', '/v1/spend/missing'],
    ['PUT', '/v1/fx-rates', { rates: [{ date: '2025-06-01', from: 'EUR', to: 'USD', rate: 1.1 }] }],
    ['GET', '/v1/fx-rates'],
    ['GET', '/v1/reports/overview?goal=purchase'],
    ['GET', '/v1/reports/roi?goal=purchase&models=linear,w_shaped&milestones=purchase,other&interval=week'],
    ['GET', '/v1/reports/conversations?goal=purchase&interval=week'],
    ['GET', '/v1/reports/conversations?goal=nowhere'],
    ['GET', '/v1/reports/cultivation?goal=purchase&group_by=channel'],
    ['GET', '/v1/reports/advocacy?goal=purchase'],
    ['POST', '/v1/reports/funnel', { ...FUNNEL, compare: 'previous_period' }],
    ['POST', '/v1/reports/funnel/people', { ...FUNNEL, step: 2, state: 'dropped' }],
    ['GET', '/v1/conversations?state=waiting'],
    ['GET', '/v1/conversations/missing'],
    ['GET', '/v1/accounts'],
    ['GET', '/v1/accounts/acme'],
    ['PUT', '/v1/accounts/acme', { name: 'Acme', domains: ['acme.example'] }],
    ['GET', '/v1/audit'],
    ['PUT', '/v1/goals/other', { name: 'O', kind: 'conversion' }],
    ['GET', '/v1/goals'],
    ['GET', '/v1/goals/purchase'],
    ['DELETE', '/v1/goals/purchase'],
    ['GET', '/v1/rejections'],
    ['GET', '/v1/workspace'],
    ['POST', '/v1/conversions/missing/adjustments', { id: 'early', kind: 'retraction' }],
    ['PATCH', '/v1/workspace', { name: 'N' }],
    ['GET', '/v1/keys'],
    ['POST', '/v1/keys', { name: 'k', scopes: ['read'] }],
    ['POST', '/v1/keys/missing/rotate', {}],
    ['DELETE', '/v1/keys/missing'],
  ])('for %s %s %j', async ([method, path, body]) => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('t'));
    await workspace.conversions(sale('s'));
    expect(callsOf(await workspace.ask(method, path, { body }))).toBe(1);
  });

  // A rejection by stored data is known after the write, so keeping it takes a second call.
  test.for<[what: string, path: string, body: Json]>([
    ['a conflict with what is stored', '/v1/touchpoints', { touchpoints: [touch('t', { kind: 'reply' })] }],
    ['an unknown goal', '/v1/conversions', { conversions: [sale('lost', { goal: 'nowhere' })] }],
  ])('and a second one to keep %s among the rejections', async ([_what, path, body]) => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    expect(callsOf(await workspace.ask('POST', path, { body }))).toBe(2);
  });

  test('for the routes of the root key; none for /health', async () => {
    const workspace = await TestWorkspace.make();
    const asRoot = (method: string, path: string, body?: Json) =>
      ask(method, path, { body, token: world.rootKey });
    expect(callsOf(await asRoot('POST', '/v1/workspaces', { name: 'W' }))).toBe(1);
    expect(callsOf(await asRoot('GET', '/v1/workspaces'))).toBe(1);
    expect(
      callsOf(await asRoot('POST', `/v1/workspaces/${workspace.id}/keys`, { name: 'k', scopes: ['read'] })),
    ).toBe(1);
    expect(callsOf(await asRoot('DELETE', `/v1/workspaces/${workspace.id}`))).toBe(1);
    expect(callsOf(await ask('GET', '/health'))).toBe(0);
  });
});

describe('a workspace', () => {
  test('takes what is named in a patch and leaves the rest', async () => {
    const workspace = await TestWorkspace.make({
      timezone: 'Europe/Berlin',
      currency: 'EUR',
      default_country: 'DE',
    });
    const patch = async (body: Json) => (await workspace.ask('PATCH', '/v1/workspace', { body })).body;
    expect(await patch({ name: 'Acme' })).toMatchObject({
      name: 'Acme',
      timezone: 'Europe/Berlin',
      currency: 'EUR',
      default_country: 'DE',
    });
    expect(await patch({})).toMatchObject({
      name: 'Acme',
      identity_storage: 'hashed',
      default_country: 'DE',
    });
    expect(await patch({ default_country: null, currency: 'USD' })).toMatchObject({
      default_country: null,
      currency: 'USD',
      timezone: 'Europe/Berlin',
    });
    expect((await workspace.get('/v1/workspace')).body).toMatchObject({
      name: 'Acme',
      default_country: null,
      currency: 'USD',
    });
  });

  test('reads phone numbers by its default country from the patch on', async () => {
    const workspace = await TestWorkspace.make();
    const local = touch('t', { person: { phone: '030 123456' } });
    expect(statusesOf(await workspace.touchpoints(local))).toEqual(['rejected']);
    await workspace.ask('PATCH', '/v1/workspace', { body: { default_country: 'DE' } });
    expect(statusesOf(await workspace.touchpoints(local))).toEqual(['accepted']);
    expect(statusesOf(await workspace.touchpoints(touch('t', { person: { phone: '+4930123456' } })))).toEqual(
      ['duplicate'],
    );
  });

  test('is listed for the root key with its settings, and made with defaults', async () => {
    const workspace = await TestWorkspace.make();
    const { body, text } = await ask('GET', '/v1/workspaces', { token: world.rootKey });
    expect(body.data.find((row: Json) => row.id === workspace.id)).toMatchObject({
      name: 'Test',
      timezone: 'UTC',
      currency: 'USD',
      identity_storage: 'hashed',
      default_country: null,
    });
    expect(text).not.toContain('tl_sk_');
  });

  test('is deleted with everything in it, and nothing of another', async () => {
    const [doomed, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    for (const workspace of [doomed, other]) {
      await workspace.goal('purchase', { match: { touchpoints: [{ kind: ['follow'] }] } });
      await workspace.touchpoints(
        touch('t', { kind: 'follow', person: { email: 'a@b.c', x: 'a' } }),
        touch('bad', { kind: 'x' }),
      );
      await workspace.conversions(sale('s'));
      await workspace.post('/v1/conversions/s/adjustments', { id: 'a', kind: 'retraction' });
    }
    const remove = () => ask('DELETE', `/v1/workspaces/${doomed.id}`, { token: world.rootKey });
    expect((await remove()).body).toEqual({ id: doomed.id, deleted: true });
    expectProblem(await remove(), 404, 'not_found');
    expectProblem(await doomed.get('/v1/touchpoints'), 401, 'unauthenticated');
    expectProblem(await doomed.touchpoints(touch('late')), 401, 'unauthenticated');
    expect(await idsIn(other, '/v1/touchpoints')).toEqual(['t']);
    expect((await idsIn(other, '/v1/conversions')).sort()).toEqual(['s', 'tp:t']);
    expect(await idsIn(other, '/v1/rejections')).toHaveLength(1);
  });
});

function callsOf(answer: Answer): number {
  return Number(/desc="calls=(\d+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1] ?? Number.NaN);
}
