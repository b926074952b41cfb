import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { daysBefore, SOLD_AT, sale, touch } from './items.ts';

/** The journeys report: shapes, numbers worked out by hand, null journeys. */

needWorld();

const RANGE = 'goal=purchase&from=2025-06-01&to=2025-07-01';
const REPORT = `/v1/reports/journeys?${RANGE}`;
const NO_VALUE = { journeys: 0, value: 0 };

const of = (user_id: string) => ({ person: { user_id } });
const sold = (id: string, changes: Json = {}) => sale(id, { occurred_at: SOLD_AT, ...changes });
const at = (id: string, age: number, changes: Json = {}) =>
  touch(id, { occurred_at: daysBefore(age), ...changes });

async function workspaceWith(touches: Json[], sales: Json[] = [], settings: Json = {}) {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  if (touches.length > 0) await workspace.load('touchpoints', touches);
  if (sales.length > 0) await workspace.load('conversions', sales);
  return workspace;
}

/**
 * u1 and u2 walk x, x, email and buy for 100 and 50; u3 buys for 7 without a touchpoint; u4 walks x and does not buy.
 */
const threePaths = () =>
  workspaceWith(
    [
      ...['u1', 'u2'].flatMap((user) => [
        at(`${user}-1`, 4, of(user)),
        at(`${user}-2`, 3, of(user)),
        at(`${user}-3`, user === 'u1' ? 2 : 1, { channel: 'email', ...of(user) }),
      ]),
      at('u4-1', 5, of('u4')),
    ],
    [sold('s1'), sold('s2', { value: 50, ...of('u2') }), sold('s3', { value: 7, ...of('u3') })],
  );

/** `x > email`, counts and value. */
function pathsOf({ data }: Json): Json[] {
  return data.map(({ path, converted, not_converted, value }: Json) => [
    path === null ? '(other)' : path.map(String).join(' > '),
    converted,
    not_converted,
    value,
  ]);
}

describe('the answer', () => {
  test('has paths, totals, lengths, times and transitions, each worked out by hand', async () => {
    const { body } = await (await threePaths()).get(REPORT);
    expect(body.data).toEqual([
      { path: ['x', 'email'], converted: 2, not_converted: 0, value: 150 },
      { path: [], converted: 1, not_converted: 0, value: 7 },
      { path: ['x'], converted: 0, not_converted: 1, value: 0 },
    ]);
    expect(body.totals).toEqual({
      conversions: 3,
      value: 157,
      currency: 'USD',
      attributed: { conversions: 2, value: 150 },
      unattributed: { conversions: 1, value: 7 },
      not_converted: 1,
    });
    expect(body.path_length).toMatchObject({ median: 3, p90: 3 });
    expect(body.path_length.buckets).toHaveLength(8);
    expect(body.path_length.buckets[2]).toEqual({ from: 3, to: 4, journeys: 2, value: 150 });
    expect(body.path_length.buckets[7]).toEqual({ from: 21, to: null, ...NO_VALUE });
    expect(body.time_lag_seconds).toMatchObject({ median: 345_600, p90: 345_600 });
    expect(body.time_lag_seconds.buckets.map((bucket: Json) => bucket.journeys)).toEqual([
      0, 0, 0, 2, 0, 0, 0, 0, 0,
    ]);
    const group = (value: string) => ({ state: 'group', group: value });
    expect(body.transitions).toEqual([
      { from: { state: 'start' }, to: group('x'), count: 3 },
      { from: group('email'), to: { state: 'conversion' }, count: 2 },
      { from: group('x'), to: group('email'), count: 2 },
      { from: { state: 'start' }, to: { state: 'conversion' }, count: 1 },
      { from: group('x'), to: { state: 'null' }, count: 1 },
    ]);
    expect(body).toMatchObject({ observational: true, warnings: [] });
  });

  test('without collapse has the repeats, in paths and in transitions', async () => {
    const { body } = await (await threePaths()).get(`${REPORT}&collapse=false`);
    expect(pathsOf(body)[0]).toEqual(['x > x > email', 2, 0, 150]);
    const x = { state: 'group', group: 'x' };
    expect(body.transitions).toContainEqual({ from: x, to: x, count: 2 });
    expect(body.path_length).toMatchObject({ median: 3 });
  });

  test('of nothing is empty: nulls and zeros', async () => {
    const { body } = await (await workspaceWith([])).get(REPORT);
    expect(body).toMatchObject({ data: [], transitions: [], warnings: [] });
    expect(body.totals).toMatchObject({ conversions: 0, value: 0, not_converted: 0 });
    for (const part of ['path_length', 'time_lag_seconds']) {
      expect(body[part]).toMatchObject({ median: null, p90: null });
      for (const bucket of body[part].buckets) expect(bucket).toMatchObject(NO_VALUE);
    }
  });

  test('echoes what was understood, defaults filled in', async () => {
    const workspace = await workspaceWith([], [], { timezone: 'Europe/Berlin', currency: 'EUR' });
    expect((await workspace.get(`${REPORT}&max_touches=3`)).body.query).toEqual({
      goal: ['purchase'],
      from: '2025-05-31T22:00:00.000Z',
      to: '2025-06-30T22:00:00.000Z',
      timezone: 'Europe/Berlin',
      group_by: ['channel'],
      lookback_days: null,
      scope: 'person',
      journey: 'reuse',
      where: {},
      where_conversion: {},
      currency: 'EUR',
      collapse: true,
      min_touches: null,
      max_touches: 3,
      limit: 1000,
    });
  });

  test('tells a channel called start, or none, from where journeys begin and end', async () => {
    const touches = [at('a', 2, { channel: 'start', campaign: 'null' }), at('b', 1, { channel: 'start' })];
    const workspace = await workspaceWith(touches, [sold('s')]);
    const { body } = await workspace.get(`${REPORT}&group_by=channel,campaign`);
    expect(body.data).toMatchObject([
      {
        path: [
          ['start', 'null'],
          ['start', null],
        ],
      },
    ]);
    expect(body.transitions.map(({ from, to }: Json) => [from, to])).toEqual([
      [{ state: 'start' }, { state: 'group', group: ['start', 'null'] }],
      [
        { state: 'group', group: ['start', 'null'] },
        { state: 'group', group: ['start', null] },
      ],
      [{ state: 'group', group: ['start', null] }, { state: 'conversion' }],
    ]);
    const byCampaign = (await workspace.get(`${REPORT}&group_by=campaign`)).body;
    expect(byCampaign.data).toMatchObject([{ path: ['null', null] }]);
  });
});

test('median and p90 are exact: of 1 and 2 touches 1.5 and 1.9, of 1 h and 3 d in between', async () => {
  const hour = 1 / 24;
  const touches = [at('a', hour, of('u1')), at('b', 3, of('u2')), at('c', 1, of('u2'))];
  const { body } = await (await workspaceWith(touches, [sold('s1'), sold('s2', of('u2'))])).get(REPORT);
  expect(body.path_length).toMatchObject({ median: 1.5, p90: 1.9 });
  expect(body.time_lag_seconds.median).toBe((3600 + 259_200) / 2);
  expect(body.time_lag_seconds.p90).toBeCloseTo(3600 + 0.9 * (259_200 - 3600), 6);
  const filled = body.time_lag_seconds.buckets.filter((bucket: Json) => bucket.journeys > 0);
  expect(filled.map(({ from }: Json) => from)).toEqual([3600, 259_200]);
});

describe('min_touches and max_touches hold for the whole report, and count before collapse', () => {
  test.for([
    ['min_touches=1', 2, 1, ['x > email', 'x']],
    ['min_touches=3', 2, 0, ['x > email']],
    ['min_touches=4', 0, 0, []],
    ['max_touches=2', 1, 1, ['', 'x']],
    ['max_touches=0', 1, 0, ['']],
    ['min_touches=1&max_touches=1', 0, 1, ['x']],
  ] as const)('%s: %d conversions, %d without', async ([query, conversions, not_converted, paths]) => {
    const { body } = await (await threePaths()).get(`${REPORT}&${query}`);
    expect(body.totals).toMatchObject({ conversions, not_converted });
    expect(pathsOf(body).map(([path]) => path)).toEqual(paths);
    const starts = body.transitions.filter(({ from }: Json) => from.state === 'start');
    const started = starts.reduce((sum: number, step: Json) => sum + step.count, 0);
    expect(started).toBe(conversions + not_converted);
  });
});

test('paths beyond the limit are one row that holds the rest', async () => {
  const { body } = await (await threePaths()).get(`${REPORT}&limit=1`);
  expect(body.data).toEqual([
    { path: ['x', 'email'], converted: 2, not_converted: 0, value: 150 },
    { path: null, other: true, converted: 1, not_converted: 1, value: 7 },
  ]);
  const all = (await (await threePaths()).get(`${REPORT}&limit=3`)).body;
  expect(all.data.some((row: Json) => row.other)).toBe(false);
});

test('beyond 10,000 transitions the most frequent are shown, and a warning says how many there are', {
  timeout: 60_000,
}, async () => {
  const touches = Array.from({ length: 5001 }, (_, i) =>
    at(`t${i}`, 1, { conversation: { id: `thread-${i}` }, ...of(`u${i}`) }),
  );
  const { body } = await (await workspaceWith(touches)).get(`${REPORT}&group_by=conversation&limit=10`);
  expect(body.transitions).toHaveLength(10_000);
  expect(body.warnings).toMatchObject([
    { code: 'transitions_cut', detail: expect.stringContaining(' 10002 ') },
  ]);
  expect(pathsOf(body).at(-1)).toEqual(['(other)', 0, 4991, 0]);
});

describe('who did not convert', () => {
  test('converted neither to this goal nor to another of those asked; the longest lookback decides', async () => {
    const touches = ['u1', 'u2', 'u3'].map((user) => at(user, 20, of(user)));
    const workspace = await workspaceWith(touches, [sold('s')]);
    await workspace.goal('lead', { lookback_days: 5 });
    await workspace.conversions(sold('l', { goal: 'lead', ...of('u2') }));
    expect((await workspace.get(REPORT)).body.totals).toMatchObject({ conversions: 1, not_converted: 2 });
    const lead = (await workspace.get(REPORT.replace('purchase', 'lead'))).body;
    expect(lead.totals).toMatchObject({ conversions: 1, not_converted: 0 });
    const both = (await workspace.get(REPORT.replace('purchase', 'purchase,lead'))).body;
    expect(both.totals).toMatchObject({ conversions: 2, not_converted: 1 });
  });

  test('includes who gave a sale back, and leaves out who bought another plan', async () => {
    const touches = ['u1', 'u2', 'u3'].map((user) => at(user, 2, of(user)));
    const sales = [sold('back'), sold('free', { properties: { plan: 'free' }, ...of('u2') })];
    const workspace = await workspaceWith(touches, sales);
    await workspace.post('/v1/conversions/back/adjustments', { kind: 'retraction' });
    const { body } = await workspace.get(`${REPORT}&where_conversion[properties.plan]=pro`);
    expect(pathsOf(body)).toEqual([['x', 0, 2, 0]]);
  });

  test('is an account under scope=account, which one of its people may have converted', async () => {
    const acme = { account: { id: 'acme' } };
    const beta = { account: { id: 'beta' } };
    const touches = [
      at('a', 4, { ...of('u1'), ...acme }),
      at('b', 3, { channel: 'email', ...of('u2'), ...acme }),
      at('c', 2, { ...of('u3'), ...beta }),
      at('d', 1, { channel: 'call', ...of('u4'), ...beta }),
      at('e', 1, of('u5')),
    ];
    const workspace = await workspaceWith(touches, [sold('s', { ...of('u1'), ...acme })]);
    const people = (await workspace.get(REPORT)).body;
    expect(people.totals).toMatchObject({ conversions: 1, not_converted: 4 });
    expect(pathsOf((await workspace.get(`${REPORT}&scope=account`)).body)).toEqual([
      ['x > email', 1, 0, 100],
      ['x', 0, 1, 0],
      ['x > call', 0, 1, 0],
    ]);
  });
});
