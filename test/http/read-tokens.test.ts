import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose/jwt/sign';
import { describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { operations } from '../../src/operations.ts';
import { type Answer, ask, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, FUNNEL, SAVED_FUNNEL, sale, touch } from './items.ts';
import { ORIGIN, REPORT_PATHS, readToken, readWith } from './tokens.ts';

/** Read tokens: creation, expiry, origins, and the reports that they open. */

needWorld();

const callsOf = (answer: Answer) => /calls=(\d+)/.exec(answer.headers.get('server-timing') ?? '')?.[1];

async function prepare(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.ask('PUT', '/v1/funnels/kept', { body: { name: 'Kept', ...SAVED_FUNNEL } });
  await workspace.touchpoints(touch('t'));
  await workspace.conversions(sale('s'));
  return workspace;
}

describe('POST /v1/tokens', () => {
  const TOKEN = { expires_in: 60, allowed_origins: [ORIGIN], reports: ['funnel'] };

  test('takes a key with read, logs the token in one round trip, and answers with a signed token', async () => {
    const workspace = await TestWorkspace.make();
    const started = Date.now();
    const { token: key } = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'] })).body;
    await ask('POST', '/v1/tokens', { token: key, body: TOKEN });
    const answer = await ask('POST', '/v1/tokens', { token: key, body: TOKEN });
    expect(answer.status).toBe(201);
    expect(callsOf(answer)).toBe('1');
    expect(answer.body.token).toMatch(/^tl_rt_[\w-]+\.[\w-]+\.[\w-]+$/);
    const lasts = Date.parse(answer.body.expires_at) - started;
    expect(lasts).toBeGreaterThan(57_000);
    expect(lasts).toBeLessThan(65_000);
    const ingest = (await workspace.post('/v1/keys', { name: 'i', scopes: ['ingest', 'admin'] })).body.token;
    expectProblem(await ask('POST', '/v1/tokens', { token: ingest, body: TOKEN }), 403, 'forbidden');
  });

  test.for<[Json, string]>([
    [{ expires_in: 59 }, '/expires_in'],
    [{ expires_in: 86_401 }, '/expires_in'],
    [{ expires_in: undefined }, '/expires_in'],
    [{ allowed_origins: undefined }, '/allowed_origins'],
    [{ allowed_origins: ['*'] }, '/allowed_origins/0'],
    [{ reports: [] }, '/reports'],
    [{ reports: ['people'] }, '/reports/0'],
    [{ where: { colour: ['red'] } }, '/where/colour'],
    [{ where: { channel: [] } }, '/where/channel'],
    [{ where: { channel: 'x' } }, '/where/channel'],
    [{ where_conversion: { goal: ['purchase'] } }, '/where_conversion/goal'],
    [{ scope: 'company' }, '/scope'],
    [{ workspace_id: 'x' }, '/workspace_id'],
    [{ where: { campaign: Array(101).fill('x') } }, '/where/campaign'],
    [{ where: { campaign: Array(100).fill('x'.repeat(100)) } }, ''],
  ])('refuses %j and names it', async ([changes, pointer]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.post('/v1/tokens', { ...TOKEN, ...changes });
    expectProblem(answer, 422, 'invalid_request', [pointer]);
  });

  test('names the fields of where_conversion that it allows, in the error and in the document', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.post('/v1/tokens', {
      ...TOKEN,
      where_conversion: { account_id: ['acme'] },
    });
    expectProblem(answer, 422, 'invalid_request', ['/where_conversion/account_id']);
    expect(answer.body.errors[0].detail).toBe(
      'Unknown field; known fields are currency and properties.<name>.',
    );
    const { schemas } = JSON.parse(await readFile(join(PROJECT_ROOT, 'openapi.json'), 'utf8')).components;
    const { properties, patternProperties, additionalProperties } =
      schemas.TokenInput.properties.where_conversion;
    expect([Object.keys(properties), Object.keys(patternProperties), additionalProperties]).toEqual([
      ['currency'],
      ['^properties\\..{1,100}$'],
      false,
    ]);
  });

  test('is refused to a key that was revoked a moment ago, and is not logged', async () => {
    const workspace = await TestWorkspace.make();
    const { id, token } = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'] })).body;
    expect((await ask('POST', '/v1/tokens', { token, body: TOKEN })).status).toBe(201);
    await rowsOf('delete from keys where workspace_id = $1 and id = $2', [workspace.id, id]);
    // The isolate still has the key in its cache.
    expectProblem(await ask('POST', '/v1/tokens', { token, body: TOKEN }), 401, 'unauthenticated');
    expect((await workspace.get('/v1/audit?action=token.create')).body.data).toHaveLength(1);
  });

  test('ends with its key at the latest', async () => {
    const workspace = await TestWorkspace.make();
    const expires_at = new Date(Date.now() + 100_000).toISOString();
    const { token } = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'], expires_at })).body;
    const { body } = await ask('POST', '/v1/tokens', { token, body: { ...TOKEN, expires_in: 86_400 } });
    const early = Date.parse(expires_at) - Date.parse(body.expires_at);
    expect(early).toBeGreaterThanOrEqual(0);
    expect(early).toBeLessThan(1000);
  });
});

describe('a read token', () => {
  test('opens the reports that it names from its origins, in one round trip, and its page can read them', async () => {
    const workspace = await prepare();
    for (const [report, [method, path, body]] of Object.entries(REPORT_PATHS)) {
      const token = await readToken(workspace, { reports: [report] });
      const answer = await readWith(token, method, path, body);
      expect(answer.status, `${report} ${answer.text}`).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(callsOf(await readWith(token, method, path, body))).toBe('1');
    }
    const token = await readToken(workspace, { reports: ['funnel'] });
    expect((await readWith(token, 'GET', '/v1/funnels/kept/report')).status).toBe(200);
  });

  test('opens no other report', async () => {
    const workspace = await prepare();
    for (const [report, [method, path, body]] of Object.entries(REPORT_PATHS)) {
      const others = Object.keys(REPORT_PATHS).filter((name) => name !== report);
      const token = await readToken(workspace, { reports: others });
      expectProblem(await readWith(token, method, path, body), 403, 'forbidden');
    }
  });

  test('opens no operation that is not a report: data, people, keys, ingest', async () => {
    const workspace = await prepare();
    const token = await readToken(workspace, { reports: Object.keys(REPORT_PATHS) });
    const { person_id } = (await workspace.get('/v1/touchpoints/t')).body;
    const others = operations.filter(
      ({ access, report }) => !report && access !== 'public' && access !== 'root',
    );
    expect(others.length).toBeGreaterThan(40);
    for (const { method, path, body, bodyExample } of others) {
      const filled = path.replace('/people/{id}', `/people/${person_id}`).replaceAll(/\{\w+\}/g, 't');
      const answer = await readWith(token, method.toUpperCase(), filled, body ? bodyExample : undefined);
      expectProblem(answer, 403, 'forbidden');
      expect(answer.body.detail).toContain('read token');
    }
    const people = { ...FUNNEL, step: 1, state: 'reached' };
    expectProblem(await readWith(token, 'POST', '/v1/reports/funnel/people', people), 403, 'forbidden');
    expect((await workspace.get('/v1/touchpoints/t')).body.voided_at).toBeNull();
  });

  test.for([null, 'https://evil.example', 'null', 'https://dashboard.example.evil.example'])(
    'is refused with the Origin %s',
    async (origin) => {
      const workspace = await prepare();
      const token = await readToken(workspace, { reports: ['attribution'] });
      const answer = await ask('GET', '/v1/reports/attribution?goal=purchase', {
        token,
        headers: origin === null ? {} : { origin },
      });
      expectProblem(answer, 403, 'forbidden');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.text).not.toContain('totals');
    },
  );

  test('is refused without a query where it was changed, cut, signed elsewhere or has expired', async () => {
    const workspace = await prepare();
    const token = await readToken(workspace, { reports: ['attribution'], where: { channel: ['x'] } });
    const [head = '', payload = '', signature = ''] = token.slice(6).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const wider = encoded({ ...claims, where: {} });
    const none = encoded({ alg: 'none' });
    const elsewhere = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('identity-secret-of-the-tests-0123456789'));
    for (const bad of [
      `tl_rt_${head}.${wider}.${signature}`,
      `tl_rt_${none}.${wider}.`,
      `tl_rt_${none}.${payload}.${signature}`,
      token.slice(0, -2),
      `${token}x`,
      `tl_rt_${elsewhere}`,
      'tl_rt_',
      'tl_rt_..',
      `tl_sk_${token.slice(6)}`,
    ]) {
      const answer = await readWith(bad, 'GET', '/v1/reports/attribution?goal=purchase');
      expectProblem(answer, 401, 'unauthenticated');
      expect(callsOf(answer)).toBe('0');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('ends with its key and with its workspace', async () => {
    const workspace = await prepare();
    const key = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'] })).body;
    const token = await readToken({ token: key.token }, { reports: ['lifecycle'] });
    const status = async () => (await readWith(token, 'GET', '/v1/reports/lifecycle')).status;
    expect(await status()).toBe(200);
    await workspace.post(`/v1/keys/${key.id}/rotate`, { grace_seconds: 60 });
    expect(await status()).toBe(200);
    await workspace.ask('DELETE', `/v1/keys/${key.id}`);
    expect(await status()).toBe(401);
  });

  test('notes the use of its key', async () => {
    const workspace = await prepare();
    const key = (await workspace.post('/v1/keys', { name: 'r', scopes: ['read'] })).body;
    const token = await readToken({ token: key.token }, { reports: ['lifecycle'] });
    await readWith(token, 'GET', '/v1/reports/lifecycle');
    const [row] = await rowsOf('select last_used_on from keys where id = $1', [key.id]);
    expect(row?.last_used_on).not.toBeNull();
  });

  test('of one workspace shows nothing of another', async () => {
    const [workspace, other] = await Promise.all([prepare(), prepare()]);
    await other.conversions(sale('theirs', { value: 7 }));
    const token = await readToken(workspace, { reports: ['attribution', 'explanation'] });
    const range = 'goal=purchase&from=2025-01-01&to=2026-01-01';
    const { body } = await readWith(token, 'GET', `/v1/reports/attribution?${range}`);
    expect(body.totals.value).toBe(100);
    expectProblem(await readWith(token, 'GET', '/v1/conversions/theirs/explanation'), 404, 'not_found');
  });
});
