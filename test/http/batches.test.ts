import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, idsIn, pointersOf, sale, statusesOf, touch } from './items.ts';

/** The guarantees of every batch: a result for each item, in order, and a retry that changes nothing. */

needWorld();

test('one batch with every outcome: results in order, counts that add up, 207', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('stored'));
  const answer = await workspace.touchpoints(
    touch('new'),
    touch('stored'),
    touch('stored', { kind: 'reply' }),
    touch('wrong', { kind: 'telepathy' }),
    touch('new'),
    touch('new', { kind: 'reply' }),
    touch('other'),
  );
  expect(answer.status).toBe(207);
  expect(answer.body.results.map(({ index, id, status }: Json) => [index, id, status])).toEqual([
    [0, 'new', 'accepted'],
    [1, 'stored', 'duplicate'],
    [2, 'stored', 'conflict'],
    [3, 'wrong', 'rejected'],
    [4, 'new', 'duplicate'],
    [5, 'new', 'conflict'],
    [6, 'other', 'accepted'],
  ]);
  expect(answer.body).toMatchObject({ accepted: 2, duplicates: 2, dropped: 0, rejected: 3 });
  const pointers = answer.body.results.map((result: Json) => pointersOf(result.errors));
  expect(pointers).toEqual([
    [],
    [],
    ['/touchpoints/2/id'],
    ['/touchpoints/3/kind'],
    [],
    ['/touchpoints/5/id'],
    [],
  ]);
  expect((await idsIn(workspace, '/v1/touchpoints')).sort()).toEqual(['new', 'other', 'stored']);
  expect((await workspace.get('/v1/touchpoints/stored')).body.kind).toBe('mention');
});

describe('the status sums the items up:', () => {
  const stored = touch('stored');
  const conflict = touch('stored', { kind: 'reply' });
  const wrong = { id: 'wrong' };
  test.for<[string, Json[], number]>([
    ['all accepted: 200', [touch('a'), touch('b')], 200],
    ['all duplicates: 200', [stored, stored], 200],
    ['accepted and duplicate: 200', [stored, touch('a')], 200],
    ['accepted and rejected: 207', [touch('a'), wrong], 207],
    ['accepted and conflict: 207', [touch('a'), conflict], 207],
    ['duplicate and rejected: 207', [stored, wrong], 207],
    ['all rejected: 422', [wrong, wrong], 422],
    ['rejected and conflict: 422', [wrong, conflict], 422],
  ])('%s', async ([, items, status]) => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(stored);
    const answer = await workspace.touchpoints(...items);
    expect(answer.status).toBe(status);
    if (status === 422) expectProblem(answer, 422, 'no_item_accepted');
    expect(answer.body.results.map((result: Json) => result.index)).toEqual(items.map((_, index) => index));
    const { accepted, duplicates, dropped, rejected } = answer.body;
    expect(accepted + duplicates + dropped + rejected).toBe(items.length);
  });
});

test('ids are compared bytewise: case, accents and their composition make other ids', async () => {
  const workspace = await TestWorkspace.make();
  const ids = [
    'a',
    'A',
    'a ',
    'é',
    'e\u0301',
    'ß',
    'ss',
    'x'.repeat(255),
    '😀',
    'a/b?c#d%20',
    '__proto__',
    'constructor',
  ];
  const answer = await workspace.touchpoints(...ids.map((id) => touch(id)));
  expect(answer.body.accepted).toBe(ids.length);
  for (const id of ids)
    expect((await workspace.get(`/v1/touchpoints/${encodeURIComponent(id)}`)).body.id).toBe(id);
});

test('__proto__, constructor and toString are ordinary property keys and come back as sent', async () => {
  const workspace = await TestWorkspace.make();
  const text = '{"__proto__":{"admin":true},"constructor":"c","toString":2,"deep":[{"__proto__":null}]}';
  await workspace.touchpoints(touch('t', { properties: JSON.parse(text) }));
  const { text: stored } = await workspace.get('/v1/touchpoints/t');
  const properties = JSON.parse(stored).properties;
  expect(Object.keys(properties).sort()).toEqual(['__proto__', 'constructor', 'deep', 'toString']);
  expect(JSON.stringify(Object.entries(properties).sort())).toBe(
    JSON.stringify(Object.entries(JSON.parse(text)).sort()),
  );
});

test('constructor is an ordinary namespace', async () => {
  const workspace = await TestWorkspace.make();
  const answer = await workspace.touchpoints(
    touch('a', { person: { constructor: 'u' } }),
    touch('b', { person: { valueof: 'u' } }),
  );
  expect(statusesOf(answer)).toEqual(['accepted', 'accepted']);
});

test('an item without id gets one from the server: tp_…, cv_…, ad_…', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const touches = await workspace.touchpoints(touch('', { id: undefined }), touch('', { id: null }));
  const ids = touches.body.results.map((result: Json) => result.id);
  for (const id of ids) expect(id).toMatch(/^tp_[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(2);
  expect((await idsIn(workspace, '/v1/touchpoints')).sort()).toEqual(ids.toSorted());
  const sales = await workspace.conversions(sale('', { id: undefined }));
  expect(sales.body.results[0].id).toMatch(/^cv_[0-9a-f]{32}$/);
  const path = `/v1/conversions/${sales.body.results[0].id}/adjustments`;
  expect((await workspace.post(path, { kind: 'retraction' })).body.results[0].id).toMatch(
    /^ad_[0-9a-f]{32}$/,
  );
});

describe('under an Idempotency-Key, items without id', () => {
  const send = (workspace: TestWorkspace, key: string, ...touchpoints: unknown[]) =>
    workspace.ask('POST', '/v1/touchpoints', { body: { touchpoints }, headers: { 'idempotency-key': key } });
  const [a, b] = [touch('', { id: undefined }), touch('', { id: undefined, kind: 'reply' })];

  test('are duplicates when the batch is sent again, with the same ids', async () => {
    const workspace = await TestWorkspace.make();
    const first = await send(workspace, 'batch-1', a, b, touch('own'));
    const again = await send(workspace, 'batch-1', a, b, touch('own'));
    expect(statusesOf(first)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(statusesOf(again)).toEqual(['duplicate', 'duplicate', 'duplicate']);
    expect(again.body.results.map((r: Json) => r.id)).toEqual(first.body.results.map((r: Json) => r.id));
    expect(await idsIn(workspace, '/v1/touchpoints')).toHaveLength(3);
  });

  test('are new under another key, and conflict with other content in their place', async () => {
    const workspace = await TestWorkspace.make();
    await send(workspace, 'batch-1', a);
    expect(statusesOf(await send(workspace, 'batch-2', a))).toEqual(['accepted']);
    expect(statusesOf(await send(workspace, 'batch-1', b))).toEqual(['conflict']);
    expect(statusesOf(await send(workspace, 'batch-1', a, b))).toEqual(['duplicate', 'accepted']);
  });
});

describe('the same batch goes in', () => {
  const items = [touch('a'), touch('b', { campaign: 'grün' })];
  const json = JSON.stringify({ touchpoints: items });
  const lines = items.map((item) => JSON.stringify(item)).join('\n');
  test.for<[string, BodyInit, Record<string, string>]>([
    ['as gzip', gzipSync(json), { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    ['as gzip without the header', gzipSync(json), { 'content-type': 'application/json' }],
    ['as NDJSON', lines, { 'content-type': 'application/x-ndjson' }],
    [
      'as NDJSON with CRLF, empty lines and an end',
      `${lines.replace('\n', '\r\n\r\n')}\r\n`,
      { 'content-type': 'application/x-ndjson; charset=utf-8' },
    ],
    [
      'as gzipped NDJSON',
      gzipSync(lines),
      { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
    ],
    ['with a byte order mark', `\ufeff${json}`, { 'content-type': 'application/json' }],
    ['with a charset', json, { 'content-type': 'Application/JSON; charset=UTF-8' }],
  ])('%s', async ([, raw, headers]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.ask('POST', '/v1/touchpoints', { raw, headers });
    expect(statusesOf(answer)).toEqual(['accepted', 'accepted']);
    expect((await workspace.get('/v1/touchpoints/b')).body).toMatchObject({
      campaign: 'grün',
      occurred_at: AT,
    });
    expect(statusesOf(await workspace.touchpoints(...items))).toEqual(['duplicate', 'duplicate']);
  });
});
