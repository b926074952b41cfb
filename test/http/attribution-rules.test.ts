import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { creditsOf, daysBefore, SOLD_AT, sale, touch } from './items.ts';

/** The touchpoints in the journey of a conversion. Each has its own channel, so that credit identifies it. */

needWorld();

const REPORT = '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01';
const at = (channel: string, occurred_at: string, changes: Json = {}) =>
  touch(channel, { channel, occurred_at, ...changes });
const sold = (id: string, changes: Json = {}) => sale(id, { occurred_at: SOLD_AT, ...changes });

async function workspaceWith(
  touches: Json[],
  sales: Json[] = [sold('s')],
  goal: Json = {},
): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase', goal);
  if (touches.length > 0) await workspace.load('touchpoints', touches);
  await workspace.load('conversions', sales);
  return workspace;
}

async function credited(
  workspace: TestWorkspace,
  query = '',
  model = 'linear',
): Promise<Record<string, number>> {
  const { body, status, text } = await workspace.get(`${REPORT}&models=${model}${query}`);
  expect(status, text).toBe(200);
  const credits = creditsOf(body, model);
  const sum = Object.values(credits).reduce((a, b) => a + b, 0);
  expect(sum + body.totals.unattributed.value).toBeCloseTo(body.totals.value, 6);
  expect(body.totals.attributed.value + body.totals.unattributed.value).toBeCloseTo(body.totals.value, 6);
  return credits;
}

describe('the window', () => {
  const edges = [
    at('edge', daysBefore(10)),
    at('too-old', daysBefore(10, -1)),
    at('same-instant', SOLD_AT),
    at('too-late', daysBefore(0, 1)),
  ];

  test('of 10 days: exactly 10 days before counts, 1 ms more does not; the same instant counts, 1 ms later does not', async () => {
    const workspace = await workspaceWith(edges);
    expect(await credited(workspace, '&lookback_days=10')).toEqual({ edge: 50, 'same-instant': 50 });
  });

  test("is the goal's own where the report names none, 90 days where the goal names none", async () => {
    const workspace = await workspaceWith(edges, [sold('s')], { lookback_days: 10 });
    expect(await credited(workspace)).toEqual({ edge: 50, 'same-instant': 50 });
    const other = await workspaceWith([at('edge', daysBefore(90)), at('too-old', daysBefore(90, -1))]);
    expect(await credited(other)).toEqual({ edge: 100 });
  });

  test('is days of 86,400 s, also across a change to summer time', async () => {
    const workspace = await TestWorkspace.make({ timezone: 'Europe/Berlin' });
    await workspace.goal('purchase');
    await workspace.touchpoints(
      at('edge', '2025-03-29T12:00:00Z'),
      at('too-old', '2025-03-29T11:59:59.999Z'),
    );
    await workspace.conversions(sold('s', { occurred_at: '2025-03-30T12:00:00Z' }));
    const { body } = await workspace.get(
      '/v1/reports/attribution?goal=purchase&from=2025-03-30&to=2025-03-31&lookback_days=1',
    );
    expect(creditsOf(body)).toEqual({ edge: 100 });
  });

  test('reaches back beyond the range, which selects conversions: from is inside, to is not', async () => {
    const workspace = await workspaceWith(
      [at('may', '2025-05-15T00:00:00Z')],
      [
        sold('first', { occurred_at: '2025-06-01T00:00:00Z' }),
        sold('next', { occurred_at: '2025-07-01T00:00:00Z', value: 7 }),
      ],
    );
    expect(await credited(workspace)).toEqual({ may: 100 });
  });
});

describe('at one instant the order is by id, bytewise:', () => {
  test.for([
    [['a', 'B', 'é'], 'B', 'é'],
    [['10', '9'], '10', '9'],
    [['\uffee', '😀'], '\uffee', '😀'],
    [['a', 'a-', 'aa'], 'a', 'aa'],
  ] as const)('of %j the first is %s and the last is %s', async ([ids, first, last]) => {
    const workspace = await workspaceWith(ids.map((id) => at(id, daysBefore(1))));
    expect(await credited(workspace, '', 'first_touch')).toMatchObject({ [first]: 100 });
    expect(await credited(workspace, '', 'last_touch')).toMatchObject({ [last]: 100 });
    const { considered } = (await workspace.get('/v1/conversions/s/explanation')).body;
    expect([considered[0].id, considered.at(-1).id]).toEqual([first, last]);
  });
});

describe('reuse and reset', () => {
  const touches = [at('one', daysBefore(9)), at('two', daysBefore(5)), at('three', daysBefore(1))];
  const first = sold('first', { occurred_at: daysBefore(5), value: 10 });
  const second = sold('second', { value: 60 });

  test('10 by one and two, 60 by one, two and three: reuse 5 + 20, 5 + 20, 20; reset 5, 5, 60', async () => {
    const workspace = await workspaceWith(touches, [first, second]);
    expect(await credited(workspace, '&journey=reuse')).toEqual({ one: 25, two: 25, three: 20 });
    expect(await credited(workspace, '&journey=reset')).toEqual({ one: 5, two: 5, three: 60 });
    const { left_out } = (await workspace.get('/v1/conversions/second/explanation?journey=reset')).body;
    expect(left_out).toEqual([
      { id: 'two', reason: 'used_by_previous' },
      { id: 'one', reason: 'used_by_previous' },
    ]);
  });

  test('a retracted previous conversion does not use touchpoints up: 60 by three is 20 each', async () => {
    const workspace = await workspaceWith(touches, [first, second]);
    await workspace.post('/v1/conversions/first/adjustments', { id: 'r', kind: 'retraction' });
    expect(await credited(workspace, '&journey=reset')).toEqual({ one: 20, two: 20, three: 20 });
  });

  test('a previous conversion restated to 0 does use them up', async () => {
    const workspace = await workspaceWith(touches, [first, second]);
    await workspace.post('/v1/conversions/first/adjustments', { id: 'r', kind: 'restatement', value: 0 });
    expect(await credited(workspace, '&journey=reset')).toEqual({ one: 0, two: 0, three: 60 });
  });

  test('a previous conversion before the range, or narrowed away, uses them up all the same', async () => {
    const workspace = await workspaceWith(touches, [first, { ...second, properties: { plan: 'pro' } }]);
    const { body } = await workspace.get(
      `/v1/reports/attribution?goal=purchase&from=2025-06-26&to=2025-07-01&journey=reset`,
    );
    expect(creditsOf(body)).toEqual({ three: 60 });
    expect(await credited(workspace, '&journey=reset&where_conversion[properties.plan]=pro')).toEqual({
      three: 60,
    });
  });

  test('a conversion of another goal, or of another person, uses nothing up', async () => {
    const workspace = await workspaceWith(touches, [
      second,
      { ...first, id: 'stranger', person: { user_id: 'u2' } },
    ]);
    await workspace.goal('trial');
    await workspace.conversions({ ...first, goal: 'trial' });
    expect(await credited(workspace, '&journey=reset')).toEqual({ one: 20, two: 20, three: 20 });
  });

  test('of two conversions at one instant the larger id finds everything used up', async () => {
    const workspace = await workspaceWith(
      [at('one', daysBefore(1))],
      [sold('b', { value: 1 }), sold('a', { value: 100 })],
    );
    expect(await credited(workspace, '&journey=reset')).toEqual({ one: 100 });
    expect(await credited(workspace, '&journey=reuse')).toEqual({ one: 101 });
  });
});

describe('credit goes', () => {
  test('to every kind but event, view and other; to those only where where[kind] names them', async () => {
    const kinds = ['click', 'event', 'view', 'other', 'email_open'];
    const workspace = await workspaceWith(kinds.map((kind) => at(kind, daysBefore(1), { kind })));
    expect(await credited(workspace)).toEqual({ click: 50, email_open: 50 });
    expect(await credited(workspace, '&where[kind]=event,click')).toEqual({ event: 50, click: 50 });
    expect(await credited(workspace, '&where[kind]=view')).toEqual({ view: 100 });
    expect(await credited(workspace, '&where[channel]=event,click')).toEqual({ click: 100 });
  });

  test('to what fits where: values OR-ed, fields AND-ed, \\0 is the empty field, \\, a comma', async () => {
    const workspace = await workspaceWith([
      at('a', daysBefore(1), { campaign: 'spring', topic: undefined }),
      at('b', daysBefore(2), { campaign: 'red, green', direction: 'inbound' }),
      at('c', daysBefore(3), { direction: 'inbound' }),
    ]);
    expect(await credited(workspace, '&where[campaign]=spring,%5C0')).toEqual({ a: 50, c: 50 });
    expect(await credited(workspace, '&where[campaign]=%5C0')).toEqual({ c: 100 });
    expect(await credited(workspace, '&where[campaign]=red%5C,%20green')).toEqual({ b: 100 });
    expect(await credited(workspace, '&where[direction]=inbound&where[channel]=a,b')).toEqual({ b: 100 });
    expect(await credited(workspace, '&where[channel]=z')).toEqual({});
  });

  test('to touchpoints of the same person only, and not to voided ones', async () => {
    const workspace = await workspaceWith([
      at('a', daysBefore(1)),
      at('b', daysBefore(2)),
      at('c', daysBefore(1), { person: { user_id: 'u2' } }),
    ]);
    await workspace.ask('DELETE', '/v1/touchpoints/b');
    expect(await credited(workspace)).toEqual({ a: 100 });
  });

  test('to nobody for a conversion without journey: it is unattributed', async () => {
    const workspace = await workspaceWith(
      [at('a', daysBefore(1))],
      [sold('s'), sold('alone', { person: { user_id: 'u2' }, value: 40 })],
    );
    const { totals, data } = (await workspace.get(REPORT)).body;
    expect(totals).toMatchObject({
      conversions: 2,
      value: 140,
      attributed: { conversions: 1, value: 100 },
      unattributed: { conversions: 1, value: 40 },
    });
    expect(data).toHaveLength(1);
  });
});

test('the explanation names the reason for each touchpoint left out, newest first, and counts them', async () => {
  const touches = [
    at('voided', daysBefore(1)),
    at('later', daysBefore(0, 1)),
    at('old', daysBefore(11)),
    at('older', daysBefore(12)),
    at('used', daysBefore(5)),
    at('viewed', daysBefore(2), { kind: 'view' }),
    at('filtered', daysBefore(3), { campaign: 'other' }),
    at('kept', daysBefore(4), { campaign: 'spring' }),
    at('stranger', daysBefore(1), { person: { user_id: 'u2' } }),
  ];
  const workspace = await workspaceWith(touches, [
    sold('s'),
    sold('previous', { occurred_at: daysBefore(5) }),
  ]);
  await workspace.ask('DELETE', '/v1/touchpoints/voided');
  const { body } = await workspace.get(
    '/v1/conversions/s/explanation?lookback_days=10&journey=reset&where[campaign]=spring',
  );
  expect(body.considered.map((t: Json) => [t.id, t.age_seconds, t.credits.linear])).toEqual([
    ['kept', 4 * 86_400, 100],
  ]);
  expect(body.left_out.map((t: Json) => [t.id, t.reason])).toEqual([
    ['later', 'after_conversion'],
    ['voided', 'voided'],
    ['viewed', 'kind_without_credit'],
    ['filtered', 'filtered'],
    ['used', 'used_by_previous'],
    ['old', 'outside_lookback'],
    ['older', 'outside_lookback'],
  ]);
  expect(body.left_out_counts).toEqual({
    after_conversion: 1,
    voided: 1,
    kind_without_credit: 1,
    filtered: 1,
    used_by_previous: 1,
    outside_lookback: 2,
  });
  expect(body.settings).toMatchObject({
    lookback_days: 10,
    journey: 'reset',
    where: { campaign: ['spring'] },
    models: ['linear'],
  });
});

test('of 1,001 touchpoints left out 1,000 are shown, all are counted', async () => {
  const workspace = await workspaceWith(
    Array.from({ length: 1001 }, (_, i) => touch(`t${i}`, { occurred_at: daysBefore(100, i) })),
  );
  const { body } = await workspace.get('/v1/conversions/s/explanation');
  expect(body.left_out).toHaveLength(1000);
  expect(body.left_out[0].id).toBe('t1000');
  expect(body.left_out_counts).toEqual({ outside_lookback: 1001 });
});
