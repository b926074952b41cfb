import { describe, expect, test } from 'vitest';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { expectProblem, touch } from './items.ts';
import { readToken } from './tokens.ts';

/** The origins from which a key may be used, and the CORS headers of responses. */

needWorld();

const ORIGIN = 'https://shop.example';
const cors = (answer: Answer) => answer.headers.get('access-control-allow-origin');
const now = () => new Date().toISOString();

async function publishable(workspace: TestWorkspace): Promise<string> {
  const body = { name: 'Shop', kind: 'publishable', allowed_origins: [ORIGIN, 'http://localhost:3000'] };
  return (await workspace.post('/v1/keys', body)).body.token;
}

const post = (token: string, origin: string | null, items: Json[] = [touch('t', { occurred_at: now() })]) =>
  ask('POST', '/v1/touchpoints', {
    token,
    body: { touchpoints: items },
    headers: origin === null ? {} : { origin },
  });

describe('a secret key', () => {
  test.for(['https://shop.example', 'null', 'http://localhost:3000'])(
    'is refused with the Origin %s of a page, whatever it asks, and the answer is not readable there',
    async (origin) => {
      const workspace = await TestWorkspace.make();
      for (const [method, path] of [
        ['GET', '/v1/goals'],
        ['GET', '/v1/keys'],
        ['POST', '/v1/touchpoints'],
        ['GET', '/v1/reports/attribution?goal=purchase'],
      ] as const) {
        const answer = await workspace.ask(method, path, { headers: { origin } });
        expectProblem(answer, 403, 'forbidden');
        expect(answer.body.detail).toMatch(/publishable key.*read token/);
        expect(cors(answer)).toBeNull();
      }
    },
  );

  test('and the root key from a page is refused too, and makes nothing', async () => {
    const headers = { origin: ORIGIN };
    const answer = await ask('POST', '/v1/workspaces', {
      token: world.rootKey,
      body: { name: 'From a page' },
      headers,
    });
    expectProblem(answer, 403, 'forbidden');
    const { text } = await ask('GET', '/v1/workspaces', { token: world.rootKey });
    expect(text).not.toContain('From a page');
  });
});

describe('a publishable key', () => {
  test('posts from its origins, and the page can read the answer and its headers', async () => {
    const workspace = await TestWorkspace.make();
    const token = await publishable(workspace);
    for (const origin of [ORIGIN, 'http://localhost:3000']) {
      const answer = await post(token, origin, [touch(origin, { occurred_at: now() })]);
      expect(answer.status, answer.text).toBe(200);
      expect(cors(answer)).toBe(origin);
      expect(answer.headers.get('vary')).toContain('origin');
      for (const name of ['x-request-id', 'etag', 'link', 'retry-after', 'ratelimit', 'server-timing'])
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
    }
  });

  test.for([null, 'https://evil.example', 'http://shop.example', 'https://shop.example:8443', 'null', ''])(
    'is refused with the Origin %s, and stores nothing',
    async (origin) => {
      const workspace = await TestWorkspace.make();
      const answer = await post(await publishable(workspace), origin);
      expectProblem(answer, 403, 'forbidden');
      expect(cors(answer)).toBeNull();
      expect((await workspace.get('/v1/touchpoints')).body.data).toEqual([]);
    },
  );

  test('is told what is wrong in a way that its page can read', async () => {
    const workspace = await TestWorkspace.make();
    const token = await publishable(workspace);
    const headers = { origin: ORIGIN };
    for (const answer of [
      await ask('GET', '/v1/goals', { token, headers }),
      await ask('POST', '/v1/touchpoints', { token, headers, body: { nonsense: 1 } }),
      await ask('POST', '/v1/touchpoints?x=1', { token, headers, body: { touchpoints: [] } }),
      await post(token, ORIGIN, [touch('t', { kind: 'nonsense', occurred_at: now() })]),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(cors(answer)).toBe(ORIGIN);
    }
  });
});

describe("a request from a page of the API's own origin, which has no Origin,", () => {
  const own = () => new URL(world.url).origin;
  const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

  test('holds for a read token and a publishable key that list it, and for no others', async () => {
    const workspace = await TestWorkspace.make();
    const pages = async (allowed_origins: string[]) => {
      const body = { name: 'Own', kind: 'publishable', allowed_origins };
      return (await workspace.post('/v1/keys', body)).body.token;
    };
    const read = (token: string, headers: Json) => ask('GET', '/v1/reports/lifecycle', { token, headers });
    const send = (token: string, headers: Json) =>
      ask('POST', '/v1/touchpoints', {
        token,
        headers,
        body: { touchpoints: [touch('t', { occurred_at: now() })] },
      });
    const both = [own(), ORIGIN];
    const lists = [
      await readToken(workspace, { reports: ['lifecycle'], allowed_origins: both }),
      await pages(both),
    ];
    const others = [
      await readToken(workspace, { reports: ['lifecycle'], allowed_origins: [ORIGIN] }),
      await pages([ORIGIN]),
    ];
    for (const [i, asked] of [read, send].entries()) {
      const [listed = '', other = ''] = [lists[i], others[i]];
      expect((await asked(listed, SAME_ORIGIN)).status).toBe(200);
      for (const headers of [
        {},
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'none' },
      ])
        expectProblem(await asked(listed, headers), 403, 'forbidden');
      // A page of another origin may send the header only together with its own Origin.
      expectProblem(
        await asked(listed, { ...SAME_ORIGIN, origin: 'https://evil.example' }),
        403,
        'forbidden',
      );
      expectProblem(await asked(other, SAME_ORIGIN), 403, 'forbidden');
    }
  });

  test('is refused with a secret key and with the root key, as from any page', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.ask('GET', '/v1/goals', { headers: SAME_ORIGIN });
    expectProblem(answer, 403, 'forbidden');
    expect(answer.body.detail).toMatch(/publishable key.*read token/);
    expectProblem(
      await ask('GET', '/v1/workspaces', { token: world.rootKey, headers: SAME_ORIGIN }),
      403,
      'forbidden',
    );
    expect((await workspace.ask('GET', '/v1/goals', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(
      200,
    );
  });
});

describe('a read token without origins, for servers and agents,', () => {
  const read = async (headers: Json) => {
    const token = await readToken(await TestWorkspace.make(), {
      reports: ['lifecycle'],
      allowed_origins: [],
    });
    return ask('GET', '/v1/reports/lifecycle', { token, headers });
  };

  test.for<Json>([{}, { 'sec-fetch-site': 'none' }])(
    'opens its reports with the headers %j',
    async (headers) => {
      const answer = await read(headers);
      expect(answer.status, answer.text).toBe(200);
      expect(cors(answer)).toBeNull();
    },
  );

  test.for<Json>([
    { origin: ORIGIN },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none', origin: ORIGIN },
  ])('is refused from a page: %j', async (headers) => {
    const answer = await read(headers);
    expectProblem(answer, 403, 'forbidden');
    expect(answer.body.detail).toMatch(/servers and agents.*allowed_origins/);
    expect(cors(answer)).toBeNull();
  });

  test('is none for pages: a publishable key has to name an origin', async () => {
    const workspace = await TestWorkspace.make();
    const body = { name: 'None', kind: 'publishable', allowed_origins: [] };
    expectProblem(await workspace.post('/v1/keys', body), 422, 'invalid_request', ['/allowed_origins']);
  });
});

describe('a preflight', () => {
  test.for(['/v1/touchpoints', '/v1/reports/funnel', '/v1/nowhere', '/'])(
    'for %s is answered to any origin, without a key',
    async (path) => {
      const response = await fetch(world.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://anywhere.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe('https://anywhere.example');
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
      for (const name of [
        'authorization',
        'content-type',
        'content-encoding',
        'x-write-key',
        'x-retry-count',
        'idempotency-key',
        'if-none-match',
      ])
        expect(response.headers.get('access-control-allow-headers')).toContain(name);
      expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0);
      expect(response.headers.get('vary')).toContain('origin');
    },
  );
});

describe('a key in the address', () => {
  test.for(['tl_sk_abc', 'x%20tl_pk_1', 'tl_rt_e30', '%74l_sk_abc'])(
    'is refused before anything else: %s',
    async (value) => {
      const workspace = await TestWorkspace.make();
      for (const path of ['/v1/goals', '/v1/nowhere', '/health', '/v1/workspaces']) {
        const answer = await workspace.get(`${path}?anything=${value}`);
        expectProblem(answer, 401, 'unauthenticated');
        expect(answer.body.detail).toMatch(/address.*Authorization: Bearer/);
        expect(answer.text).not.toContain('tl_sk_abc');
      }
    },
  );

  test.for<[string, string]>([
    ['/v1/people/tl_sk_xyz', '/v1/people/***'],
    ['/v1/people/%74l%5Fsk_xyz/export', '/v1/people/***/export'],
    ['/v1/tl_rt_e30.xyz', '/v1/***'],
    ['/tl_pk_xyz', '/***'],
    ['/v1/keys/a%2Ftl_sk_xyz', '/v1/keys/***'],
    ['/v1/projects/tl_pk_xyz/settings', '/v1/projects/***/settings'],
    ['/v1/touchpoints/%zz%E0tl_sk_xyz', '/v1/touchpoints/***'],
  ])('is refused in the path as well, and not repeated: %s', async ([path, instance]) => {
    const workspace = await TestWorkspace.make();
    for (const token of [workspace.token, world.rootKey, null]) {
      const answer = await ask('GET', path, token === null ? {} : { token });
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.body.detail).toMatch(/address.*Authorization: Bearer/);
      expect(answer.body.instance).toBe(instance);
      expect(answer.text).not.toMatch(/xyz|tl_(sk|pk|rt)_/);
      // Before any look-up: not even the time of one is in the response.
      expect(answer.headers.get('server-timing')).toBeNull();
    }
  });

  test('is no substitute for the header', async () => {
    const workspace = await TestWorkspace.make();
    expectProblem(await ask('GET', `/v1/goals?token=${workspace.token}`), 401, 'unauthenticated');
  });
});
