import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { creditsOf, daysBefore, SOLD_AT, sale, touch } from './items.ts';

/** Weights worked out by hand. Touch i has the campaign i, so that the report shows each touch on its own. */

needWorld();

const REPORT =
  '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01&group_by=campaign&lookback_days=365';

/** Touches at these ages in days, of these channels, before one sale. */
async function journey(ages: number[], value: number, channels: string[] = []): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const touches = ages.map((age, i) =>
    touch(`t${i}`, { campaign: String(i), channel: channels[i] ?? 'x', occurred_at: daysBefore(age) }),
  );
  await workspace.touchpoints(...touches);
  await workspace.conversions(sale('s', { value, occurred_at: SOLD_AT }));
  return workspace;
}

/** Checks the credits of the report and of the explanation to 1e-6, and conversions in proportion. */
async function expectCredits(
  workspace: TestWorkspace,
  model: string,
  query: string,
  expected: number[],
): Promise<void> {
  const { body, text } = await workspace.get(`${REPORT}&models=${model}${query}`);
  expect(body.data, text).toHaveLength(expected.length);
  const values = creditsOf(body, model);
  const shares = creditsOf(body, model, 'conversions');
  const explanation = (
    await workspace.get(`/v1/conversions/s/explanation?lookback_days=365&models=${model}${query}`)
  ).body;
  const total = body.totals.value;
  expected.forEach((credit, i) => {
    expect(values[i], `${model} of touch ${i}`).toBeCloseTo(credit, 6);
    expect(shares[i], `${model} share of touch ${i}`).toBeCloseTo(credit / total, 6);
    expect(explanation.considered[i].credits[model], `${model} of touch ${i} in the explanation`).toBeCloseTo(
      credit,
      6,
    );
    expect(explanation.considered[i].weights[model]).toBeCloseTo(credit / total, 6);
  });
}

describe('of 60.00', () => {
  test.for<[model: string, query: string, number[]]>([
    ['first_touch', '', [60]],
    ['last_touch', '', [60]],
    ['last_non_direct', '', [60]],
    ['linear', '', [60]],
    ['time_decay', '', [60]],
    ['position_based', '', [60]],
    ['j_shaped', '', [60]],
    ['inverse_j_shaped', '', [60]],
    ['custom', '&weights=0,1,1', [60]],
    ['first_touch', '', [60, 0]],
    ['last_touch', '', [0, 60]],
    ['linear', '', [30, 30]],
    ['position_based', '', [30, 30]],
    ['j_shaped', '', [15, 45]],
    ['inverse_j_shaped', '', [45, 15]],
    ['custom', '&weights=2,5,1', [40, 20]],
    ['custom', '&weights=0,1,1', [0, 60]],
    ['first_touch', '', [60, 0, 0]],
    ['last_touch', '', [0, 0, 60]],
    ['linear', '', [20, 20, 20]],
    ['position_based', '', [24, 12, 24]],
    ['j_shaped', '', [12, 12, 36]],
    ['inverse_j_shaped', '', [36, 12, 12]],
    ['custom', '&weights=1,2,1', [15, 30, 15]],
    ['custom', '&weights=25,50,25', [15, 30, 15]],
    ['custom', '&weights=0,3,1', [0, 45, 15]],
    ['linear', '', [15, 15, 15, 15]],
    ['position_based', '', [24, 6, 6, 24]],
    ['j_shaped', '', [12, 6, 6, 36]],
    ['inverse_j_shaped', '', [36, 6, 6, 12]],
    ['custom', '&weights=1,2,1', [15, 15, 15, 15]],
    ['custom', '&weights=0.1,0,0.2', [20, 0, 0, 40]],
    ['position_based', '', [24, 4, 4, 4, 24]],
  ])('%s%s gives %j', async ([model, query, expected]) => {
    const workspace = await journey(
      expected.map((_, i) => expected.length - i),
      60,
    );
    await expectCredits(workspace, model, query, expected);
  });
});

describe('time_decay', () => {
  test("Adobe's check: ages 9, 6, 0, 0 days of 50.00 give 6.92, 9.32, 16.88, 16.88", async () => {
    const workspace = await journey([9, 6, 0, 0], 50);
    const values = creditsOf((await workspace.get(`${REPORT}&models=time_decay`)).body, 'time_decay');
    expect(
      Object.values(values)
        .map((value) => value.toFixed(2))
        .sort(),
    ).toEqual(['16.88', '16.88', '6.92', '9.32']);
    const terms = [2 ** (-9 / 7), 2 ** (-6 / 7), 1, 1];
    const sum = terms.reduce((a, b) => a + b);
    await expectCredits(
      workspace,
      'time_decay',
      '',
      terms.map((term) => (50 * term) / sum),
    );
  });

  test('with a half-life of 1 day, ages 3, 1, 0 of 130.00 are 1/8 : 1/2 : 1 = 10, 40, 80', async () => {
    await expectCredits(await journey([3, 1, 0], 130), 'time_decay', '&half_life_days=1', [10, 40, 80]);
  });

  test('is continuous: half a day apart with a half-life of half a day is 1 : 2', async () => {
    await expectCredits(await journey([0.5, 0], 90), 'time_decay', '&half_life_days=0.5', [30, 60]);
  });

  test('counts ages from the newest touch: 100 days later nothing changes', async () => {
    await expectCredits(await journey([103, 101, 100], 130), 'time_decay', '&half_life_days=1', [10, 40, 80]);
  });

  test('a touch 3,640 half-lives older is 0, not an error', async () => {
    await expectCredits(await journey([364, 0], 50), 'time_decay', '&half_life_days=0.1', [0, 50]);
  });
});

describe('last_non_direct', () => {
  test.for<[string[], number[]]>([
    [
      ['x', 'email', 'direct'],
      [0, 60, 0],
    ],
    [
      ['x', 'direct', 'direct'],
      [60, 0, 0],
    ],
    [
      ['direct', 'direct', 'direct'],
      [0, 0, 60],
    ],
    [
      ['direct', 'x'],
      [0, 60],
    ],
    [['direct'], [60]],
  ])('of %j gives %j', async ([channels, expected]) => {
    const workspace = await journey(
      channels.map((_, i) => channels.length - i),
      60,
      channels,
    );
    await expectCredits(workspace, 'last_non_direct', '', expected);
  });
});

test('all models side by side each add up to the same total', async () => {
  const workspace = await journey([9, 5, 2, 1, 0], 99.99, ['x', 'direct', 'email', 'x', 'direct']);
  const models =
    'first_touch,last_touch,last_non_direct,linear,time_decay,position_based,j_shaped,inverse_j_shaped,custom';
  const { body } = await workspace.get(`${REPORT}&models=${models}&weights=1,1,1`);
  expect(Object.keys(body.data[0].credit)).toEqual(models.split(','));
  for (const model of models.split(',')) {
    const sum = body.data.reduce((total: number, row: Json) => total + row.credit[model].value, 0);
    expect(sum, model).toBeCloseTo(99.99, 6);
  }
});

test('three touches of one channel count as three touches, and as one influenced conversion', async () => {
  const workspace = await journey([3, 2, 1], 60, ['x', 'email', 'x']);
  const { body } = await workspace.get(
    `${REPORT.replace('group_by=campaign', 'group_by=channel')}&models=linear`,
  );
  expect(body.data).toEqual([
    {
      group: { channel: 'x' },
      touchpoints: 2,
      influenced_conversions: 1,
      assisted_conversions: 0,
      credit: { linear: { conversions: expect.closeTo(2 / 3, 6), value: 40 } },
    },
    {
      group: { channel: 'email' },
      touchpoints: 1,
      influenced_conversions: 1,
      assisted_conversions: 1,
      credit: { linear: { conversions: expect.closeTo(1 / 3, 6), value: 20 } },
    },
  ]);
});
