import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, sale } from './items.ts';
import { answered, at, by, said, workspaceWith } from './threads.ts';

/** The conversation report from outside: groups, intervals, buckets, business hours, and rejected queries. */

needWorld();

const REPORT = '/v1/reports/conversations?from=2025-06-01&to=2025-07-01';
const DAY = 24 * 60;

/** `t1` and `t2` on x, answered after 10 and 30 minutes; `t3` on x and `t4` on email, unanswered; `t5` is outbound. */
const threads = () => [
  said('1', 't1', 0, by('ann')),
  answered('2', 't1', 10, by('ann')),
  said('3', 't2', 0, { ...by('bob'), conversation: { id: 't2', topic: 'pricing' } }),
  answered('4', 't2', 30, { ...by('bob'), channel: 'email' }),
  said('5', 't2', 31, { ...by('bob'), channel: 'email' }),
  said('6', 't3', DAY, by('cleo')),
  answered('7', 't4', -5, { ...by('dan'), channel: 'x' }),
  said('8', 't4', 5, { ...by('dan'), channel: 'email' }),
  answered('9', 't5', 5, by('eve')),
];

const figures = (
  conversations: number,
  seconds: number[],
  [median, p90]: (number | null)[],
  messages: number[],
) => ({
  conversations,
  responded: seconds.length,
  response_rate: seconds.length / conversations,
  first_response_seconds: { median, p90 },
  unanswered: conversations - seconds.length,
  messages: { inbound: messages[0], outbound: messages[1] },
});

test('groups are those of the opening touchpoint, whatever channel the thread goes on in; what we began counts once they write', async () => {
  const workspace = await workspaceWith(threads());
  const { body, headers } = await workspace.get(REPORT);
  expect(body).toEqual({
    query: {
      goal: [],
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-07-01T00:00:00.000Z',
      timezone: 'UTC',
      group_by: ['channel'],
      interval: null,
      where: {},
      horizon_days: 30,
      currency: 'USD',
      limit: 1000,
    },
    observational: true,
    totals: figures(4, [600, 1800], [1200, 1680], [5, 3]),
    data: [
      { group: { channel: 'x' }, ...figures(3, [600, 1800], [1200, 1680], [4, 2]), share: 0.75 },
      { group: { channel: 'email' }, ...figures(1, [], [null, null], [1, 1]), share: 0.25 },
    ],
    buckets: [],
    left_out: null,
    warnings: [],
  });
  expect(headers.get('etag')).toMatch(/^W\//);
});

test('intervals are of the opening, and share is of the interval', async () => {
  const workspace = await workspaceWith(threads());
  const { body } = await workspace.get(`${REPORT}&interval=day`);
  expect(
    body.data.map((row: Json) => [row.interval, row.group.channel, row.conversations, row.share]),
  ).toEqual([
    ['2025-06-01', 'x', 2, 2 / 3],
    ['2025-06-01', 'email', 1, 1 / 3],
    ['2025-06-02', 'x', 1, 1],
  ]);
  const tokyo = (await workspace.get(`${REPORT}&interval=week&timezone=Asia/Tokyo&group_by=topic`)).body;
  expect(tokyo.data.map((row: Json) => [row.interval, row.group.topic, row.share])).toEqual([
    ['2025-05-26', null, 2 / 3],
    ['2025-05-26', 'pricing', 1 / 3],
    ['2025-06-02', null, 1],
  ]);
});

test('the range is of the opening: from is inside, to is not', async () => {
  const workspace = await workspaceWith(threads());
  const counted = async (from: number, to: number) =>
    (await workspace.get(`/v1/reports/conversations?from=${at(from)}&to=${at(to)}`)).body.totals
      .conversations;
  expect(await counted(0, 5)).toBe(2);
  expect(await counted(1, 6)).toBe(1);
  expect(await counted(-10, 0)).toBe(0);
});

test('where looks at the opening touchpoint, and group_by takes any of its fields', async () => {
  const workspace = await workspaceWith(threads());
  const { body } = await workspace.get(`${REPORT}&where[channel]=email&group_by=conversation,kind`);
  expect(body.data.map((row: Json) => row.group)).toEqual([{ conversation: 't4', kind: 'mention' }]);
  expect(body.totals.conversations).toBe(1);
});

test('groups beyond the limit are one row with the figures of all their conversations', async () => {
  const workspace = await workspaceWith(threads());
  const { body } = await workspace.get(`${REPORT}&group_by=conversation&limit=1`);
  expect(body.data.map((row: Json) => [row.group, row.other, row.conversations, row.responded])).toEqual([
    [{ conversation: 't1' }, undefined, 1, 1],
    [null, true, 3, 1],
  ]);
  expect(body.data[1].first_response_seconds).toEqual({ median: 1800, p90: 1800 });
});

test('an empty workspace has totals of 0, no rates and no rows', async () => {
  const { body } = await (await TestWorkspace.make()).get(REPORT);
  expect(body.totals).toEqual({ ...figures(0, [], [null, null], [0, 0]), response_rate: null });
  expect(body.data).toEqual([]);
});

describe('the buckets', () => {
  const sold = (id: string, user_id: string, minute: number, changes: Json = {}) =>
    sale(id, { ...by(user_id), occurred_at: at(minute), ...changes });

  test('have each person once, by the first conversation, and who converted from 24 hours to the horizon', async () => {
    const workspace = await workspaceWith([...threads(), said('z', 't9', 60, by('ann'))]);
    await workspace.goal('purchase');
    await workspace.load('conversions', [
      sold('early', 'bob', 2),
      sold('ann1', 'ann', DAY, { value: 40 }),
      sold('ann2', 'ann', 30 * DAY, { value: 2.5 }),
      sold('ann3', 'ann', 30 * DAY + 1, { value: 999 }),
      sold('dan', 'dan', 3 * DAY, { currency: 'JPY' }),
      sold('cleo', 'cleo', 4 * DAY),
    ]);
    await workspace.post('/v1/conversions/cleo/adjustments', { kind: 'retraction' });
    const { body } = await workspace.get(`${REPORT}&goal=purchase`);
    const low = expect.closeTo(0.206549, 5);
    const none = { people: 0, converted: 0, rate: null, rate_low: null, rate_high: null, value: 0 };
    expect(body.buckets).toEqual([
      { bucket: '<5m', ...none },
      { bucket: '<15m', people: 1, converted: 1, rate: 1, rate_low: low, rate_high: 1, value: 42.5 },
      { bucket: '<1h', ...none },
      { bucket: '<4h', ...none },
      { bucket: '<24h', ...none },
      { bucket: '>=24h', ...none },
      {
        bucket: 'never',
        people: 2,
        converted: 1,
        rate: 0.5,
        rate_low: expect.closeTo(0.094531, 5),
        rate_high: expect.closeTo(0.905469, 5),
        value: 0,
      },
    ]);
    expect(body.left_out).toEqual({ converted_within_24h: 1, short_follow_up: 0 });
    expect(body.warnings).toEqual([
      {
        code: 'missing_fx_rate',
        detail: expect.stringMatching('^1 conversions are in another currency than USD'),
      },
    ]);
    expect((await workspace.get(`${REPORT}&goal=purchase&horizon_days=2`)).body.buckets[1].value).toBe(40);
  });

  test('count values in the currency asked, at the rate of the day of the conversion', async () => {
    const workspace = await workspaceWith(threads());
    await workspace.goal('purchase');
    await workspace.load('conversions', [sold('s', 'ann', 2 * DAY, { value: 10, currency: 'EUR' })]);
    await rowsOf(
      `insert into fx_rates (workspace_id, date, "from", "to", rate) values ($1, '2025-06-03', 'EUR', 'USD', 1.5)`,
      [workspace.id],
    );
    const valueIn = async (query: string) =>
      (await workspace.get(`${REPORT}&goal=purchase${query}`)).body.buckets[1].value;
    expect(await valueIn('')).toBe(15);
    expect(await valueIn('&currency=EUR')).toBe(10);
  });

  test('of a goal that counts once look at the first conversion only', async () => {
    const workspace = await workspaceWith(threads());
    await workspace.goal('contract', { counting: 'once' });
    await workspace.load('conversions', [
      sold('before', 'ann', -10, { goal: 'contract' }),
      sold('again', 'ann', 2 * DAY, { goal: 'contract' }),
    ]);
    const converted = async () => (await workspace.get(`${REPORT}&goal=contract`)).body.buckets[1].converted;
    expect(await converted()).toBe(0);
    await workspace.post('/v1/conversions/before/adjustments', { kind: 'retraction' });
    expect(await converted()).toBe(1);
  });

  test('leave out who opened less than the horizon ago, and say how many', async () => {
    const ago = (days: number) => ({ occurred_at: new Date(Date.now() - days * 86_400_000).toISOString() });
    const workspace = await workspaceWith([
      said('1', 'a', 0, { ...by('ann'), ...ago(29.9) }),
      said('2', 'b', 0, { ...by('bob'), ...ago(30.1) }),
      said('3', 'c', 0, { ...by('cleo'), ...ago(5) }),
    ]);
    await workspace.goal('purchase');
    await workspace.load('conversions', [sale('s', { ...by('cleo'), ...ago(4.5) })]);
    const asked = async (days: number) =>
      (await workspace.get(`/v1/reports/conversations?range=90d&goal=purchase&horizon_days=${days}`)).body;
    const { buckets, left_out } = await asked(30);
    expect(left_out).toEqual({ converted_within_24h: 1, short_follow_up: 1 });
    expect(buckets.at(-1)).toMatchObject({ people: 1, converted: 0 });
    expect((await asked(29)).left_out.short_follow_up).toBe(0);
  });
});

test('business hours are told beside the others once they are set: Friday 16:50 to Monday 09:20 is half an hour', async () => {
  const workspace = await workspaceWith(
    [
      said('1', 't', 0, { occurred_at: '2025-06-06T14:50:00Z' }),
      answered('2', 't', 0, { occurred_at: '2025-06-09T07:20:00Z' }),
    ],
    { timezone: 'Europe/Berlin' },
  );
  expect((await workspace.get(REPORT)).body.totals).not.toHaveProperty('business_first_response_seconds');
  const hours = { from: '09:00', to: '17:00' };
  const set = (business_hours: Json) => workspace.ask('PATCH', '/v1/workspace', { body: { business_hours } });
  await set({ days: { monday: hours, friday: hours } });
  const { totals, data } = (await workspace.get(REPORT)).body;
  expect(totals.business_first_response_seconds).toEqual({ median: 1800, p90: 1800 });
  expect(data[0].business_first_response_seconds).toEqual({ median: 1800, p90: 1800 });
  expect(totals.first_response_seconds.median).toBe(64.5 * 3600);
  await set({ days: { monday: hours, friday: hours }, holidays: ['2025-06-09'] });
  expect((await workspace.get(REPORT)).body.totals.business_first_response_seconds.median).toBe(600);
  await set({ timezone: 'UTC', days: { friday: hours } });
  expect((await workspace.get(REPORT)).body.totals.business_first_response_seconds.median).toBe(7800);
});

// Clocks change in Berlin on Sunday, 30 March and 26 October 2025; the definition is in the domain.
test.for([
  ['a whole day in spring is 23 hours', '2025-03', 29, '00:00', '24:00', 23],
  ['a whole day in autumn is 25 hours', '2025-10', 25, '00:00', '24:00', 25],
  ['the skipped hour is none', '2025-03', 29, '02:00', '03:00', 0],
  ['hours that end before they begin are none', '2025-03', 29, '02:30', '03:10', 0],
  ['the second of an hour that comes twice ends it', '2025-10', 25, '01:00', '02:30', 2.5],
] as const)('in business hours %s', async ([, month, day, from, to, hours]) => {
  const workspace = await workspaceWith(
    [
      said('1', 't', 0, { occurred_at: `${month}-${day}T12:00:00Z` }),
      answered('2', 't', 0, { occurred_at: `${month}-${day + 2}T12:00:00Z` }),
    ],
    { business_hours: { timezone: 'Europe/Berlin', days: { sunday: { from, to } } } },
  );
  const { body } = await workspace.get(`/v1/reports/conversations?from=${month}-01&to=2025-11-01`);
  expect(body.totals.business_first_response_seconds.median).toBe(hours * 3600);
});

test('the range may begin before what is kept: a warning says so, of conversations a year later than of conversions', async () => {
  const workspace = await TestWorkspace.make({ retention_days: 30 });
  await workspace.goal('purchase');
  const from = new Date(Date.now() - 100 * 86_400_000).toISOString();
  const warned = async (query: string) =>
    (await workspace.get(`/v1/reports/conversations?${query}`)).body.warnings;
  const to = new Date().toISOString();
  expect(await warned(`from=${from}&to=${to}`)).toEqual([]);
  expect(await warned(`from=${from}&to=${to}&goal=purchase`)).toMatchObject([{ code: 'outside_retention' }]);
  expect(await warned(`from=2020-01-01&to=2021-01-01`)).toMatchObject([
    { code: 'outside_retention', detail: expect.stringContaining('395 days') },
  ]);
});

test.for([
  ['horizon_days=-1', '?horizon_days', '>=2'],
  ['horizon_days=1', '?horizon_days', '>=2'],
  ['horizon_days=366', '?horizon_days', '<=365'],
  ['interval=hour', '?interval', 'week'],
  ['group_by=colour', '?group_by', 'channel'],
  ['group_by=channel,channel', '?group_by', 'once'],
  ['where[colour]=red', '?where[colour]', 'campaign'],
  ['state=waiting', '?state', 'horizon_days'],
  ['currency=BTC', '?currency', 'ISO 4217'],
  ['limit=0', '?limit', '>=1'],
] as const)('refuses ?%s and says what is known', async ([query, pointer, known]) => {
  const answer = await (await TestWorkspace.make()).get(`${REPORT}&${query}`);
  expectProblem(answer, 422, 'invalid_request', [pointer]);
  expect(answer.body.errors[0].detail).toContain(known);
});

test('a goal that does not exist is refused by name', async () => {
  const answer = await (await TestWorkspace.make()).get(`${REPORT}&goal=nowhere`);
  expectProblem(answer, 422, 'unknown_goal', ['?goal']);
});
