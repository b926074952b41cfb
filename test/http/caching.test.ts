import { beforeAll, describe, expect, test } from 'vitest';
import { operations as mounted } from '../../src/operations.ts';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { type DocumentedOperation, operations, pathOf } from '../support/document.ts';
import { SAVED_FUNNEL, sale, touch } from './items.ts';
import { readToken, readWith } from './tokens.ts';

/** Headers of every response: what caches may keep, and that browsers do not guess its type. */

needWorld();

/** The operations that return personal data, keys or the log of the workspace: no cache may store them. */
const NEVER_STORED = [
  ...['lookupPerson', 'lookupPersonByQuery', 'getPerson', 'getTimeline', 'exportPerson', 'erasePerson'],
  ...['recordPeople', 'unlinkPerson', 'listAccounts', 'getAccount', 'getAccountTimeline', 'putAccount'],
  ...['createKey', 'listKeys', 'rotateKey', 'deleteKey', 'createToken', 'createKeyOfWorkspace'],
  ...[
    'listRejections',
    'replayRejection',
    'listAudit',
    'listFunnelPeople',
    'listTouchpoints',
    'listConversions',
  ],
  ...['getWorkspace', 'updateWorkspace', 'createWorkspace', 'listWorkspaces', 'deleteWorkspace'],
];
const cacheable = mounted.filter(({ isCacheable }) => isCacheable).map(({ id }) => id);

let workspace: TestWorkspace;

beforeAll(async () => {
  if (world.missing !== null) return;
  workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.goal('newsletter', { kind: 'cultivation' });
  await workspace.touchpoints(touch('t'));
  await workspace.conversions(sale('order-1'));
});

const cachingOf = ({ headers }: Answer) => headers.get('cache-control');
const send = (operation: DocumentedOperation, headers: Record<string, string> = {}, token?: string) =>
  ask(operation.method, pathOf(operation), {
    token: token ?? (operation.access === 'root' ? world.rootKey : workspace.token),
    headers,
    ...(operation.body !== undefined && { body: operation.body }),
  });

test('only reports may be kept by their client: every other operation is no-store unless it says otherwise', () => {
  const kept = mounted.filter(({ isCacheable }) => isCacheable);
  expect(kept.filter(({ method, report }) => method !== 'get' || !report)).toEqual([]);
  expect(kept.length).toBeGreaterThan(9);
  expect(cacheable.filter((id) => NEVER_STORED.includes(id))).toEqual([]);
  const ids = mounted.map(({ id }) => id);
  expect(NEVER_STORED.filter((id) => !ids.includes(id))).toEqual([]);
});

describe('the response of', () => {
  test.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s says what caches may keep, as an error too, and has the type that it says',
    async (id, operation) => {
      // Funnels are saved by the operation before, and deleted by the one after.
      if (id === 'getSavedFunnelReport')
        await workspace.ask('PUT', pathOf(operation).replace('/report', '').replace(/\?.*/, ''), {
          body: { name: 'Kept', ...SAVED_FUNNEL },
        });
      const answer = await send(operation);
      const isKept = cacheable.includes(id);
      if (isKept) expect(answer.status, answer.text).toBe(200);
      expect(cachingOf(answer)).toBe(isKept ? 'private, no-cache' : 'no-store');
      const refused = await send(operation, {}, 'nonsense');
      expect(cachingOf(refused)).toBe(operation.access === 'public' ? cachingOf(answer) : 'no-store');
      for (const one of [answer, refused]) expect(one.headers.get('x-content-type-options')).toBe('nosniff');
      if (!isKept) return;
      expect(answer.headers.get('vary')).toBe('accept, authorization, origin');
      const again = await send(operation, { 'if-none-match': answer.headers.get('etag') ?? '' });
      expect([again.status, cachingOf(again), again.headers.get('vary')]).toEqual([
        304,
        'private, no-cache',
        'accept, authorization, origin',
      ]);
      expect(again.headers.get('x-content-type-options')).toBe('nosniff');
      expect(cachingOf(await send(operation, {}, 'nonsense'))).toBe('no-store');
      const invalid = await workspace.get(
        `${pathOf(operation)}${pathOf(operation).includes('?') ? '&' : '?'}no=1`,
      );
      expect([invalid.status, cachingOf(invalid)]).toEqual([422, 'no-store']);
    },
  );

  test.for([
    ['GET', '/v1/nowhere', 404],
    ['PATCH', '/v1/touchpoints', 405],
    ['GET', '/v1/goals?key=tl_sk_x', 401],
    ['GET', '/v1/people/tl_sk_x', 401],
    ['OPTIONS', '/v1/touchpoints', 204],
    ['HEAD', '/health', 200],
  ] as const)('%s %s has them too', async ([method, path, status]) => {
    const { headers, ...response } = await fetch(world.url + path, { method }).then((one) => ({
      headers: one.headers,
      status: one.status,
    }));
    expect(response.status).toBe(status);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/./);
  });
});

test('equal bodies of two narrowings have different tags; of one narrowing, in two tokens, the same', async () => {
  const path = '/v1/reports/attribution?goal=purchase&from=2025-01-01&to=2026-01-01&format=csv';
  const tokenFor = (narrowing: Json) => readToken(workspace, { reports: ['attribution'], ...narrowing });
  const tokens = await Promise.all([
    tokenFor({}),
    tokenFor({ where: { channel: ['x'] } }),
    tokenFor({ where: { channel: ['x', 'email'] } }),
    tokenFor({ where: { kind: ['mention'] } }),
    tokenFor({ scope: 'person' }),
  ]);
  const answers = await Promise.all(tokens.map((token) => readWith(token, 'GET', path)));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  const tags = [...answers, await workspace.get(path)].map(({ headers }) => headers.get('etag') ?? '');
  expect(new Set(tags).size).toBe(6);
  const renewed = await tokenFor({ where: { channel: ['x'] }, expires_in: 60 });
  const statuses = tags.map(
    async (tag) => (await readWith(renewed, 'GET', path, undefined, { 'if-none-match': tag })).status,
  );
  expect(await Promise.all(statuses)).toEqual([200, 304, 200, 200, 200, 200]);
});
