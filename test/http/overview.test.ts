import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, sale, touch } from './items.ts';

/** The start page: every figure equals that of its own report, for the period and the previous one. */

needWorld();

const OVERVIEW = '/v1/reports/overview?from=2025-06-01&to=2025-07-01';
const on = (day: string, time = '12:00:00') => `2025-${day}T${time}Z`;

function message(id: string, thread: string, direction: string, at: string): Json {
  return touch(id, {
    person: { user_id: thread },
    kind: 'message',
    direction,
    occurred_at: at,
    conversation: { id: thread },
  });
}

/**
 * May: two conversions, one of them by e-mail. June: four, two by e-mail, one without a touchpoint and one retracted.
 */
async function prepare(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make({ default_model: 'last_touch', ...settings });
  await workspace.goal('purchase');
  await workspace.goal('contract');
  await workspace.goal('follow', { kind: 'cultivation' });
  const came = (id: string, channel: string, day: string) =>
    touch(id, { person: { user_id: id }, channel, occurred_at: on(day) });
  const bought = (id: string, day: string, changes: Json = {}) =>
    sale(`s-${id}`, { person: { user_id: id }, occurred_at: on(day), ...changes });
  await workspace.load('touchpoints', [
    came('a', 'x', '05-02'),
    came('b', 'email', '05-03'),
    came('c', 'email', '06-02'),
    came('d', 'email', '06-03'),
    came('e', 'x', '06-04'),
    message('m1', 'one', 'inbound', on('05-10')),
    message('m2', 'one', 'outbound', on('05-10', '13:00:00')),
    message('m3', 'two', 'inbound', on('05-31')),
    message('m4', 'two', 'outbound', on('06-01')),
    message('m5', 'three', 'inbound', on('06-20')),
    message('m6', 'three', 'outbound', on('06-20', '12:30:00')),
    message('m7', 'three', 'inbound', on('06-21')),
    message('m8', 'four', 'inbound', on('06-22')),
    message('m9', 'four', 'outbound', on('07-02')),
  ]);
  await workspace.load('conversions', [
    bought('a', '05-20', { value: 100 }),
    bought('b', '05-21', { value: 50, goal: 'contract' }),
    bought('c', '06-10', { value: 80 }),
    bought('d', '06-11', { value: 20 }),
    bought('e', '06-12', { value: 10 }),
    bought('f', '06-13', { value: 40 }),
    ...['a', 'c', 'g', 'h'].map((id, i) =>
      sale(`f-${id}`, {
        person: { user_id: id },
        goal: 'follow',
        occurred_at: on(i < 3 ? '05-15' : '06-15'),
      }),
    ),
  ]);
  await workspace.post('/v1/conversions/s-e/adjustments', { kind: 'retraction' });
  return workspace;
}

test('each figure stands beside that of the month before, and channels are by the default model', async () => {
  const workspace = await prepare();
  const { body } = await workspace.get('/v1/reports/overview?from=2025-06-01&to=2025-07-01');
  expect(body.query).toMatchObject({ goal: ['contract', 'purchase'], model: 'last_touch', currency: 'USD' });
  expect(body.totals).toEqual({
    conversions: { value: 3, previous: 2, change: 0.5 },
    value: { value: 140, previous: 150, change: -10 / 150 },
    attributed_share: { value: 2 / 3, previous: 1, change: 2 / 3 - 1 },
    // Three and four: 30 minutes and ten days. One and two: an hour and a day.
    median_first_response_seconds: {
      value: (1800 + 10 * 86_400) / 2,
      previous: (3600 + 86_400) / 2,
      change: expect.closeTo((1800 + 864_000) / (3600 + 86_400) - 1, 9),
    },
    // At the end of June three and four, at its beginning two.
    waiting_conversations: { value: 2, previous: 1, change: 1 },
    // At the end of June g and h; at its beginning c, who bought later, and g.
    pool: { value: 2, previous: 2, change: 0 },
    currency: 'USD',
  });
  expect(body.data).toEqual([
    {
      channel: 'email',
      conversions: { value: 2, previous: 1, change: 1 },
      value: { value: 100, previous: 50, change: 1 },
    },
  ]);
});

test('every figure is that of its own report', async () => {
  const workspace = await prepare({ default_model: 'linear' });
  const { totals, data } = (await workspace.get(OVERVIEW)).body;
  const ask = async (path: string) => (await workspace.get(path)).body;
  for (const [period, range] of [
    ['value', 'from=2025-06-01&to=2025-07-01'],
    ['previous', 'from=2025-05-02&to=2025-06-01'],
  ] as const) {
    const credit = await ask(`/v1/reports/attribution?goal=purchase,contract&models=linear&${range}`);
    expect(totals.conversions[period]).toBe(credit.totals.conversions);
    expect(totals.value[period]).toBe(credit.totals.value);
    const { attributed, conversions } = credit.totals;
    expect(totals.attributed_share[period]).toBeCloseTo(attributed.conversions / conversions, 12);
    for (const row of data) {
      const own = credit.data.find((one: Json) => one.group.channel === row.channel)?.credit.linear;
      expect(row.conversions[period]).toBe(own?.conversions ?? 0);
      expect(row.value[period]).toBe(own?.value ?? 0);
    }
    const threads = await ask(`/v1/reports/conversations?${range}`);
    expect(totals.median_first_response_seconds[period]).toBe(threads.totals.first_response_seconds.median);
  }
});

test('until now, who waits is the list of those who wait, and the pool that of the report on cultivation', async () => {
  const workspace = await prepare();
  const { totals } = (await workspace.get('/v1/reports/overview')).body;
  const waiting = (await workspace.get('/v1/conversations?state=waiting')).body.data;
  expect(totals.waiting_conversations.value).toBe(waiting.length);
  const { pool } = (await workspace.get('/v1/reports/cultivation?goal=purchase,contract')).body;
  expect(totals.pool.value).toBe(pool.find(({ goal }: Json) => goal === 'follow').people);
});

describe('the overview', () => {
  test('of a new workspace has zeros and nulls, and no NaN', async () => {
    const workspace = await TestWorkspace.make();
    const { body, text } = await workspace.get('/v1/reports/overview?range=7d');
    const zero = { value: 0, previous: 0, change: null };
    const unknown = { value: null, previous: null, change: null };
    expect(body.totals).toMatchObject({
      conversions: zero,
      value: zero,
      attributed_share: unknown,
      median_first_response_seconds: unknown,
      waiting_conversations: zero,
      pool: zero,
    });
    expect(body.data).toEqual([]);
    expect(text).not.toContain('NaN');
  });

  test('is of the goals asked', async () => {
    const workspace = await prepare();
    const { totals } = (await workspace.get(`${OVERVIEW}&goal=contract`)).body;
    expect(totals.conversions).toEqual({ value: 0, previous: 1, change: -1 });
    // A person who bought but has no contract is in the pool of contracts.
    expect(totals.pool.value).toBe(4);
  });

  test('leaves archived goals out, unless they are asked', async () => {
    const workspace = await prepare();
    await workspace.ask('DELETE', '/v1/goals/contract');
    expect((await workspace.get(OVERVIEW)).body.totals.conversions.previous).toBe(1);
    expect((await workspace.get(`${OVERVIEW}&goal=contract`)).body.totals.conversions.previous).toBe(1);
  });

  test('warns of values without a rate', async () => {
    const workspace = await prepare({ currency: 'EUR' });
    await workspace.conversions(sale('z', { value: 1, currency: 'CHF', occurred_at: on('06-10') }));
    expect((await workspace.get(OVERVIEW)).body.warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
  });

  test('warns that retention limits its range, and its pool whatever the range', async () => {
    const workspace = await prepare({ retention_days: 3650 });
    const { warnings } = (await workspace.get(OVERVIEW)).body;
    expect(warnings).toMatchObject([
      { code: 'outside_retention', detail: expect.stringContaining('the pool') },
    ]);
    const pool = (await workspace.get('/v1/reports/cultivation?goal=purchase&cultivation_goal=follow')).body;
    expect(pool.warnings.map(({ code }: Json) => code)).toContain('outside_retention');
  });

  test('of a day compares with the local day before, also where the clocks change', async () => {
    const workspace = await prepare({ timezone: 'Europe/Berlin' });
    // The 27th has 25 hours: the day before begins 24 hours earlier, the time of equal length 25.
    await workspace.load('conversions', [
      sale('before', { occurred_at: '2024-10-25T21:30:00Z' }),
      sale('previous', { occurred_at: '2024-10-25T22:30:00Z' }),
      sale('day', { occurred_at: '2024-10-27T22:30:00Z' }),
    ]);
    const conversionsOf = async (range: string) =>
      (await workspace.get(`/v1/reports/overview?goal=purchase&${range}`)).body.totals.conversions;
    const dates = 'from=2024-10-27&to=2024-10-28';
    expect(await conversionsOf(dates)).toEqual({ value: 1, previous: 1, change: 0 });
    const instants = 'from=2024-10-27T00:00:00%2B02:00&to=2024-10-28T00:00:00%2B01:00';
    expect(await conversionsOf(instants)).toEqual({ value: 1, previous: 2, change: -0.5 });
  });

  test('refuses what it does not know', async () => {
    const workspace = await prepare();
    expectProblem(await workspace.get(`${OVERVIEW}&goal=none`), 422, 'unknown_goal', ['?goal']);
    expectProblem(await workspace.get(`${OVERVIEW}&model=linear`), 422, 'invalid_request', ['?model']);
    const noModel = await workspace.ask('PATCH', '/v1/workspace', { body: { default_model: 'w_shaped' } });
    expectProblem(noModel, 422, 'invalid_request', ['/default_model']);
  });
});
