import { describe, expect, test } from 'vitest';
import { formatToken } from '../../src/domain/token.ts';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { expectProblem, FUNNEL, SAVED_FUNNEL, sale, touch } from './items.ts';

/** Permissions: the root key, keys with scopes, and no other callers. */

needWorld();

type Route = [method: string, path: string, body?: Json];

const ROOT_ROUTES: Route[] = [
  ['POST', '/v1/workspaces', { name: 'New' }],
  ['GET', '/v1/workspaces'],
  ['POST', '/v1/workspaces/{workspace}/keys', { name: 'k', scopes: ['read'] }],
  ['DELETE', '/v1/workspaces/{workspace}'],
];

const ROUTES: Record<string, Route[]> = {
  ingest: [
    ['POST', '/v1/touchpoints', { touchpoints: [touch('t')] }],
    ['POST', '/v1/conversions', { conversions: [sale('s')] }],
    ['POST', '/v1/conversions/s/adjustments', { id: 'a', kind: 'retraction' }],
  ],
  read: [
    ['GET', '/v1/touchpoints'],
    ['GET', '/v1/touchpoints/t'],
    ['GET', '/v1/conversions'],
    ['GET', '/v1/conversions/s'],
    ['GET', '/v1/conversions/s/adjustments'],
    ['GET', '/v1/conversions/s/explanation'],
    ['GET', '/v1/reports/attribution?goal=purchase'],
    ['GET', '/v1/reports/journeys?goal=purchase'],
    ['GET', '/v1/reports/lifecycle'],
    ['GET', '/v1/reports/cultivation?goal=purchase'],
    ['GET', '/v1/reports/advocacy?goal=purchase'],
    ['POST', '/v1/reports/funnel', FUNNEL],
    ['POST', '/v1/reports/funnel/people', { ...FUNNEL, step: 1, state: 'reached' }],
    ['POST', '/v1/tokens', { expires_in: 60, allowed_origins: ['https://a.example'], reports: ['funnel'] }],
    ['GET', '/v1/funnels'],
    ['GET', '/v1/accounts'],
    ['GET', '/v1/accounts/acme'],
    ['GET', '/v1/accounts/acme/timeline'],
    ['GET', '/v1/goals'],
    ['GET', '/v1/goals/purchase'],
  ],
  admin: [
    ['DELETE', '/v1/touchpoints/t'],
    ['PUT', '/v1/goals/purchase', { name: 'P', kind: 'conversion' }],
    ['DELETE', '/v1/goals/purchase'],
    ['PUT', '/v1/funnels/f', { name: 'F', ...SAVED_FUNNEL }],
    ['DELETE', '/v1/funnels/f'],
    ['PUT', '/v1/accounts/acme', { name: 'Acme' }],
    ['GET', '/v1/audit'],
    ['GET', '/v1/rejections'],
    ['POST', '/v1/rejections/rj_x/replay'],
    ['GET', '/v1/workspace'],
    ['PATCH', '/v1/workspace', { name: 'Renamed' }],
    ['GET', '/v1/keys'],
    ['POST', '/v1/keys', { name: 'k', scopes: ['read'] }],
    ['POST', '/v1/keys/key_x/rotate', {}],
    ['DELETE', '/v1/keys/key_x'],
  ],
};

const KEY_ROUTES = Object.entries(ROUTES).flatMap(([scope, routes]) =>
  routes.map((route) => ({ scope, route })),
);
const UNKNOWN_TOKEN = formatToken(new Uint8Array(32).fill(7));

async function prepare(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.touchpoints(touch('t'));
  await workspace.conversions(sale('s'));
  return workspace;
}

const newKey = async (workspace: TestWorkspace, settings: Json): Promise<Json> =>
  (await workspace.post('/v1/keys', { name: 'k', ...settings })).body;

function expectUnauthenticated(answer: Answer): void {
  expectProblem(answer, 401, 'unauthenticated');
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
}

describe('401 on every route:', () => {
  const mistyped = UNKNOWN_TOKEN.slice(0, -1) + (UNKNOWN_TOKEN.endsWith('0') ? '1' : '0');
  test.for<[string, Record<string, string>]>([
    ['no key', {}],
    ['an empty header', { authorization: '' }],
    ['a key without Bearer', { authorization: UNKNOWN_TOKEN }],
    ['Basic', { authorization: `Basic ${btoa(`${UNKNOWN_TOKEN}:`)}` }],
    ['two words', { authorization: `Bearer ${UNKNOWN_TOKEN} x` }],
    ['another kind of token', { authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x' }],
    ['a wrong checksum', { authorization: `Bearer ${mistyped}` }],
    ['a cut key', { authorization: `Bearer ${UNKNOWN_TOKEN.slice(0, -1)}` }],
    ['an unknown key', { authorization: `Bearer ${UNKNOWN_TOKEN}` }],
    ['the root key where a key belongs', { authorization: `Bearer ${world.rootKey}` }],
  ])('%s', async ([, headers]) => {
    for (const { route } of KEY_ROUTES) {
      const [method, path, body] = route;
      expectUnauthenticated(await ask(method, path, { body, headers }));
    }
  });

  test('a malformed, mistyped or missing key is refused without a query', async () => {
    for (const token of [undefined, 'nonsense', mistyped]) {
      const answer = await ask('GET', '/v1/goals', token === undefined ? {} : { token });
      expect(callsOf(answer)).toBe(0);
    }
  });

  test('on routes of the root key: no key, another key, a prefix of it, a key of a workspace', async () => {
    const workspace = await TestWorkspace.make();
    for (const token of [
      undefined,
      'root',
      world.rootKey.slice(0, -1),
      `${world.rootKey}x`,
      workspace.token,
    ]) {
      for (const [method, path, body] of ROOT_ROUTES) {
        const answer = await ask(method, path.replace('{workspace}', workspace.id), {
          body,
          ...(token && { token }),
        });
        expectUnauthenticated(answer);
      }
    }
    expect((await workspace.get('/v1/workspace')).status).toBe(200);
  });
});

describe('a key', () => {
  test.for(['ingest', 'read', 'admin'])(
    'with the scope %s alone opens its routes, and is 403 on all others',
    async (scope) => {
      const workspace = await prepare();
      const { token } = await newKey(workspace, { scopes: [scope] });
      for (const { scope: needed, route } of KEY_ROUTES) {
        const [method, path, body] = route;
        const answer = await ask(method, path, { body, token });
        if (needed === scope)
          expect([200, 201, 404], `${method} ${path} ${answer.text}`).toContain(answer.status);
        else {
          expectProblem(answer, 403, 'forbidden');
          expect(answer.body.detail).toContain(needed);
        }
      }
    },
  );

  test('that lacks the scope changes nothing', async () => {
    const workspace = await prepare();
    const { token } = await newKey(workspace, { scopes: ['read'] });
    for (const [method, path, body] of [...(ROUTES.admin ?? []), ...(ROUTES.ingest ?? [])])
      await ask(method, path, { body, token });
    expect((await workspace.get('/v1/touchpoints/t')).body.voided_at).toBeNull();
    expect((await workspace.get('/v1/conversions/s')).body.retracted).toBe(false);
    expect((await workspace.get('/v1/goals/purchase')).body).toMatchObject({
      name: 'purchase',
      archived_at: null,
    });
    expect((await workspace.get('/v1/workspace')).body.name).toBe('Test');
  });

  test('shows its token once, when it is made; what is listed holds no part of it', async () => {
    const workspace = await TestWorkspace.make();
    const made = await newKey(workspace, { name: 'Ingest', scopes: ['ingest', 'ingest', 'read'] });
    expect(made.token).toMatch(/^tl_sk_[0-9A-Za-z]{49}$/);
    expect(made).toMatchObject({ name: 'Ingest', kind: 'secret', allowed_origins: null, expires_at: null });
    expect(made.scopes).toEqual(['ingest', 'read']);
    const { body, text } = await workspace.get('/v1/keys');
    expect(body.data.map((key: Json) => key.name)).toEqual(['First key', 'Ingest']);
    expect(text).not.toContain('token');
    expect(text).not.toContain(made.token.slice(6, 20));
  });

  test('that is revoked stops at once, though it was in use, and the others go on', async () => {
    const workspace = await TestWorkspace.make();
    const key = await newKey(workspace, { scopes: ['read'] });
    expect((await ask('GET', '/v1/goals', { token: key.token })).status).toBe(200);
    const revoked = await workspace.ask('DELETE', `/v1/keys/${key.id}`);
    expect(revoked.body).toMatchObject({ id: key.id });
    expectUnauthenticated(await ask('GET', '/v1/goals', { token: key.token }));
    expectProblem(await workspace.ask('DELETE', `/v1/keys/${key.id}`), 404, 'not_found');
    expect((await workspace.get('/v1/goals')).status).toBe(200);
  });

  test('that has expired is 401; one that expires soon works until then', async () => {
    const workspace = await TestWorkspace.make();
    const past = await newKey(workspace, { scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' });
    expectUnauthenticated(await ask('GET', '/v1/goals', { token: past.token }));
    const soon = await newKey(workspace, {
      scopes: ['read'],
      expires_at: new Date(Date.now() + 1500).toISOString(),
    });
    expect((await ask('GET', '/v1/goals', { token: soon.token })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1700));
    expectUnauthenticated(await ask('GET', '/v1/goals', { token: soon.token }));
  });
});

test('the root key makes a key for a workspace that has lost its own', async () => {
  const workspace = await TestWorkspace.make();
  const asRoot = (id: string) =>
    ask('POST', `/v1/workspaces/${id}/keys`, {
      token: world.rootKey,
      body: { name: 'k', scopes: ['admin'] },
    });
  const { body } = await asRoot(workspace.id);
  expect((await ask('GET', '/v1/workspace', { token: body.token })).body.id).toBe(workspace.id);
  for (const id of ['0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3', 'nonsense', '%00'])
    expectProblem(await asRoot(id), 404, 'not_found');
});

function callsOf(answer: Answer): number {
  return Number(/desc="calls=(\d+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1] ?? Number.NaN);
}
