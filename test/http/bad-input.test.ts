import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ask, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, idsIn, pointersOf, statusesOf, touch } from './items.ts';

/** Bodies that cannot be read, or contain no list of items: one clear problem, and nothing is stored. */

const JSON_TYPE = { 'content-type': 'application/json' };
const GZIP = { ...JSON_TYPE, 'content-encoding': 'gzip' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const GOOD = JSON.stringify({ touchpoints: [touch('good')] });
const TOO_BIG = JSON.stringify({
  touchpoints: [touch('good', { properties: { text: 'x'.repeat(5 * 1024 * 1024) } })],
});
/** The body, the list and the item are three levels; the value has the other levels. */
const nested = (levels: number) =>
  JSON.stringify({ touchpoints: [touch('good', { properties: {} })] }).replace(
    '"properties":{}',
    `"properties":${'{"a":'.repeat(levels - 4)}{}${'}'.repeat(levels - 4)}`,
  );

interface Case {
  name: string;
  raw: BodyInit;
  headers?: Record<string, string>;
  status: number;
  code: string;
  pointers?: string[];
}

const malformed = { status: 400, code: 'malformed_json' };
const invalid = { status: 422, code: 'invalid_request' };

const CASES: Case[] = [
  { name: 'an empty body', raw: '', ...malformed },
  { name: 'a body of white space', raw: ' \n ', ...malformed },
  { name: 'cut JSON', raw: '{"touchpoints": [{"id": "a"', ...malformed },
  { name: 'a stray comma', raw: '{"touchpoints": [],}', ...malformed },
  { name: 'JSON with NaN', raw: '{"touchpoints": [NaN]}', ...malformed },
  { name: 'bytes that are not UTF-8', raw: Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]), ...malformed },
  { name: 'gzip that is cut', raw: gzipSync(GOOD).subarray(0, 40), headers: GZIP, ...malformed },
  { name: 'gzip with a wrong checksum', raw: withWrongChecksum(), headers: GZIP, ...malformed },
  { name: 'plain JSON under Content-Encoding: gzip', raw: GOOD, headers: GZIP, ...malformed },
  { name: 'JSON nested 65 deep', raw: nested(65), status: 400, code: 'too_deep' },
  {
    name: 'JSON nested 10,000 deep',
    raw: '['.repeat(10_000) + ']'.repeat(10_000),
    status: 400,
    code: 'too_deep',
  },
  {
    name: 'JSON nested 1,000,000 deep',
    raw: `${'[{"a":'.repeat(5e5)}1${'}]'.repeat(5e5)}`,
    status: 400,
    code: 'too_deep',
  },
  {
    name: 'text/plain',
    raw: GOOD,
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a form',
    raw: new URLSearchParams({ a: 'b' }),
    headers: {},
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'no content type',
    raw: Buffer.from(GOOD),
    headers: {},
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'brotli',
    raw: GOOD,
    headers: { ...JSON_TYPE, 'content-encoding': 'br' },
    status: 415,
    code: 'unsupported_media_type',
  },
  { name: 'more than 5 MiB', raw: TOO_BIG, status: 413, code: 'body_too_large' },
  {
    name: 'gzip of a few KB that inflates to more than 5 MiB',
    raw: gzipSync(TOO_BIG),
    headers: GZIP,
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'a gzip bomb of 100 MiB',
    raw: gzipSync(Buffer.alloc(100 * 1024 * 1024)),
    headers: GZIP,
    status: 413,
    code: 'body_too_large',
  },
  { name: 'a list instead of an object', raw: '[]', ...invalid, pointers: [''] },
  { name: 'null', raw: 'null', ...invalid, pointers: [''] },
  { name: 'a string', raw: '"touchpoints"', ...invalid, pointers: [''] },
  { name: 'no items member', raw: '{}', ...invalid, pointers: ['/touchpoints'] },
  {
    name: 'items that are no list',
    raw: '{"touchpoints": {"id": "a"}}',
    ...invalid,
    pointers: ['/touchpoints'],
  },
  { name: '0 items', raw: '{"touchpoints": []}', ...invalid, pointers: ['/touchpoints'] },
  {
    name: '1,001 items',
    raw: JSON.stringify({ touchpoints: many(1001) }),
    ...invalid,
    pointers: ['/touchpoints'],
  },
  {
    name: 'an unknown body field',
    raw: `{"touchpoint": 1, ${GOOD.slice(1)}`,
    ...invalid,
    pointers: ['/touchpoint'],
  },
  {
    name: '__proto__ as a body field',
    raw: `{"__proto__": {}, ${GOOD.slice(1)}`,
    ...invalid,
    pointers: ['/__proto__'],
  },
  { name: '0 NDJSON lines', raw: '\n\n', headers: NDJSON, ...invalid, pointers: [''] },
  { name: '10,001 NDJSON lines', raw: lines(10_001), headers: NDJSON, ...invalid, pointers: [''] },
];

needWorld();

test.for(CASES)(
  '$name answers $status $code, and nothing is stored',
  async ({ raw, headers = JSON_TYPE, status, code, pointers }) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.ask('POST', '/v1/touchpoints', { raw, headers });
    expectProblem(answer, status, code, pointers);
    expect(await idsIn(workspace, '/v1/touchpoints')).toEqual([]);
    expect(await idsIn(workspace, '/v1/rejections')).toEqual([]);
  },
);

test('JSON nested 64 deep is read', async () => {
  const workspace = await TestWorkspace.make();
  const answer = await workspace.ask('POST', '/v1/touchpoints', { raw: nested(64), headers: JSON_TYPE });
  expect(statusesOf(answer)).toEqual(['accepted']);
});

test('1,000 items and 10,000 NDJSON lines are the most that is read', async () => {
  const workspace = await TestWorkspace.make();
  const items = await workspace.touchpoints(...many(1000));
  expect(items.body).toMatchObject({ accepted: 1000, rejected: 0 });
  const answer = await workspace.ask('POST', '/v1/touchpoints', { raw: lines(10_000), headers: NDJSON });
  expect(answer.body).toMatchObject({ accepted: 10_000, rejected: 0 });
});

test('a broken NDJSON line is rejected in its place, the other lines go in, and the line is kept', async () => {
  const workspace = await TestWorkspace.make();
  const raw = `${JSON.stringify(touch('a'))}\r\n\n{"id": "b", broken\n${JSON.stringify(touch('c'))}`;
  const answer = await workspace.ask('POST', '/v1/touchpoints', { raw, headers: NDJSON });
  expect(answer.status).toBe(207);
  expect(statusesOf(answer)).toEqual(['accepted', 'rejected', 'accepted']);
  expect(pointersOf(answer.body.results[1].errors)).toEqual(['/touchpoints/1']);
  expect((await idsIn(workspace, '/v1/touchpoints')).sort()).toEqual(['a', 'c']);
  const { body } = await workspace.get('/v1/rejections');
  expect(body.data.map((row: { item: unknown }) => row.item)).toEqual(['{"id": "b", broken']);
});

test.for([
  ['PUT', '/v1/goals/purchase', { name: 'Purchase', kind: 'conversion', extra: 1 }, '/extra'],
  ['PUT', '/v1/goals/purchase', { name: 'Purchase' }, '/kind'],
  [
    'PUT',
    '/v1/goals/purchase',
    { name: 'Purchase', kind: 'conversion', lookback_days: 366 },
    '/lookback_days',
  ],
  ['PUT', '/v1/goals/purchase', { name: 'Nul\0', kind: 'conversion' }, '/name'],
  ['PUT', '/v1/goals/purchase', { name: 'Lone\ud800', kind: 'conversion' }, '/name'],
  ['PUT', '/v1/goals/purchase', { name: 'P', kind: 'conversion', default_value: -1 }, '/default_value'],
  [
    'PUT',
    '/v1/goals/purchase',
    { name: 'P', kind: 'conversion', match: { touchpoints: [] } },
    '/match/touchpoints',
  ],
  ['PATCH', '/v1/workspace', { timezone: 'Mars/Olympus' }, '/timezone'],
  ['PATCH', '/v1/workspace', { timezone: '+05:00' }, '/timezone'],
  ['PATCH', '/v1/workspace', { currency: 'ZZZ' }, '/currency'],
  ['PATCH', '/v1/workspace', { default_country: 'Germany' }, '/default_country'],
  ['POST', '/v1/keys', { name: 'k', scopes: ['everything'] }, '/scopes/0'],
  ['POST', '/v1/keys', { name: 'k', scopes: [] }, '/scopes'],
  ['POST', '/v1/keys', { name: 'k', scopes: ['read'], expires_at: 'tomorrow' }, '/expires_at'],
  [
    'POST',
    '/v1/keys',
    { name: 'k', scopes: ['read'], expires_at: '9999-12-31T23:59:59-23:59' },
    '/expires_at',
  ],
] as const)('%s %s refuses %j and points at %s', async ([method, path, body, pointer]) => {
  const workspace = await TestWorkspace.make();
  expectProblem(await workspace.ask(method, path, { body }), 422, 'invalid_request', [pointer]);
  expect((await workspace.get('/v1/goals')).body.data).toEqual([]);
  expect((await workspace.get('/v1/keys')).body.data).toHaveLength(1);
  expect((await workspace.get('/v1/workspace')).body).toMatchObject({ timezone: 'UTC', currency: 'USD' });
});

test('__proto__ as a field of a goal, or of its match, is an unknown field', async () => {
  const workspace = await TestWorkspace.make();
  const put = (raw: string) => workspace.ask('PUT', '/v1/goals/g', { raw, headers: JSON_TYPE });
  expectProblem(await put('{"name":"G","kind":"conversion","__proto__":{}}'), 422, 'invalid_request', [
    '/__proto__',
  ]);
  const match = '{"touchpoints":[{"kind":["visit"],"__proto__":["x"]}]}';
  expectProblem(await put(`{"name":"G","kind":"conversion","match":${match}}`), 422, 'invalid_request');
});

test.for([
  ['PUT', '/v1/touchpoints', 'GET, POST'],
  ['DELETE', '/v1/conversions', 'GET, POST'],
  ['POST', '/v1/goals/purchase', 'DELETE, GET, PUT'],
  ['PATCH', '/v1/touchpoints/a', 'DELETE, GET'],
  ['POST', '/v1/reports/attribution', 'GET'],
  ['GET', '/v1/rejections/a/replay', 'POST'],
] as const)('%s %s is 405, and Allow says %s', async ([method, path, allowed]) => {
  const workspace = await TestWorkspace.make();
  const answer = await workspace.ask(method, path);
  expectProblem(answer, 405, 'method_not_allowed');
  const allow = (answer.headers.get('allow') ?? '').split(', ').filter((name) => name !== 'HEAD');
  expect(allow.sort().join(', ')).toBe(allowed);
});

test.for(['/v1', '/v1/nothing', '/v2/touchpoints', '/v1/touchpoints/a/b', '/v1/%00', '/V1/goals'])(
  'the unknown path %s is 404',
  async (path) => expectProblem(await ask('GET', path), 404, 'not_found'),
);

function many(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => touch(`t${i}`));
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, i) => JSON.stringify(touch(`l${i}`))).join('\n');
}

function withWrongChecksum(): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(gzipSync(GOOD));
  bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 8) ^ 1, bytes.length - 8);
  return bytes;
}
