import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { creditsOf, expectProblem, sale, touch } from './items.ts';

/** Rates: how they are set and read, and their effect on every value. */

needWorld();

const rate = (date: string, from: string, to: string, value: unknown): Json => ({
  date,
  from,
  to,
  rate: value,
});
const put = (workspace: TestWorkspace, ...rates: Json[]) =>
  workspace.ask('PUT', '/v1/fx-rates', { body: { rates } });

describe('rates', () => {
  test('are stored and replaced, and tell what has changed', async () => {
    const workspace = await TestWorkspace.make();
    const [monday, tuesday] = [
      rate('2025-06-02', 'EUR', 'USD', '1.10'),
      rate('2025-06-03', 'EUR', 'USD', 1.2),
    ];
    expect((await put(workspace, monday, tuesday)).body.data).toMatchObject([
      { date: '2025-06-02', from: 'EUR', to: 'USD', rate: 1.1 },
      { date: '2025-06-03', rate: 1.2 },
    ]);
    const again = await put(workspace, monday, { ...tuesday, rate: 1.25 });
    expect(again.body.data).toMatchObject([{ date: '2025-06-03', rate: 1.25 }]);
    expect((await put(workspace, monday)).body.data).toEqual([]);
    const audit = (await workspace.get('/v1/audit')).body.data.filter(
      (row: Json) => row.action === 'fx_rates.put',
    );
    expect(audit).toHaveLength(2);
  });

  test('are listed, the newest day first, page by page', async () => {
    const workspace = await TestWorkspace.make();
    await put(
      workspace,
      rate('2025-06-01', 'EUR', 'USD', 1),
      rate('2025-06-02', 'GBP', 'USD', 2),
      rate('2025-06-02', 'EUR', 'USD', 3),
      rate('2025-06-02', 'EUR', 'CHF', 4),
    );
    const seen: number[] = [];
    let cursor = '';
    do {
      const { body } = await workspace.get(`/v1/fx-rates?limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.data.map((row: Json) => row.rate));
      cursor = body.next_cursor ?? '';
    } while (cursor);
    expect(seen).toEqual([4, 3, 2, 1]);
    const some = await workspace.get('/v1/fx-rates?from=EUR&to=USD&first_day=2025-06-02&last_day=2025-06-02');
    expect(some.body.data).toMatchObject([{ rate: 3 }]);
    expectProblem(await workspace.get('/v1/fx-rates?cursor=nonsense'), 422, 'invalid_request', ['?cursor']);
  });

  test.each<[string, Json[], string]>([
    ['of 0', [rate('2025-06-01', 'EUR', 'USD', 0)], '/rates/0/rate'],
    ['below 0', [rate('2025-06-01', 'EUR', 'USD', -1)], '/rates/0/rate'],
    ['of words', [rate('2025-06-01', 'EUR', 'USD', 'par')], '/rates/0/rate'],
    ['of a currency to itself', [rate('2025-06-01', 'EUR', 'EUR', 1)], '/rates/0/to'],
    ['of a currency that is none', [rate('2025-06-01', 'EUR', 'XXZ', 1)], '/rates/0/to'],
    ['of a day that is none', [rate('2025-06-31', 'EUR', 'USD', 1)], '/rates/0/date'],
    [
      'of one day and pair twice',
      [rate('2025-06-01', 'EUR', 'USD', 1), rate('2025-06-01', 'EUR', 'USD', 2)],
      '/rates/1',
    ],
    ['of nothing', [], '/rates'],
  ])('%s are refused', async (_, rates, pointer) => {
    const workspace = await TestWorkspace.make();
    expectProblem(await put(workspace, ...rates), 422, 'invalid_request', [pointer]);
    expect((await workspace.get('/v1/fx-rates')).body.data).toEqual([]);
  });
});

describe('values in another currency', () => {
  const REPORT = '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01';
  const at = (day: string) => `2025-06-${day}T22:30:00Z`;

  /** In Berlin it is already the next day. */
  async function prepare(): Promise<TestWorkspace> {
    const workspace = await TestWorkspace.make({ timezone: 'Europe/Berlin', currency: 'USD' });
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('t', { occurred_at: '2025-06-01T00:00:00Z' }));
    await workspace.conversions(
      sale('eur', { value: 100, currency: 'EUR', occurred_at: at('02') }),
      sale('gbp', { value: 10, currency: 'GBP', occurred_at: at('20') }),
      sale('usd', { value: 7, currency: 'USD', occurred_at: at('20') }),
    );
    return workspace;
  }

  test("are converted at the rate of the conversion's local day, and left out with a warning without one", async () => {
    const workspace = await prepare();
    const without = (await workspace.get(REPORT)).body;
    expect(without.totals).toMatchObject({ conversions: 3, value: 7, gross_value: 7 });
    expect(without.warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
    expect(without.warnings[0].detail).toContain('2 conversions');
    await put(workspace, rate('2025-06-02', 'EUR', 'USD', 9), rate('2025-06-03', 'EUR', 'USD', 1.1));
    const half = (await workspace.get(REPORT)).body;
    expect(half.totals.value).toBeCloseTo(117, 9);
    expect(half.warnings[0].detail).toContain('1 conversions');
    await put(workspace, rate('2025-06-14', 'USD', 'GBP', 0.8));
    const whole = (await workspace.get(REPORT)).body;
    expect(whole.totals.value).toBeCloseTo(129.5, 9);
    expect(creditsOf(whole)).toEqual({ x: 129.5 });
    expect(whole.warnings).toEqual([]);
  });

  test('of a conversion that got its value by a restatement are missed like any other', async () => {
    const workspace = await prepare();
    await workspace.conversions(sale('late', { value: null, currency: 'CHF', occurred_at: at('21') }));
    const code = async (path: string) =>
      (await workspace.get(path)).body.warnings.map(({ detail }: Json) => Number.parseInt(detail, 10));
    const paths = ['attribution', 'journeys', 'roi'].map((name) => REPORT.replace('attribution', name));
    for (const path of paths) expect([path, await code(path)]).toEqual([path, [2]]);
    expect(await code('/v1/conversions/late/explanation')).toEqual([]);
    const adjust = { id: 'r', kind: 'restatement', value: 50, occurred_at: '2025-06-29T00:00:00Z' };
    await workspace.post('/v1/conversions/late/adjustments', adjust);
    for (const path of paths) expect([path, await code(path)]).toEqual([path, [3]]);
    expect(await code('/v1/conversions/late/explanation')).toEqual([1]);
  });

  test('are the same in the explanation, the journeys and the funnel, also after a restatement', async () => {
    const workspace = await prepare();
    await put(workspace, rate('2025-06-03', 'EUR', 'USD', 1.1), rate('2025-06-20', 'GBP', 'USD', 2));
    const adjust = { id: 'r', kind: 'restatement', value: 50, occurred_at: '2025-06-29T00:00:00Z' };
    await workspace.post('/v1/conversions/eur/adjustments', adjust);
    const explained = (await workspace.get('/v1/conversions/eur/explanation')).body;
    expect(explained.considered[0].credits.linear).toBeCloseTo(55, 9);
    expect(explained.warnings).toEqual([]);
    const inFrancs = (await workspace.get('/v1/conversions/eur/explanation?currency=CHF')).body;
    expect(inFrancs.considered[0].credits.linear).toBe(0);
    expect(inFrancs.warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
    const report = (await workspace.get(REPORT)).body;
    expect(report.totals.value).toBeCloseTo(82, 9);
    expect(report.totals.gross_value).toBeCloseTo(137, 9);
    const journeys = (await workspace.get(REPORT.replace('attribution', 'journeys'))).body;
    expect(journeys.totals.value).toBeCloseTo(82, 9);
    const steps = [{ touchpoint: { kind: ['mention'] } }, { conversion: { goal: ['purchase'] } }];
    const range = { from: '2025-06-01', to: '2025-07-01', window_seconds: 30 * 86_400 };
    const funnel = (await workspace.post('/v1/reports/funnel', { steps, ...range })).body;
    expect(funnel.data[1].value).toBeCloseTo(55, 9);
    expect(funnel.warnings).toEqual([]);
  });

  test("go across the workspace's currency into a third", async () => {
    const workspace = await prepare();
    await put(workspace, rate('2025-06-20', 'GBP', 'USD', 2), rate('2025-06-21', 'CHF', 'USD', 1.25));
    const { totals } = (await workspace.get(`${REPORT}&currency=CHF`)).body;
    expect(totals).toMatchObject({ currency: 'CHF' });
    expect(totals.value).toBeCloseTo(10 * 1.6 + 7 * 0.8, 9);
  });

  test('know no rates of another workspace', async () => {
    const [workspace, other] = [await prepare(), await TestWorkspace.make()];
    await put(other, rate('2025-06-03', 'EUR', 'USD', 1.1));
    expect((await workspace.get(REPORT)).body.totals.value).toBe(7);
  });
});
