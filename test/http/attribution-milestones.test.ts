import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { creditsOf, daysBefore, expectProblem, SOLD_AT, sale, touch } from './items.ts';

/** The models `w_shaped` and `full_path`, with weights worked out by hand. Touch i has the campaign i. */

needWorld();

const REPORT =
  '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01&group_by=campaign&lookback_days=365';
const EXPLANATION = '/v1/conversions/s/explanation?lookback_days=365&group_by=campaign';
const BOTH = '&models=w_shaped,full_path';
const MILESTONES = '&milestones=lead,opportunity';

/** Touches at these ages in days before one sale of 100.00, and the goals of the milestones. */
async function journey(ages: number[]): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  for (const goal of ['purchase', 'lead', 'opportunity']) await workspace.goal(goal);
  await workspace.touchpoints(
    ...ages.map((age, i) => touch(`t${i}`, { campaign: String(i), occurred_at: daysBefore(age) })),
  );
  await workspace.conversions(sale('s', { occurred_at: SOLD_AT }));
  return workspace;
}

const reached = (id: string, goal: string, age: number, changes: Record<string, unknown> = {}) =>
  sale(id, { goal, occurred_at: daysBefore(age), ...changes });

/** Credit of each touch, of 100.00: that of the report, after a check that the explanation has the same. */
async function creditsIn(workspace: TestWorkspace, model: string, query = MILESTONES): Promise<number[]> {
  const { body, text } = await workspace.get(`${REPORT}&models=${model}${query}`);
  const explained = (await workspace.get(`${EXPLANATION}&models=${model}${query}`)).body;
  expect(body.data, text).toHaveLength(explained.considered.length);
  const credits = creditsOf(body, model);
  for (const { group, credits: shares, weights } of explained.considered) {
    expect(shares[model]).toBeCloseTo(credits[group.campaign] ?? Number.NaN, 9);
    expect(weights[model]).toBeCloseTo(shares[model] / 100, 9);
  }
  return explained.considered.map(({ group }: Json) => Number((credits[group.campaign] ?? 0).toFixed(6)));
}

describe('a deal with six touches, the lead at the second, the opportunity at the fourth', () => {
  let workspace: TestWorkspace;
  beforeAll(async () => {
    if (world.missing !== null) return;
    workspace = await journey([60, 50, 40, 30, 20, 10]);
    await workspace.conversions(reached('l', 'lead', 50), reached('o', 'opportunity', 25));
  });

  test('w_shaped gives 30, 30, 10, 30 and nothing after the opportunity', async () => {
    expect(await creditsIn(workspace, 'w_shaped')).toEqual([30, 30, 10, 30, 0, 0]);
  });

  test('full_path gives 22.5 four times and shares 10', async () => {
    expect(await creditsIn(workspace, 'full_path')).toEqual([22.5, 22.5, 5, 22.5, 5, 22.5]);
  });

  test('a lookback that leaves the lead out renormalises its share away', async () => {
    const query = `${MILESTONES}&lookback_days=45`;
    const path = REPORT.replace('&lookback_days=365', query);
    const { body } = await workspace.get(`${path}${BOTH}`);
    const full = 22.5 + 22.5 + 22.5 + 10;
    expect(creditsOf(body, 'w_shaped')).toEqual({ '2': 50, '3': 50, '4': 0, '5': 0 });
    expect(creditsOf(body, 'full_path')).toEqual({
      '2': expect.closeTo(2250 / full, 6),
      '3': expect.closeTo(2250 / full, 6),
      '4': expect.closeTo(1000 / full, 6),
      '5': expect.closeTo(2250 / full, 6),
    });
  });

  test('the report and the explanation name the milestones; a touch names those it is the touch of', async () => {
    const report = (await workspace.get(`${REPORT}${BOTH}${MILESTONES}`)).body;
    expect(report.query.milestones).toEqual(['lead', 'opportunity']);
    const { settings, considered } = (await workspace.get(`${EXPLANATION}${BOTH}${MILESTONES}`)).body;
    expect(settings.milestones).toEqual(['lead', 'opportunity']);
    expect(considered.map(({ milestones }: Json) => milestones)).toEqual([
      undefined,
      ['lead'],
      undefined,
      ['opportunity'],
      undefined,
      undefined,
    ]);
  });

  test('other models beside them are what they are without', async () => {
    const alone = (await workspace.get(`${REPORT}&models=linear`)).body;
    const beside = (await workspace.get(`${REPORT}&models=linear,w_shaped${MILESTONES}`)).body;
    expect(creditsOf(beside)).toEqual(creditsOf(alone));
  });

  test("the report's own goal as a milestone is reached by the conversion: its touch is the last", async () => {
    const credits = await creditsIn(workspace, 'w_shaped', '&milestones=lead,purchase');
    expect(credits).toEqual([30, 30, 3.333333, 3.333333, 3.333333, 30]);
  });
});

test('both milestones on one touch: it has the sum', async () => {
  const workspace = await journey([30, 20, 10]);
  await workspace.conversions(reached('l', 'lead', 20), reached('o', 'opportunity', 15));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([33.333333, 66.666667, 0]);
  expect(await creditsIn(workspace, 'full_path')).toEqual([25, 50, 25]);
});

test('both milestones on a touch in the middle: what is left is shared by all others between', async () => {
  const workspace = await journey([50, 40, 30, 20, 10]);
  await workspace.conversions(reached('l', 'lead', 40), reached('o', 'opportunity', 40));
  expect(await creditsIn(workspace, 'full_path')).toEqual([22.5, 45, 5, 5, 22.5]);
});

test('a lead exactly the lookback before the sale is in the window, a millisecond earlier it is not', async () => {
  const workspace = await journey([365, 10]);
  const early = { occurred_at: daysBefore(365, -1) };
  await workspace.conversions(reached('l1', 'lead', 0, early), reached('o', 'opportunity', 10));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([50, 50]);
  await workspace.conversions(reached('l2', 'lead', 365));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([66.666667, 33.333333]);
});

test('one touch has everything, with milestones or without', async () => {
  const workspace = await journey([10]);
  for (const model of ['w_shaped', 'full_path']) expect(await creditsIn(workspace, model)).toEqual([100]);
  await workspace.conversions(reached('l', 'lead', 10), reached('o', 'opportunity', 0));
  for (const model of ['w_shaped', 'full_path']) expect(await creditsIn(workspace, model)).toEqual([100]);
});

test('of touches at the instant of the lead the last by id is its touch', async () => {
  const workspace = await journey([30, 20, 20, 10]);
  await workspace.conversions(reached('a', 'lead', 20));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([42.857143, 14.285714, 42.857143, 0]);
});

test('a retracted lead is no lead: the next takes its place, or none', async () => {
  const workspace = await journey([30, 20, 10]);
  await workspace.conversions(reached('l1', 'lead', 20), reached('l2', 'lead', 10));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([50, 50, 0]);
  await workspace.post('/v1/conversions/l1/adjustments', { kind: 'retraction' });
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([42.857143, 14.285714, 42.857143]);
  await workspace.post('/v1/conversions/l2/adjustments', { kind: 'retraction' });
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([100, 0, 0]);
});

test('under reset a lead at or before the previous purchase belongs to that one', async () => {
  const workspace = await journey([40, 15, 10]);
  await workspace.conversions(reached('s0', 'purchase', 20), reached('l', 'lead', 20));
  const query = `${MILESTONES}&journey=reset`;
  const considered = async () =>
    (await workspace.get(`${EXPLANATION}&models=w_shaped${query}`)).body.considered.map(
      ({ weights }: Json) => weights.w_shaped,
    );
  expect(await considered()).toEqual([1, 0]);
  await workspace.conversions(reached('l2', 'lead', 10));
  expect(await considered()).toEqual([0.5, 0.5]);
  const { body } = await workspace.get(`${REPORT}&models=w_shaped${query}`);
  expect(creditsOf(body, 'w_shaped')).toEqual({ '0': 100, '1': 50, '2': 50 });
});

test("another person's lead, and another workspace's, are nobody's milestone here", async () => {
  const [workspace, other] = await Promise.all([journey([30, 20]), journey([30, 20])]);
  await workspace.conversions(reached('l', 'lead', 20, { person: { user_id: 'somebody-else' } }));
  await other.conversions(reached('l', 'lead', 20));
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([100, 0]);
  expect(await creditsIn(other, 'w_shaped')).toEqual([50, 50]);
});

test('the touchpoint that recorded the lead through the goal is its touch', async () => {
  const workspace = await journey([30, 10]);
  await workspace.goal('lead', { match: { touchpoints: [{ kind: ['click'] }] } });
  await workspace.touchpoints(
    touch('form', { kind: 'click', campaign: 'form', occurred_at: daysBefore(20) }),
  );
  expect(await creditsIn(workspace, 'w_shaped')).toEqual([50, 50, 0]);
});

describe('refused with 422:', () => {
  test.for<[query: string, code: string]>([
    ['&models=w_shaped', 'invalid_request'],
    ['&models=linear,full_path', 'invalid_request'],
    ['&models=linear&milestones=lead,opportunity', 'invalid_request'],
    ['&milestones=lead,opportunity', 'invalid_request'],
    ['&models=w_shaped&milestones=lead', 'invalid_request'],
    ['&models=w_shaped&milestones=lead,lead', 'invalid_request'],
    ['&models=w_shaped&milestones=lead,opportunity,purchase', 'invalid_request'],
    ['&models=w_shaped&milestones=lead,%5C0', 'invalid_request'],
    ['&models=w_shaped&milestones=lead,Not%20A%20Key', 'invalid_request'],
    ['&models=w_shaped&milestones=lead,nowhere', 'unknown_goal'],
    ['&models=full_path&milestones=nowhere,no-goal', 'unknown_goal'],
  ])('%s (%s)', async ([query, code]) => {
    const workspace = await journey([1]);
    for (const path of [REPORT, EXPLANATION])
      expectProblem(await workspace.get(path + query), 422, code, ['?milestones']);
  });

  test('an unknown goal and an unknown milestone at once: both are named', async () => {
    const workspace = await journey([1]);
    const path = `${REPORT.replace('goal=purchase', 'goal=gone')}&models=w_shaped&milestones=nowhere,lead`;
    const answer = await workspace.get(path);
    expectProblem(answer, 422, 'unknown_goal', ['?goal', '?milestones']);
    expect(answer.body.detail).toMatch(/gone.*nowhere/);
  });
});
