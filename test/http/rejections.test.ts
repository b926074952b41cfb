import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, idsIn, sale, statusesOf, touch } from './items.ts';

/** A rejected item is kept as it was sent, and can be stored once the cause is fixed. */

needWorld();

const lost = (id: string, changes: Json = {}) => sale(id, { goal: 'upgrade', ...changes });
const listOf = async (workspace: TestWorkspace, query = ''): Promise<Json[]> =>
  (await workspace.get(`/v1/rejections${query}`)).body.data;
const replay = (workspace: TestWorkspace, id: string) =>
  workspace.post(`/v1/rejections/${id}/replay`, undefined);

describe('a rejection', () => {
  test.for<[string, Json]>([
    [
      'an item with every kind of value',
      { id: 'a', goal: 'upgrade', n: null, deep: [{ b: [1, 'x', false, null] }], e: '😀 "quoted"\n' },
    ],
    ['an item with NUL and lone surrogates', { id: 'a\0b', text: '\ud800', 'key\0': 'x' }],
    ['an item with __proto__', JSON.parse('{"id":"a","__proto__":{"admin":true}}')],
    ['text', 'hello'],
    ['a number', 7],
    ['null', null],
    ['a list', [[], {}]],
  ])('holds %s as it was sent', async ([, item]) => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(item);
    const { text } = await workspace.get('/v1/rejections');
    const [rejection] = JSON.parse(text).data;
    expect(JSON.stringify(rejection.item)).toBe(JSON.stringify(item));
    expect(rejection.id).toMatch(/^rj_/);
    expect(rejection.errors.length).toBeGreaterThan(0);
  });

  test('names the resource, the id of the item and the reasons that the batch gave', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('stored'));
    const touches = await workspace.touchpoints(
      touch('ok'),
      touch('wrong', { kind: 'x' }),
      touch('stored', { kind: 'reply' }),
    );
    const sales = await workspace.conversions(lost('s'));
    const byItem = Object.fromEntries((await listOf(workspace)).map((row) => [row.item_id, row]));
    expect(Object.keys(byItem).sort()).toEqual(['s', 'stored', 'wrong']);
    expect(byItem.wrong).toMatchObject({ resource: 'touchpoints', errors: touches.body.results[1].errors });
    expect(byItem.stored).toMatchObject({ resource: 'touchpoints', errors: touches.body.results[2].errors });
    expect(byItem.s).toMatchObject({ resource: 'conversions', errors: sales.body.results[0].errors });
    expect(await listOf(workspace, '?resource=conversions')).toEqual([byItem.s]);
    expect(await listOf(workspace, '?resource=adjustments')).toEqual([]);
  });

  test('is one for the same bad item sent twice, in one batch or in two', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('s'), lost('s'));
    await workspace.conversions(lost('s'));
    await workspace.conversions(lost('s', { properties: null }));
    expect(await listOf(workspace)).toHaveLength(1);
    await workspace.conversions(lost('s', { value: 7 }));
    expect(await listOf(workspace)).toHaveLength(2);
  });

  test('is listed newest first; the same item again moves it up', async () => {
    const workspace = await TestWorkspace.make();
    for (const id of ['a', 'b', 'c']) await workspace.conversions(lost(id));
    await workspace.conversions(lost('a'));
    const rows = await listOf(workspace);
    const times = rows.map((row) => row.received_at);
    expect(times).toEqual(times.toSorted().reverse());
    expect(rows.map((row) => row.item_id).sort()).toEqual(['a', 'b', 'c']);
  });

  test('is reached by cursor, each once, though a whole batch came at one instant', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(...Array.from({ length: 25 }, (_, i) => lost(`s${i}`)));
    const paged = await idsIn(workspace, '/v1/rejections', 4);
    expect(paged).toEqual(await idsIn(workspace, '/v1/rejections'));
    expect(new Set(paged).size).toBe(25);
  });

  test('comes as CSV and NDJSON', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('s'));
    const [row] = await listOf(workspace);
    const { text: lines } = await workspace.get('/v1/rejections?format=ndjson');
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([row]);
    const { text: csv } = await workspace.get('/v1/rejections?format=csv');
    expect(csv.split('\r\n')[0]).toContain('item_id');
    expect(csv).toContain(row.id);
  });
});

describe('a replay', () => {
  test('after the goal was made puts the item in, and the rejection is gone', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('s', { properties: { plan: 'pro' } }));
    const [rejection] = await listOf(workspace);
    await workspace.goal('upgrade');
    const answer = await replay(workspace, rejection.id);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      accepted: 1,
      rejected: 0,
      results: [{ index: 0, id: 's', status: 'accepted' }],
    });
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject({
      value: 100,
      properties: { plan: 'pro' },
    });
    expect(await listOf(workspace)).toEqual([]);
    expectProblem(await replay(workspace, rejection.id), 404, 'not_found');
  });

  test('of an item that was stored meanwhile is a duplicate, and the rejection is gone', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('s'));
    await workspace.goal('upgrade');
    await workspace.conversions(lost('s'));
    const [rejection] = await listOf(workspace);
    expect(statusesOf(await replay(workspace, rejection.id))).toEqual(['duplicate']);
    expect(await listOf(workspace)).toEqual([]);
  });

  test('that fails again is 422, and the rejection stays under its id with the reasons of today', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('s'));
    const [before] = await listOf(workspace);
    expectProblem(await replay(workspace, before.id), 422, 'no_item_accepted');
    expect(await listOf(workspace)).toMatchObject([{ id: before.id, item: before.item }]);
    await workspace.goal('upgrade');
    await workspace.conversions(lost('s', { value: 1 }));
    const answer = await replay(workspace, before.id);
    expect(statusesOf(answer)).toEqual(['conflict']);
    expect(await listOf(workspace)).toMatchObject([
      { id: before.id, item: before.item, errors: answer.body.results[0].errors },
    ]);
  });

  test.for<[string, Json]>([
    ['a bad touchpoint', touch('t', { kind: 'x' })],
    ['text', 'hello'],
    ['null', null],
  ])('of %s, which nothing mends, stays one rejection', async ([, item]) => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(item);
    const [rejection] = await listOf(workspace);
    for (let i = 0; i < 2; i++) expectProblem(await replay(workspace, rejection.id), 422, 'no_item_accepted');
    expect((await listOf(workspace)).map((row) => row.id)).toEqual([rejection.id]);
  });

  test('of an item without id stores it once, however often and however many at a time', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.conversions(lost('', { id: undefined }));
    const [rejection] = await listOf(workspace);
    await workspace.goal('upgrade');
    const answers = await Promise.all(Array.from({ length: 4 }, () => replay(workspace, rejection.id)));
    expect(
      answers.map((answer) => answer.status).filter((status) => status !== 200 && status !== 404),
    ).toEqual([]);
    expect(
      answers.flatMap((a) => (a.status === 200 ? statusesOf(a) : [])).filter((s) => s === 'accepted'),
    ).toHaveLength(1);
    expect(await idsIn(workspace, '/v1/conversions')).toHaveLength(1);
  });

  test('then a retry of the whole batch under its Idempotency-Key stores an item without id no second time', async () => {
    const workspace = await TestWorkspace.make();
    const send = () =>
      workspace.ask('POST', '/v1/conversions', {
        body: { conversions: [lost('', { id: undefined })] },
        headers: { 'idempotency-key': 'batch-1' },
      });
    await send();
    const [rejection] = await listOf(workspace);
    await workspace.goal('upgrade');
    await replay(workspace, rejection.id);
    expect(statusesOf(await send())).toEqual(['duplicate']);
    expect(await idsIn(workspace, '/v1/conversions')).toHaveLength(1);
  });

  test('of a missing rejection is 404', async () => {
    const workspace = await TestWorkspace.make();
    expectProblem(await replay(workspace, 'rj_0123456789abcdef0123456789abcdef'), 404, 'not_found');
  });
});
