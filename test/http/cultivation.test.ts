import { describe, expect, test } from 'vitest';
import { conversionRate, riskRatio } from '../../src/domain/proportions.ts';
import { type Json, needWorld } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { came, codes, did, on, prepare, prepareFull, REPORT, sizesOf } from './cultivation-log.ts';
import { sale, touch } from './items.ts';

/** The cultivation report from outside: the compared arms, groups, money, and warnings. */

needWorld();

test('the report compares who was cultivated by the landmark with who was not', async () => {
  const workspace = await prepareFull();
  const { body, status } = await workspace.get(REPORT);
  expect(status).toBe(200);
  const { arms, risk_ratio, odds_ratio, risk_difference, ...rest } = body;
  expect(rest).toEqual({
    query: {
      goal: ['purchase'],
      cultivation_goal: ['follow', 'join'],
      from: '2025-01-01T00:00:00.000Z',
      to: '2025-02-01T00:00:00.000Z',
      timezone: 'UTC',
      landmark_days: 14,
      horizon_days: 90,
      group_by: null,
      currency: 'USD',
    },
    observational: true,
    totals: { people: 7, compared: 6, converted: 3, value: 60, currency: 'USD', pool_people: 2 },
    left_out: { converted_before_landmark: 1, short_follow_up: 0 },
    pool: [
      { goal: 'follow', people: 2 },
      { goal: 'join', people: 0 },
    ],
    data: [{ group: {}, arms, risk_ratio, odds_ratio, risk_difference, pool_people: 2, low_evidence: true }],
    warnings: [{ code: 'low_evidence', detail: expect.stringContaining('1 of 1 rows') }],
  });
  const [cultivated, uncultivated] = [
    { people: 3, converted: 2 },
    { people: 3, converted: 1 },
  ];
  // Three people: 2/3 after 6 days, 1/3 after 10.
  expect(arms.cultivated).toEqual({
    ...cultivated,
    ...conversionRate(cultivated),
    value_per_person: 50 / 3,
    median_days: 10,
  });
  expect(arms.uncultivated).toMatchObject({ ...uncultivated, value_per_person: 10 / 3, median_days: null });
  expect(risk_ratio).toEqual(riskRatio(cultivated, uncultivated));
});

describe('groups', () => {
  test('by channel are those of the first touchpoint, the largest first, each with its pool', async () => {
    const workspace = await prepareFull();
    await workspace.touchpoints(came('bob', 2, { channel: 'email' }));
    await workspace.load('conversions', [did('join', 'nobody-saw', 30)]);
    const { data, arms } = (await workspace.get(`${REPORT}&group_by=channel`)).body;
    expect(data.map((row: Json) => [row.group, sizesOf(row), row.pool_people])).toEqual([
      [
        { channel: 'x' },
        [
          [2, 1],
          [2, 0],
        ],
        2,
      ],
      [
        { channel: 'email' },
        [
          [1, 1],
          [1, 1],
        ],
        0,
      ],
      [
        { channel: null },
        [
          [0, 0],
          [0, 0],
        ],
        1,
      ],
    ]);
    expect(sizesOf({ arms })).toEqual([
      [3, 2],
      [3, 1],
    ]);
  });

  test('by cultivation goal are who reached it, each against who reached none', async () => {
    const workspace = await prepareFull();
    await workspace.load('conversions', [did('join', 'ann', 4)]);
    const { data } = (await workspace.get(`${REPORT}&group_by=cultivation_goal`)).body;
    expect(data.map((row: Json) => [row.group, sizesOf(row), row.pool_people])).toEqual([
      [
        { cultivation_goal: 'follow' },
        [
          [2, 1],
          [3, 1],
        ],
        2,
      ],
      [
        { cultivation_goal: 'join' },
        [
          [2, 2],
          [3, 1],
        ],
        0,
      ],
    ]);
  });

  test('are of the cultivation goals asked, in their order, whatever the order of asking', async () => {
    const workspace = await prepareFull();
    const one = (await workspace.get(`${REPORT}&cultivation_goal=join&group_by=cultivation_goal`)).body;
    expect(one.data.map((row: Json) => [row.group, sizesOf(row)])).toEqual([
      [
        { cultivation_goal: 'join' },
        [
          [1, 1],
          [5, 2],
        ],
      ],
    ]);
    const both = (await workspace.get(`${REPORT}&cultivation_goal=join,follow,join`)).body;
    expect(both.query.cultivation_goal).toEqual(['follow', 'join']);
  });

  test('beyond fifty channels are one row of all others, and no one is lost', async () => {
    const workspace = await prepare();
    const names = Array.from({ length: 53 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    await workspace.load(
      'touchpoints',
      names.map((name) => came(name, 0, { channel: `c${name}` })),
    );
    await workspace.load(
      'conversions',
      names.map((name) => did('follow', name, 3)),
    );
    const { data } = (await workspace.get(`${REPORT}&group_by=channel`)).body;
    expect(data).toHaveLength(51);
    expect(data[49].group).toEqual({ channel: 'cp49' });
    expect(data[50]).toMatchObject({ group: null, other: true, pool_people: 3 });
    expect(sizesOf(data[50])).toEqual([
      [3, 0],
      [0, 0],
    ]);
  });
});

test('the landmark and the horizon are theirs to the millisecond: a conversion at either is by then', async () => {
  const workspace = await prepare();
  const shifted = (day: number, ms: number) => ({
    occurred_at: new Date(new Date(on(day)).getTime() + ms).toISOString(),
  });
  const sold: [name: string, day: number, ms: number][] = [
    ['ann', 14, 0],
    ['bob', 14, 1],
    ['cleo', 104, 0],
    ['dan', 104, 1],
  ];
  await workspace.load(
    'touchpoints',
    sold.map(([name]) => came(name)),
  );
  await workspace.load(
    'conversions',
    sold.map(([name, day, ms]) => did('purchase', name, day, shifted(day, ms))),
  );
  const { body } = await workspace.get(REPORT);
  expect(body.left_out).toEqual({ converted_before_landmark: 1, short_follow_up: 0 });
  expect(body.totals).toMatchObject({ compared: 3, converted: 2, value: 200 });
  // Three people: 2/3 after a millisecond, 1/3 after 90 days.
  expect(body.arms.uncultivated.median_days).toBe(90);
});

describe('a touchpoint that records the cultivation goal', () => {
  test('cultivates, until it is voided', async () => {
    const workspace = await prepare();
    await workspace.goal('follow', { kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } });
    await workspace.load('touchpoints', [came('ann'), came('ann', 3, { kind: 'follow' })]);
    expect(sizesOf((await workspace.get(REPORT)).body)).toEqual([
      [1, 0],
      [0, 0],
    ]);
    await workspace.ask('DELETE', '/v1/touchpoints/t-ann-3');
    expect(sizesOf((await workspace.get(REPORT)).body)).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test('cultivates at once where it is the first and the landmark is 0 days on', async () => {
    const workspace = await prepare();
    await workspace.goal('follow', { kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } });
    await workspace.load('touchpoints', [came('ann', 0, { kind: 'follow' }), came('bob')]);
    await workspace.load('conversions', [did('purchase', 'ann', 0), did('purchase', 'bob', 1)]);
    const { body } = await workspace.get(`${REPORT}&landmark_days=0`);
    expect(body.left_out.converted_before_landmark).toBe(1);
    expect(sizesOf(body)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

test('people who turn out to be one are one, from the first touchpoint of both', async () => {
  const workspace = await prepare();
  await workspace.load('touchpoints', [
    came('ann', 5),
    touch('earlier', { person: { x: 'ann' }, occurred_at: on(-40) }),
  ]);
  expect((await workspace.get(REPORT)).body.totals.people).toBe(1);
  await workspace.load('people', [{ id: 'p', person: { user_id: 'ann', x: 'ann' } }]);
  expect((await workspace.get(REPORT)).body.totals.people).toBe(0);
});

test('a short follow-up is left out, counted, and still part of the median', async () => {
  const workspace = await prepare();
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const at = (id: string, days: number) => touch(id, { person: { user_id: id }, occurred_at: ago(days) });
  await workspace.load('touchpoints', [at('ann', 30), at('bob', 29), at('cleo', 5), at('dan', 200)]);
  await workspace.load('conversions', [
    sale('s', { person: { user_id: 'ann' }, occurred_at: ago(12) }),
    sale('r', { person: { user_id: 'bob' }, occurred_at: ago(10) }),
  ]);
  const { body } = await workspace.get('/v1/reports/cultivation?goal=purchase&range=12mo');
  expect(body.left_out).toEqual({ converted_before_landmark: 0, short_follow_up: 3 });
  expect(body.arms.uncultivated).toMatchObject({ people: 1, converted: 0, rate: 0 });
  // Ann after 4 days and Bob after 5, of three past the landmark.
  expect(body.arms.uncultivated.median_days).toBeCloseTo(5, 3);
});

test('30 people in each arm and 5 conversions are no little evidence', async () => {
  const workspace = await prepare();
  const names = Array.from({ length: 60 }, (_, i) => `p${i}`);
  await workspace.load(
    'touchpoints',
    names.map((name) => came(name)),
  );
  await workspace.load('conversions', [
    ...names.slice(0, 30).map((name) => did('follow', name, 1)),
    ...names.slice(28, 33).map((name) => did('purchase', name, 20)),
  ]);
  const { body } = await workspace.get(REPORT);
  expect(sizesOf(body)).toEqual([
    [30, 2],
    [30, 3],
  ]);
  expect(body.data[0].low_evidence).toBe(false);
  expect(body.warnings).toEqual([]);
});

test('values are in the currency asked, by the rate of their day; one without a rate is said', async () => {
  const workspace = await prepareFull();
  const sold = (day: number) => ({ currency: 'EUR', value: 100, occurred_at: on(day) });
  await workspace.load('conversions', [
    did('purchase', 'bob', 30, sold(30)),
    did('purchase', 'bob', 60, sold(60)),
    // A person who is left out is not counted as lacking a rate.
    did('purchase', 'fay', 2, sold(2)),
  ]);
  await rowsOf(
    `insert into fx_rates (workspace_id, date, "from", "to", rate) values ($1, '2025-01-31', 'EUR', 'USD', 1.5)`,
    [workspace.id],
  );
  const { body } = await workspace.get(REPORT);
  expect(body.totals).toMatchObject({ converted: 4, value: 60 + 150, currency: 'USD' });
  expect(body.warnings.at(-1)).toMatchObject({
    code: 'missing_fx_rate',
    detail: expect.stringMatching(/^1 conversions/),
  });
  const inYen = (await workspace.get(`${REPORT}&currency=JPY`)).body;
  expect(inYen.totals).toMatchObject({ converted: 4, value: 0, currency: 'JPY' });
});

test('of a goal that counts once only the first conversion has a value', async () => {
  const workspace = await prepareFull();
  await workspace.goal('purchase', { counting: 'once' });
  expect((await workspace.get(REPORT)).body.totals).toMatchObject({ converted: 3, value: 55 });
});

test('where what is old is deleted, a warning says so', async () => {
  const workspace = await prepareFull();
  await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: 3650 } });
  expect(codes((await workspace.get(REPORT)).body)).toContain('outside_retention');
});
