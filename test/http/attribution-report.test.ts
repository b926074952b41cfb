import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { creditsOf, daysBefore, SOLD_AT, sale, touch } from './items.ts';

/** The report besides the credits: gross and net totals, intervals, groups, the rest row, and the explanation. */

needWorld();

const REPORT = '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01';
const sold = (id: string, changes: Json = {}) => sale(id, { occurred_at: SOLD_AT, ...changes });
const at = (channel: string, age: number, changes: Json = {}) =>
  touch(channel, { channel, occurred_at: daysBefore(age), ...changes });

async function workspaceWith(touches: Json[], sales: Json[], settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  if (touches.length > 0) await workspace.load('touchpoints', touches);
  await workspace.load('conversions', sales);
  return workspace;
}

describe('totals', () => {
  test('100 restated to 60, 50 retracted, 30: net 2 of 90, gross 3 of 180; credit is of net', async () => {
    const workspace = await workspaceWith(
      [at('x', 1)],
      [sold('a'), sold('b', { value: 50 }), sold('c', { value: 30, person: { user_id: 'u2' } })],
    );
    const adjust = (id: string, body: Json) => workspace.post(`/v1/conversions/${id}/adjustments`, body);
    await adjust('a', { id: '1', kind: 'restatement', value: 60, occurred_at: '2025-09-01T00:00:00Z' });
    await adjust('b', { id: '2', kind: 'retraction', occurred_at: '2025-09-01T00:00:00Z' });
    const { totals, data } = (await workspace.get(REPORT)).body;
    expect(totals).toEqual({
      conversions: 2,
      value: 90,
      gross_conversions: 3,
      gross_value: 180,
      currency: 'USD',
      attributed: { conversions: 1, value: 60 },
      unattributed: { conversions: 1, value: 30 },
    });
    expect(data).toMatchObject([
      { influenced_conversions: 1, credit: { linear: { conversions: 1, value: 60 } } },
    ]);
    const later = (await workspace.get('/v1/reports/attribution?goal=purchase&from=2025-09-01&to=2025-10-01'))
      .body;
    expect(later.totals).toMatchObject({ conversions: 0, value: 0, gross_conversions: 0 });
  });

  test('sold without a value and restated to 60: net 60, gross 0, in the currency of the goal', async () => {
    const workspace = await workspaceWith([at('x', 1)], [sold('a', { value: null })]);
    const restated = { id: '1', kind: 'restatement', value: 60, occurred_at: '2025-09-01T00:00:00Z' };
    await workspace.post('/v1/conversions/a/adjustments', restated);
    const { totals, warnings } = (await workspace.get(REPORT)).body;
    expect(totals).toMatchObject({ value: 60, gross_value: 0, attributed: { conversions: 1, value: 60 } });
    expect(warnings).toEqual([]);
  });

  test('0.10 + 0.20 is 0.3, a third of 0.10 is credited three times, and a sale without value counts', async () => {
    const touches = [at('a', 1), at('b', 2), at('c', 3)];
    const workspace = await workspaceWith(touches, [
      sold('s', { value: '0.10' }),
      sold('t', { value: 0.2 }),
      sold('u', { value: null }),
    ]);
    const { totals, data, warnings } = (await workspace.get(REPORT)).body;
    expect(totals).toMatchObject({
      conversions: 3,
      value: 0.3,
      attributed: { conversions: 3, value: 0.3 },
      unattributed: { value: 0 },
    });
    for (const row of data) expect(row.credit.linear).toEqual({ conversions: 1, value: 0.1 });
    expect(warnings).toEqual([]);
  });

  test('of an empty range are zeros, with no rows', async () => {
    const workspace = await workspaceWith([at('x', 1)], [sold('s')]);
    const { body } = await workspace.get(
      '/v1/reports/attribution?goal=purchase&from=2024-01-01&to=2024-02-01&interval=day',
    );
    expect(body).toMatchObject({ observational: true, data: [], warnings: [] });
    expect(body.totals).toMatchObject({ conversions: 0, value: 0, by_interval: [] });
  });

  test('of several goals add up, each with its own lookback; a goal named twice counts once', async () => {
    const workspace = await workspaceWith([at('x', 10)], [sold('s')]);
    await workspace.goal('lead', { lookback_days: 5 });
    await workspace.conversions(sold('l', { goal: 'lead', value: 7 }));
    const both = (await workspace.get(REPORT.replace('goal=purchase', 'goal=purchase,lead,purchase'))).body;
    expect(both.query.goal).toEqual(['purchase', 'lead']);
    expect(both.totals).toMatchObject({
      conversions: 2,
      value: 107,
      attributed: { conversions: 1, value: 100 },
      unattributed: { conversions: 1, value: 7 },
    });
    expect(
      (await workspace.get(`${REPORT.replace('goal=purchase', 'goal=purchase&goal=lead')}&lookback_days=10`))
        .body.totals,
    ).toMatchObject({
      attributed: { conversions: 2, value: 107 },
    });
  });
});

test('a sale in a currency without rate counts, its value does not, and a warning says how many', async () => {
  const workspace = await workspaceWith(
    [at('x', 1)],
    [
      sold('usd', { value: 50 }),
      sold('eur', { currency: 'EUR' }),
      sold('eur2', { currency: 'EUR', value: 1 }),
    ],
  );
  const { totals, data, warnings } = (await workspace.get(REPORT)).body;
  expect(totals).toMatchObject({
    conversions: 3,
    value: 50,
    gross_value: 50,
    attributed: { conversions: 3, value: 50 },
    currency: 'USD',
  });
  expect(data[0].credit.linear).toEqual({ conversions: 3, value: 50 });
  expect(warnings).toMatchObject([{ code: 'missing_fx_rate', detail: expect.stringMatching(/^2 /) }]);
  const inEuro = (await workspace.get(`${REPORT}&currency=EUR`)).body;
  expect(inEuro.totals).toMatchObject({ conversions: 3, value: 101, currency: 'EUR' });
  expect(inEuro.warnings).toMatchObject([{ detail: expect.stringMatching(/^1 /) }]);
  expect((await workspace.get('/v1/conversions/eur/explanation')).body.warnings).toMatchObject([
    { code: 'missing_fx_rate' },
  ]);
});

test.for<[string, Json]>([
  ['where_conversion[properties.plan]=pro', { pro: 1 }],
  ['where_conversion[properties.plan]=pro,free', { pro: 1, free: 2 }],
  ['where_conversion[properties.plan]=%5C0', { bare: 4 }],
  ['where_conversion[properties.seats]=3', { pro: 1 }],
  ['where_conversion[currency]=USD', { free: 2, bare: 4, pro: 1 }],
  ['where_conversion[currency]=EUR', {}],
  ['where_conversion[properties.plan]=pro&where_conversion[currency]=EUR', {}],
])('%s keeps the sales %j', async ([query, kept]) => {
  const buyer = (id: string, value: number, properties?: Json) =>
    sold(id, { value, properties, person: { user_id: id } });
  const sales = [
    buyer('pro', 1, { plan: 'pro', seats: 3 }),
    buyer('free', 2, { plan: 'free' }),
    buyer('bare', 4),
  ];
  const workspace = await workspaceWith(
    sales.map((s) => at(String(s.id), 1, { person: s.person })),
    sales,
  );
  const { body } = await workspace.get(`${REPORT}&${query}`);
  expect(creditsOf(body)).toEqual(kept);
  const values: number[] = Object.values(kept);
  expect(body.totals).toMatchObject({ conversions: values.length, value: values.reduce((a, b) => a + b, 0) });
});

describe('intervals are local in Berlin, where 30 March has 23 hours:', () => {
  const times: [string, number][] = [
    ['2025-03-29T22:59:59.999Z', 1],
    ['2025-03-29T23:00:00Z', 2],
    ['2025-03-30T21:59:59.999Z', 4],
    ['2025-03-30T22:00:00Z', 8],
    ['2025-03-31T21:59:59.999Z', 16],
    ['2025-03-31T22:00:00Z', 32],
  ];
  test.for<[string, Json]>([
    ['day', { '2025-03-29': 1, '2025-03-30': 6, '2025-03-31': 24, '2025-04-01': 32 }],
    ['week', { '2025-03-24': 7, '2025-03-31': 56 }],
    ['month', { '2025-03-01': 31, '2025-04-01': 32 }],
  ])('%s gives %j, in rows and in totals', async ([interval, expected]) => {
    const sales = times.map(([occurred_at, value], i) => sale(`s${i}`, { occurred_at, value }));
    const first = touch('t', { occurred_at: '2025-03-28T00:00:00Z' });
    const workspace = await workspaceWith([first], sales, { timezone: 'Europe/Berlin' });
    const range = '/v1/reports/attribution?goal=purchase&from=2025-03-29&to=2025-04-02';
    const { body } = await workspace.get(`${range}&interval=${interval}`);
    const byInterval = body.totals.by_interval.map((row: Json) => [row.interval, row.value]);
    expect(byInterval).toEqual(Object.entries(expected));
    expect(body.data.map((row: Json) => [row.interval, row.credit.linear.value])).toEqual(
      Object.entries(expected),
    );
    expect(body.totals).toMatchObject({ conversions: 6, value: 63 });
    for (const measure of ['conversions', 'value', 'gross_conversions', 'gross_value']) {
      const sum = body.totals.by_interval.reduce((total: number, row: Json) => total + row[measure], 0);
      expect(sum, measure).toBe(body.totals[measure]);
    }
    const inTokyo = (await workspace.get(`${range}&interval=day&timezone=Asia/Tokyo`)).body;
    expect(inTokyo.totals.by_interval[0]).toMatchObject({ interval: '2025-03-30', value: 3 });
  });
});

describe('groups', () => {
  test('of three dimensions are their combinations, null included', async () => {
    const touches = [
      touch('a', { occurred_at: daysBefore(1), campaign: 'spring', direction: 'inbound' }),
      touch('b', { occurred_at: daysBefore(2), campaign: 'spring', direction: 'inbound' }),
      touch('c', { occurred_at: daysBefore(3), campaign: 'spring' }),
      touch('d', {
        occurred_at: daysBefore(4),
        direction: 'inbound',
        conversation: { id: 'th', topic: 'pricing' },
      }),
    ];
    const workspace = await workspaceWith(touches, [sold('s')]);
    const { body } = await workspace.get(`${REPORT}&group_by=channel,campaign,direction`);
    expect(body.data.map((row: Json) => [row.group, row.touchpoints, row.credit.linear.value])).toEqual([
      [{ channel: 'x', campaign: 'spring', direction: 'inbound' }, 2, 50],
      [{ channel: 'x', campaign: 'spring', direction: null }, 1, 25],
      [{ channel: 'x', campaign: null, direction: 'inbound' }, 1, 25],
    ]);
    const byThread = (await workspace.get(`${REPORT}&group_by=topic,conversation`)).body;
    expect(creditsOf(byThread)).toEqual({ 'pricing th': 25, ' ': 75 });
  });

  test('influenced counts journeys with the group, assisted those where it is not the last; touchpoints are distinct', async () => {
    const workspace = await workspaceWith(
      [at('x', 9), at('email', 5), at('call', 1)],
      [sold('early', { occurred_at: daysBefore(4) }), sold('late')],
    );
    const { body } = await workspace.get(REPORT);
    const rows = Object.fromEntries(
      body.data.map((row: Json) => [
        row.group.channel,
        [row.touchpoints, row.influenced_conversions, row.assisted_conversions],
      ]),
    );
    expect(rows).toEqual({ x: [1, 2, 2], email: [1, 2, 1], call: [1, 1, 0] });
  });

  test('beyond the limit are one row that holds the rest: 50, 40 and 30 + 20 + 10, two of them in one journey', async () => {
    const buyer = (channel: string, value: number) =>
      sold(`s-${channel}`, { value, person: { user_id: channel } });
    const touches = ['a', 'b', 'c', 'd', 'e'].map((channel) =>
      at(channel, 1, { person: { user_id: channel } }),
    );
    touches.push(at('f', 2, { person: { user_id: 'e' } }));
    const sales = [buyer('a', 50), buyer('b', 40), buyer('c', 30), buyer('d', 20), buyer('e', 10)];
    const doubled = [
      sold('again-a', { person: { user_id: 'a' }, value: 0 }),
      sold('again-b', { person: { user_id: 'b' }, value: 0 }),
    ];
    const workspace = await workspaceWith(touches, [...sales, ...doubled]);
    const { body } = await workspace.get(`${REPORT}&limit=2`);
    expect(creditsOf(body)).toEqual({ a: 50, b: 40, '(other)': 60 });
    expect(body.data[2]).toEqual({
      group: null,
      other: true,
      touchpoints: 4,
      influenced_conversions: 3,
      assisted_conversions: 0,
      credit: { linear: { conversions: 3, value: 60 } },
    });
    const all = (await workspace.get(`${REPORT}&limit=6`)).body;
    expect(all.data.some((row: Json) => row.other)).toBe(false);
    expect(all.data).toHaveLength(6);
  });

  test('beyond the limit are one row for each interval, and every interval adds up', async () => {
    const days = [1, 2, 3].map((age) => daysBefore(age));
    const sales = days.map((occurred_at, i) => sold(`s${i}`, { occurred_at }));
    const workspace = await workspaceWith([at('a', 5), at('b', 6), at('c', 7), at('d', 8)], sales);
    const { body } = await workspace.get(
      `${REPORT}&interval=day&limit=5&group_by=channel&models=linear,first_touch`,
    );
    const sums = new Map<string, number>();
    for (const row of body.data)
      sums.set(row.interval, (sums.get(row.interval) ?? 0) + row.credit.linear.value);
    expect([...sums].sort()).toEqual(days.map((day) => [day.slice(0, 10), 100]).sort());
    expect(body.data.filter((row: Json) => !row.other)).toHaveLength(5);
  });
});

test('what was understood is echoed, defaults filled in', async () => {
  const workspace = await workspaceWith([], [sold('s')], { timezone: 'Europe/Berlin', currency: 'EUR' });
  const { query } = (await workspace.get(`${REPORT}&models=custom&weights=1,2,3&where[channel]=x,%5C0`)).body;
  expect(query).toEqual({
    goal: ['purchase'],
    from: '2025-05-31T22:00:00.000Z',
    to: '2025-06-30T22:00:00.000Z',
    timezone: 'Europe/Berlin',
    models: ['custom'],
    group_by: ['channel'],
    lookback_days: null,
    half_life_days: 7,
    weights: { first: 1, middle: 2, last: 3 },
    scope: 'person',
    journey: 'reuse',
    where: { channel: ['x', null] },
    where_conversion: {},
    currency: 'EUR',
    interval: null,
    limit: 1000,
  });
});
