import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, sale, touch } from './items.ts';

/** Return on spend from outside: rows, days, filters, currencies, and rejected queries. */

needWorld();

const REPORT = '/v1/reports/roi?goal=purchase&from=2025-06-01&to=2025-07-01';

const spent = (id: string, changes: Json = {}): Json => ({
  id,
  from: '2025-06-01',
  to: '2025-06-30',
  channel: 'paid_search',
  amount: 300,
  ...changes,
});

/** Ann came by search and bought for 500; Bob by e-mail for 100, retracted; Cleo without a touchpoint for 60. */
async function prepare(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [
    touch('a', { person: { user_id: 'ann' }, channel: 'paid_search', kind: 'click' }),
    touch('b', { person: { user_id: 'bob' }, channel: 'email', kind: 'email_click' }),
  ]);
  const on = '2025-06-10T12:00:00Z';
  await workspace.load('conversions', [
    sale('a', { person: { user_id: 'ann' }, occurred_at: on, value: 500 }),
    sale('b', { person: { user_id: 'bob' }, occurred_at: on, value: 100 }),
    sale('c', { person: { user_id: 'cleo' }, occurred_at: on, value: 60 }),
  ]);
  await workspace.post('/v1/conversions/b/adjustments', { kind: 'retraction' });
  return workspace;
}

const rowOf = (report: Json, channel: string | null) =>
  report.data.find((row: Json) => row.group?.channel === channel);

test('300 on search that sold 500: 300 each, 1.667 back, 0.667 gained; e-mail cost nothing and sold, gross', async () => {
  const workspace = await prepare();
  await workspace.load('spend', [spent('search'), spent('social', { channel: 'paid_social', amount: 40 })]);
  const report = (await workspace.get(REPORT)).body;
  expect(rowOf(report, 'paid_search')).toEqual({
    group: { channel: 'paid_search' },
    spend: 300,
    credit: { linear: { conversions: 1, value: 500, gross_conversions: 1, gross_value: 500 } },
    cpa: { linear: 300 },
    roas: { linear: 1.666666667 },
    roi: { linear: 0.666666667 },
    gross_cpa: { linear: 300 },
    gross_roas: { linear: 1.666666667 },
    gross_roi: { linear: 0.666666667 },
  });
  expect(rowOf(report, 'email')).toMatchObject({
    spend: 0,
    credit: { linear: { conversions: 0, value: 0, gross_conversions: 1, gross_value: 100 } },
    cpa: { linear: null },
    roas: { linear: null },
    roi: { linear: null },
  });
  expect(rowOf(report, 'paid_social')).toMatchObject({
    spend: 40,
    cpa: { linear: null },
    roas: { linear: 0 },
    roi: { linear: -1 },
  });
  expect(report.totals).toEqual({
    spend: 340,
    conversions: 2,
    value: 560,
    gross_conversions: 3,
    gross_value: 660,
    unattributed: { conversions: 1, value: 60 },
    cpa: 170,
    roas: 1.647058824,
    roi: 0.647058824,
    gross_cpa: 113.333333333,
    gross_roas: 1.941176471,
    gross_roi: 0.941176471,
    currency: 'USD',
  });
});

describe('days', () => {
  test('a row of 30 days costs a tenth of it in three of them, and a day that begins before the range is not in it', async () => {
    const workspace = await prepare();
    await workspace.load('spend', [spent('search')]);
    const range = (from: string, to: string) =>
      workspace
        .get(`/v1/reports/roi?goal=purchase&from=${from}&to=${to}`)
        .then(({ body }) => body.totals.spend);
    expect(await range('2025-06-01', '2025-06-04')).toBe(30);
    expect(await range('2025-05-01', '2025-06-02')).toBe(10);
    expect(await range('2025-06-30', '2025-08-01')).toBe(10);
    expect(await range('2025-06-01T00:00:00.001Z', '2025-06-04T00:00:00Z')).toBe(20);
    expect(await range('2025-06-01T00:00:00Z', '2025-06-04T00:00:00.001Z')).toBe(40);
  });

  test("are the workspace's, 25 hours long where clocks go back, and go into the interval in which they begin", async () => {
    const workspace = await TestWorkspace.make({ timezone: 'Europe/Berlin' });
    await workspace.goal('purchase');
    await workspace.load('spend', [spent('autumn', { from: '2025-10-25', to: '2025-10-27', amount: 30 })]);
    const report = (
      await workspace.get('/v1/reports/roi?goal=purchase&from=2025-10-20&to=2025-11-03&interval=day')
    ).body;
    expect(report.data.map(({ interval, spend }: Json) => [interval, spend])).toEqual([
      ['2025-10-25', 10],
      ['2025-10-26', 10],
      ['2025-10-27', 10],
    ]);
    const weeks = (
      await workspace.get('/v1/reports/roi?goal=purchase&from=2025-10-20&to=2025-11-03&interval=week')
    ).body;
    expect(weeks.data.map(({ interval, spend }: Json) => [interval, spend])).toEqual([
      ['2025-10-20', 20],
      ['2025-10-27', 10],
    ]);
  });
});

test('what was posted again counts with its new amount', async () => {
  const workspace = await prepare();
  await workspace.load('spend', [spent('search')]);
  await workspace.post('/v1/spend', { spend: [spent('search', { amount: 250 })] });
  expect((await workspace.get(REPORT)).body.totals).toMatchObject({ spend: 250, roas: 2.24 });
});

test('a filter narrows touchpoints, and spend by what it has', async () => {
  const workspace = await prepare();
  await workspace.load('spend', [spent('search'), spent('email', { channel: 'email', amount: 5 })]);
  const byChannel = (await workspace.get(`${REPORT}&where[channel]=email`)).body;
  expect(byChannel.data.map(({ group, spend }: Json) => [group.channel, spend])).toEqual([['email', 5]]);
  const byKind = (await workspace.get(`${REPORT}&where[kind]=click`)).body;
  expect(rowOf(byKind, 'email')).toMatchObject({ spend: 5, credit: { linear: { gross_conversions: 0 } } });
});

test('spend is converted at the rate of each of its days, the pair as asked before its inverse', async () => {
  const workspace = await prepare();
  await workspace.load('spend', [spent('search', { to: '2025-06-02', amount: 20, currency: 'EUR' })]);
  const lacking = (await workspace.get(REPORT)).body;
  expect(lacking.totals.spend).toBe(0);
  expect(lacking.warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
  expect(lacking.warnings[0].detail).toContain('2 days of spend');
  const rates = [
    { date: '2025-06-01', from: 'EUR', to: 'USD', rate: 1.1 },
    { date: '2025-06-02', from: 'EUR', to: 'USD', rate: 1.2 },
    { date: '2025-06-02', from: 'USD', to: 'EUR', rate: 0.5 },
  ];
  await workspace.ask('PUT', '/v1/fx-rates', { body: { rates } });
  expect((await workspace.get(REPORT)).body.totals.spend).toBe(23);
  const euros = (await workspace.get(`${REPORT}&currency=EUR`)).body;
  expect(euros.totals.spend).toBe(20);
  expect((await workspace.get('/v1/spend/search')).body).toMatchObject({ amount: 20, currency: 'EUR' });
});

test('another workspace has spent nothing', async () => {
  const [workspace, other] = [await prepare(), await prepare()];
  await workspace.load('spend', [spent('search')]);
  expect((await other.get(REPORT)).body.totals.spend).toBe(0);
});

test('the rows come as CSV as well', async () => {
  const workspace = await prepare();
  await workspace.load('spend', [spent('search')]);
  const { text } = await workspace.get(`${REPORT}&format=csv&models=linear,last_touch`);
  expect(text.split('\r\n')[0]).toContain('group.channel');
  expect(text).toContain('paid_search');
});

test.each<[string, string, string, string[]]>([
  ['a dimension that spend has not', '&group_by=topic', 'invalid_request', ['?group_by']],
  ['a model that is none', '&models=guess', 'invalid_request', ['?models']],
  ['a model without its milestones', '&models=w_shaped', 'invalid_request', ['?milestones']],
  ['a currency that is none', '&currency=EURO', 'invalid_request', ['?currency']],
  ['an unknown parameter', '&spend=1', 'invalid_request', ['?spend']],
  ['milestones that are no goals', '&models=w_shaped&milestones=a,b', 'unknown_goal', ['?milestones']],
])('%s is refused', async (_, more, code, pointers) => {
  const workspace = await prepare();
  expectProblem(await workspace.get(REPORT + more), 422, code, pointers);
});
