import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { createApp } from '../../src/app.ts';
import { RATE_LIMIT } from '../../src/http/rate-limit.ts';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { ORIGIN } from './tokens.ts';

/** Rate limits per key: Cloudflare's binding counts, and a fake replaces it here. */

needWorld();

const POLICY = '"default";q=1000;w=10';

/** The application over the database of the tests, with a limiter that rejects after a number of requests of a key. */
function appWithLimit(requests: number) {
  const counts = new Map<string, number>();
  const rate_limiter = {
    limit: async ({ key }: { key: string }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: (counts.get(key) ?? 0) <= requests };
    },
  };
  const { connectionString: database_url, rootKey: root_key, identitySecret: identity_secret } = world;
  const app = createApp({ config: { database_url, root_key, identity_secret, rate_limiter } });
  const get = (path: string, token: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { authorization: `Bearer ${token}`, ...headers } });
  return { app, counts, get };
}

test('a key that asks too often is 429 and told when to come back; another is not', async () => {
  const [workspace, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
  const { get } = appWithLimit(2);
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await get('/v1/goals', workspace.token)).status);
  expect(statuses).toEqual([200, 200, 429]);
  const refused = await get('/v1/goals', workspace.token, { 'x-request-id': 'mine' });
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(await refused.json()).toMatchObject({ code: 'rate_limited', status: 429, request_id: 'mine' });
  expect(refused.headers.get('retry-after')).toBe('10');
  expect(refused.headers.get('ratelimit')).toBe('"default";r=0;t=10');
  expect(refused.headers.get('ratelimit-policy')).toBe(POLICY);
  expect((await get('/v1/goals', other.token)).status).toBe(200);
});

test('a read token counts with its key, and its page can read that it is too often', async () => {
  const workspace = await TestWorkspace.make();
  const { app, get, counts } = appWithLimit(2);
  const made = await app.request('/v1/tokens', {
    method: 'POST',
    headers: { authorization: `Bearer ${workspace.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ expires_in: 60, allowed_origins: [ORIGIN], reports: ['lifecycle'] }),
  });
  const { token } = (await made.json()) as Json;
  const asPage = () => get('/v1/reports/lifecycle', token, { origin: ORIGIN });
  expect((await asPage()).status).toBe(200);
  const refused = await asPage();
  expect(refused.status).toBe(429);
  expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect((await get('/v1/goals', workspace.token)).status).toBe(429);
  expect([...counts.values()]).toEqual([4]);
});

test('what shows no key that is known is not counted', async () => {
  const { get, counts } = appWithLimit(0);
  expect((await get('/v1/goals', 'tl_sk_nonsense')).status).toBe(401);
  expect((await get('/health', 'tl_sk_nonsense')).status).toBe(200);
  expect((await get('/v1/workspaces', world.rootKey)).status).toBe(200);
  expect(counts.size).toBe(0);
});

test('every answer to a key names the policy, errors too; none other does', async () => {
  const workspace = await TestWorkspace.make();
  for (const path of ['/v1/goals', '/v1/goals/missing', '/v1/goals?x=1', '/v1/touchpoints']) {
    const { headers } = await workspace.get(path);
    expect(headers.get('ratelimit-policy')).toBe(POLICY);
    expect(headers.get('ratelimit')).toBeNull();
  }
  for (const answer of [await ask('GET', '/v1/goals'), await ask('GET', '/health')])
    expect(answer.headers.get('ratelimit-policy')).toBeNull();
});

test('the policy is what wrangler.toml sets', async () => {
  const toml = await readFile(join(PROJECT_ROOT, 'wrangler.toml'), 'utf8');
  const { requests, period_seconds } = RATE_LIMIT;
  expect(toml).toContain(`simple = { limit = ${requests}, period = ${period_seconds} }`);
});
