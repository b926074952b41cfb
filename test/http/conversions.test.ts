import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, pointersOf, sale, statusesOf } from './items.ts';

/** The value of a conversion: its own or the goal's, and its net value after adjustments. */

needWorld();

async function workspaceWithSale(value: Json = 100): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.conversions(sale('s', { value }));
  return workspace;
}

const adjust = (workspace: TestWorkspace, body: Json, id = 's') =>
  workspace.post(`/v1/conversions/${id}/adjustments`, body);
const restated = (id: string, value: Json, day: number) => ({
  id,
  kind: 'restatement',
  value,
  occurred_at: `2025-06-0${day}T00:00:00Z`,
});
const retracted = (id: string, day: number) => ({
  id,
  kind: 'retraction',
  occurred_at: `2025-06-0${day}T00:00:00Z`,
});

describe('the value of a conversion', () => {
  test.for<[string, Json, Json, Json]>([
    [
      'is what was sent, in the currency sent',
      {},
      { value: 99.9, currency: 'EUR' },
      { value: 99.9, currency: 'EUR' },
    ],
    [
      'sent without currency is in that of the workspace',
      { currency: 'EUR' },
      { value: 5 },
      { value: 5, currency: 'GBP' },
    ],
    [
      'left out is the default of the goal, in its currency',
      { default_value: 20, currency: 'EUR' },
      { value: null },
      { value: 20, currency: 'EUR' },
    ],
    [
      'left out is the default of the goal, in that of the workspace',
      { default_value: '20.50' },
      { value: null },
      { value: 20.5, currency: 'GBP' },
    ],
    ['0 is 0, not the default', { default_value: 20 }, { value: 0 }, { value: 0, currency: 'GBP' }],
    [
      'left out without a default is null, in the currency of the goal',
      { currency: 'EUR' },
      { value: null },
      { value: null, currency: 'EUR' },
    ],
    [
      'left out with a currency keeps that',
      {},
      { value: null, currency: 'CHF' },
      { value: null, currency: 'CHF' },
    ],
    ['sent as text is exact', {}, { value: '1234567890123.45' }, { value: 1234567890123.45 }],
    ['of a tenth of a cent is kept', {}, { value: 0.001 }, { value: 0.001 }],
  ])('%s', async ([, goal, changes, expected]) => {
    const workspace = await TestWorkspace.make({ currency: 'GBP' });
    await workspace.goal('purchase', goal);
    expect(statusesOf(await workspace.conversions(sale('s', changes)))).toEqual(['accepted']);
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject(expected);
  });

  test('stays what it was when the default of the goal or the currency of the workspace changes', async () => {
    const workspace = await TestWorkspace.make({ currency: 'GBP' });
    await workspace.goal('purchase', { default_value: 20 });
    await workspace.conversions(sale('s', { value: null }));
    await workspace.goal('purchase', { default_value: 30, currency: 'EUR' });
    await workspace.ask('PATCH', '/v1/workspace', { body: { currency: 'USD' } });
    await workspace.conversions(sale('t', { value: null }), sale('v', { value: 1 }));
    const read = async (id: string) => (await workspace.get(`/v1/conversions/${id}`)).body;
    expect(await read('s')).toMatchObject({ value: 20, currency: 'GBP' });
    expect(await read('t')).toMatchObject({ value: 30, currency: 'EUR' });
    expect(await read('v')).toMatchObject({ value: 1, currency: 'USD' });
  });
});

describe('net value of 100', () => {
  test.for<[string, Json[], Json]>([
    ['without adjustments is 100', [], { net_value: 100, retracted: false }],
    ['restated to 60 is 60', [restated('a', 60, 2)], { net_value: 60, retracted: false }],
    ['restated to 0 is 0, and not retracted', [restated('a', 0, 2)], { net_value: 0, retracted: false }],
    ['restated upwards to 120 is 120', [restated('a', '120.00', 2)], { net_value: 120, retracted: false }],
    ['restated to 60, then 40, is 40', [restated('a', 60, 2), restated('b', 40, 3)], { net_value: 40 }],
    [
      'the later one decides, though it came first',
      [restated('b', 40, 3), restated('a', 60, 2)],
      { net_value: 40 },
    ],
    [
      'at the same instant the larger id decides',
      [restated('b', 40, 2), restated('a', 60, 2)],
      { net_value: 40 },
    ],
    ['ids are compared bytewise: a after B', [restated('a', 40, 2), restated('B', 60, 2)], { net_value: 40 }],
    ['retracted is 0', [retracted('a', 2)], { net_value: 0, retracted: true }],
    [
      'a retraction is final before a restatement',
      [retracted('a', 2), restated('b', 40, 3)],
      { net_value: 0, retracted: true },
    ],
    [
      'a retraction is final after a restatement',
      [restated('b', 40, 3), retracted('a', 2)],
      { net_value: 0, retracted: true },
    ],
    ['an adjustment dated before the sale counts', [restated('a', 70, 1)], { net_value: 70 }],
  ])('%s', async ([, adjustments, expected]) => {
    const workspace = await workspaceWithSale();
    for (const adjustment of adjustments)
      expect(statusesOf(await adjust(workspace, adjustment))).toEqual(['accepted']);
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject({ value: 100, ...expected });
    expect((await workspace.get('/v1/conversions')).body.data).toMatchObject([{ value: 100, ...expected }]);
  });

  test('adjustments are listed in the order in which they count', async () => {
    const workspace = await workspaceWithSale();
    for (const body of [restated('b', 40, 2), restated('a', 60, 2), retracted('c', 1)])
      await adjust(workspace, body);
    const { body } = await workspace.get('/v1/conversions/s/adjustments');
    expect(body.data.map(({ id, value }: Json) => [id, value])).toEqual([
      ['c', null],
      ['a', 60],
      ['b', 40],
    ]);
    expect(body.data[0]).toMatchObject({
      conversion_id: 's',
      kind: 'retraction',
      occurred_at: '2025-06-01T00:00:00.000Z',
    });
    expectProblem(await workspace.get('/v1/conversions/missing/adjustments'), 404, 'not_found');
  });
});

describe('an adjustment', () => {
  test('sent again is a duplicate; with another value, or for another conversion, a conflict', async () => {
    const workspace = await workspaceWithSale();
    await workspace.conversions(sale('other'));
    const body = restated('a', 60, 2);
    expect(statusesOf(await adjust(workspace, body))).toEqual(['accepted']);
    expect(statusesOf(await adjust(workspace, body))).toEqual(['duplicate']);
    expectProblem(await adjust(workspace, { ...body, value: 50 }), 422, 'no_item_accepted');
    const answer = await adjust(workspace, body, 'other');
    expect(statusesOf(answer)).toEqual(['conflict']);
    expect(pointersOf(answer.body.results[0].errors)).toEqual(['/id']);
    expect((await workspace.get('/v1/conversions/s')).body.net_value).toBe(60);
    expect((await workspace.get('/v1/conversions/other')).body.net_value).toBe(100);
  });

  test.for<[string, Json, string]>([
    ['without kind', { id: 'a', value: 1 }, '/kind'],
    ['of an unknown kind', { id: 'a', kind: 'refund', value: 1 }, '/kind'],
    ['that restates without value', { id: 'a', kind: 'restatement' }, '/value'],
    ['that retracts with value', { id: 'a', kind: 'retraction', value: 0 }, '/value'],
    ['to a negative value', { id: 'a', kind: 'restatement', value: -1 }, '/value'],
    ['to "NaN"', { id: 'a', kind: 'restatement', value: 'NaN' }, '/value'],
    ['with an unknown field', { id: 'a', kind: 'retraction', currency: 'EUR' }, '/currency'],
    ['with __proto__', JSON.parse('{"id":"a","kind":"retraction","__proto__":1}'), '/__proto__'],
    [
      'with the conversion in the body',
      { id: 'a', kind: 'retraction', conversion_id: 's' },
      '/conversion_id',
    ],
    ['in 2999', { id: 'a', kind: 'retraction', occurred_at: '2999-01-01T00:00:00Z' }, '/occurred_at'],
    ['with NUL in its id', { id: 'a\0', kind: 'retraction' }, '/id'],
    ['that is a list', [], ''],
  ])('%s is 422, names %s, and changes nothing', async ([, body, pointer]) => {
    const workspace = await workspaceWithSale();
    const answer = await adjust(workspace, body);
    expect(answer.status, answer.text).toBe(422);
    expect(pointersOf(answer.body.results?.[0].errors ?? answer.body.errors)).toEqual([pointer]);
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject({
      net_value: 100,
      retracted: false,
    });
    expect((await workspace.get('/v1/conversions/s/adjustments')).body.data).toEqual([]);
  });
});
