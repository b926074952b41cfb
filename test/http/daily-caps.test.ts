import { describe, expect, test } from 'vitest';
import { type Answer, type Json, needWorld } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, idsIn, sale, statusesOf } from './items.ts';
import { openPage, type Page, seen } from './pages.ts';

/** What a publishable key may record in a day. */

needWorld();

const caps = (daily_caps: Json) => openPage({}, { daily_caps });
const visits = (page: Page, from: number, count: number) =>
  page.post(
    'touchpoints',
    ...Array.from({ length: count }, (_, i) => seen(`t${from + i}`, { user_id: 'u' })),
  );
const order = (id: string, changes: Json = {}) =>
  sale(id, { occurred_at: undefined, value: undefined, ...changes });

function expectCapped(answer: Answer, cap: string): void {
  expectProblem(answer, 429, 'daily_cap_reached');
  expect(answer.body.detail).toContain(cap);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(86_400);
}

test('items up to the cap are stored; a request that would pass it is 429 and nothing of it is stored', async () => {
  const page = await caps({ items: 5 });
  expect((await visits(page, 0, 3)).status).toBe(200);
  expectCapped(await visits(page, 3, 3), 'items');
  expect((await visits(page, 3, 2)).status).toBe(200);
  expectCapped(await visits(page, 9, 1), 'items');
  expect((await idsIn(page.workspace, '/v1/touchpoints')).toSorted()).toEqual(['t0', 't1', 't2', 't3', 't4']);
});

test('rejections over their cap are 429; valid items are taken still', async () => {
  const page = await caps({ rejections: 2 });
  const wrong = (id: string) => seen(id, { user_id: 'u' }, { kind: 'shout' });
  expect((await page.post('touchpoints', wrong('1'), wrong('2'))).status).toBe(422);
  expectCapped(await page.post('touchpoints', wrong('3'), seen('t', { user_id: 'u' })), 'rejections');
  expect((await visits(page, 0, 2)).status).toBe(200);
  expect((await page.workspace.get('/v1/rejections')).body.data).toHaveLength(2);
});

describe('conversions with a default value', () => {
  test('are capped, whatever records them, and others are not', async () => {
    const page = await openPage(
      {},
      { goals: ['purchase', 'follow', 'free'], daily_caps: { default_value_conversions: 3 } },
    );
    const match = { touchpoints: [{ kind: ['follow'] }] };
    await page.workspace.goal('follow', { match, default_value: 5 });
    await page.workspace.goal('free');
    expect((await page.post('conversions', order('1'), order('2'))).status).toBe(200);
    expect((await page.post('touchpoints', seen('f', { user_id: 'u' }, { kind: 'follow' }))).status).toBe(
      200,
    );
    expectCapped(await page.post('conversions', order('3')), 'default_value_conversions');
    expectCapped(
      await page.post('touchpoints', seen('g', { user_id: 'u' }, { kind: 'follow' })),
      'default_value_conversions',
    );
    expect((await page.post('conversions', order('4', { goal: 'free' }))).status).toBe(200);
    expect((await visits(page, 0, 2)).status).toBe(200);
    // What is stored, by the page or by a server, has the same answer as what is not.
    await page.workspace.conversions(sale('server'));
    for (const id of ['1', 'server', 'unknown'])
      expectCapped(await page.post('conversions', order(id)), 'default_value_conversions');
    expect((await idsIn(page.workspace, '/v1/conversions')).toSorted()).toEqual([
      '1',
      '2',
      '4',
      'server',
      'tp:f',
    ]);
  });

  test('a value that counts is no default', async () => {
    const page = await openPage(
      { trust_publishable_values: true },
      { daily_caps: { default_value_conversions: 0 } },
    );
    expect((await page.post('conversions', order('1', { value: 5 }))).status).toBe(200);
    expectCapped(await page.post('conversions', order('2')), 'default_value_conversions');
  });
});

test('an item that the database rejects does not take its batch out of the count', async () => {
  const page = await caps({ items: 3 });
  const poison = seen('poison', { user_id: 'u' }, { sentiment: 1e-320 });
  const answer = await page.post('touchpoints', seen('a', { user_id: 'u' }), poison);
  expect(statusesOf(answer)).toEqual(['accepted', 'rejected']);
  expectCapped(await visits(page, 0, 2), 'items');
  expect((await visits(page, 0, 1)).status).toBe(200);
});

test('a conflict, which the page is not told of, is no rejection of its count', async () => {
  const page = await caps({ rejections: 0 });
  await page.post('touchpoints', seen('a', { user_id: 'u' }));
  const other = await page.post('touchpoints', seen('a', { user_id: 'u' }, { kind: 'click' }));
  expect([other.status, statusesOf(other)]).toEqual([200, ['accepted']]);
});

test('of twenty pages at once, everything is counted', async () => {
  const page = await caps({ items: 1000 });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => visits(page, i * 10, 10)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  const [row] = await rowsOf('select sum(items)::int as items from key_usage where workspace_id = $1', [
    page.workspace.id,
  ]);
  expect(row).toEqual({ items: 200 });
});

describe('goals of a key', () => {
  test('a conversion of a goal that the key does not name is rejected, with what to do', async () => {
    const page = await openPage({}, { goals: ['signup'] });
    await page.workspace.goal('signup');
    const answer = await page.post('conversions', order('1'), order('2', { goal: 'signup' }));
    expect(statusesOf(answer)).toEqual(['rejected', 'accepted']);
    expect(answer.body.results[0].errors[0]).toMatchObject({ pointer: '/conversions/0/goal' });
    expect(answer.body.results[0].errors[0].detail).toMatch(/may record signup.*secret key/);
  });

  test('none if the key names none, and a touchpoint fires no match then', async () => {
    const page = await openPage({}, { goals: undefined });
    await page.workspace.goal('follow', { match: { touchpoints: [{ kind: ['follow'] }] } });
    expect(statusesOf(await page.post('conversions', order('1')))).toEqual(['rejected']);
    expect((await page.post('touchpoints', seen('f', { user_id: 'u' }, { kind: 'follow' }))).status).toBe(
      200,
    );
    expect(await idsIn(page.workspace, '/v1/conversions')).toEqual([]);
    await page.workspace.touchpoints(seen('g', { user_id: 'u' }, { kind: 'follow' }));
    expect(await idsIn(page.workspace, '/v1/conversions')).toEqual(['tp:g']);
  });

  test('a key shows its goals and caps, a rotated one has the same, and a secret key has none', async () => {
    const page = await openPage({}, { goals: ['purchase', 'purchase'], daily_caps: { items: 7 } });
    const { data } = (await page.workspace.get('/v1/keys')).body;
    const key = data.find(({ kind }: Json) => kind === 'publishable');
    const daily_caps = { items: 7, rejections: 1000, default_value_conversions: 100 };
    expect(key).toMatchObject({ goals: ['purchase'], daily_caps });
    expect(data.find(({ kind }: Json) => kind === 'secret')).toMatchObject({ goals: null, daily_caps: null });
    const rotated = await page.workspace.post(`/v1/keys/${key.id}/rotate`, {});
    expect(rotated.body).toMatchObject({ goals: ['purchase'], daily_caps });
  });

  test.for([
    [{ scopes: ['ingest'], goals: ['purchase'] }, '/goals'],
    [{ scopes: ['ingest'], daily_caps: {} }, '/daily_caps'],
    [{ kind: 'publishable', allowed_origins: ['https://a.example'], goals: ['No Key'] }, '/goals/0'],
    [
      { kind: 'publishable', allowed_origins: ['https://a.example'], daily_caps: { items: -1 } },
      '/daily_caps/items',
    ],
    [
      { kind: 'publishable', allowed_origins: ['https://a.example'], daily_caps: { itms: 1 } },
      '/daily_caps/itms',
    ],
  ] as const)('the key %j is refused at %s', async ([input, pointer]) => {
    const page = await openPage();
    expectProblem(await page.workspace.post('/v1/keys', { name: 'K', ...input }), 422, 'invalid_request', [
      pointer,
    ]);
  });
});
