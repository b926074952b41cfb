import { describe, expect, test } from 'vitest';
import { ask, needWorld, TestWorkspace, world } from '../support/api.ts';
import { came, codes, did, prepare, prepareFull, REPORT, sizesOf } from './cultivation-log.ts';
import { expectProblem } from './items.ts';

/** The cultivation report without people, its formats, and rejected queries. */

needWorld();

describe('nobody to compare', () => {
  const unknown = { estimate: null, low: null, high: null };

  test('without any cultivated people is nulls and a warning, and nothing is NaN', async () => {
    const workspace = await prepare();
    await workspace.load('touchpoints', [came('ann')]);
    const { body, text } = await workspace.get(`${REPORT}&group_by=cultivation_goal`);
    expect(body.arms.cultivated).toEqual({
      people: 0,
      converted: 0,
      rate: null,
      rate_low: null,
      rate_high: null,
      value_per_person: null,
      median_days: null,
    });
    expect(body).toMatchObject({
      risk_ratio: unknown,
      odds_ratio: unknown,
      risk_difference: unknown,
    });
    expect(body.data).toHaveLength(2);
    expect(codes(body)).toEqual(['low_evidence']);
    expect(text).not.toContain('NaN');
  });

  test('without a cultivation goal says so', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.load('touchpoints', [came('ann')]);
    const { body } = await workspace.get(REPORT);
    expect(codes(body)).toEqual(['low_evidence', 'no_cultivation_goal']);
    expect(sizesOf(body)).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect((await workspace.get(`${REPORT}&group_by=cultivation_goal`)).body.data).toEqual([]);
  });

  test('in an empty workspace is zeros and nulls', async () => {
    const workspace = await prepare();
    const { body } = await workspace.get(`${REPORT}&group_by=channel`);
    expect(body.totals).toMatchObject({ people: 0, compared: 0, converted: 0, value: 0, pool_people: 0 });
    expect(body.data).toEqual([]);
    expect(body.pool).toEqual([
      { goal: 'follow', people: 0 },
      { goal: 'join', people: 0 },
    ]);
  });
});

test('CSV and NDJSON hold the rows, an arm being columns', async () => {
  const workspace = await prepareFull();
  const [head = '', row = ''] = (await workspace.get(`${REPORT}&format=csv`)).text.split('\r\n');
  expect(head.split(',').slice(0, 9)).toEqual([
    'other',
    'arms.cultivated.people',
    'arms.cultivated.converted',
    'arms.cultivated.rate',
    'arms.cultivated.rate_low',
    'arms.cultivated.rate_high',
    'arms.cultivated.value_per_person',
    'arms.cultivated.median_days',
    'arms.uncultivated.people',
  ]);
  expect(head.split(',').slice(-2)).toEqual(['pool_people', 'low_evidence']);
  expect(row.split(',').slice(0, 3)).toEqual(['', '3', '2']);
  const byGoal = `${REPORT}&group_by=cultivation_goal`;
  const csv = (await workspace.get(`${byGoal}&format=csv`)).text.split('\r\n');
  expect(csv[0]).toMatch(/^group\.cultivation_goal,/);
  expect(csv[2]).toMatch(/^join,/);
  const { text } = await workspace.get(`${byGoal}&format=ndjson`);
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toEqual((await workspace.get(byGoal)).body.data);
});

test('an answer is 304 while nothing changed, 200 after', async () => {
  const workspace = await prepareFull();
  const etag = (await workspace.get(REPORT)).headers.get('etag') ?? '';
  const headers = { authorization: `Bearer ${workspace.token}`, 'if-none-match': etag };
  expect((await fetch(world.url + REPORT, { headers })).status).toBe(304);
  await workspace.post('/v1/conversions/purchase-dan-44/adjustments', { kind: 'retraction' });
  expect((await fetch(world.url + REPORT, { headers })).status).toBe(200);
});

describe('refused is', () => {
  test.for([
    ['landmark_days=-1', '?landmark_days'],
    ['landmark_days=366', '?landmark_days'],
    ['landmark_days=1.5', '?landmark_days'],
    ['horizon_days=0', '?horizon_days'],
    ['horizon_days=3651', '?horizon_days'],
    ['group_by=campaign', '?group_by'],
    ['group_by=channel,cultivation_goal', '?group_by'],
    ['cultivation_goal=', '?cultivation_goal'],
    ['currency=ZZZ', '?currency'],
    ['scope=account', '?scope'],
    ['range=7d', '?range'],
    ['goal=follow', '?goal'],
    ['cultivation_goal=purchase', '?cultivation_goal'],
  ] as const)('%s', async ([query, pointer]) => {
    const workspace = await prepare();
    expectProblem(await workspace.get(`${REPORT}&${query}`), 422, 'invalid_request', [pointer]);
  });

  test('a report without a goal', async () => {
    const workspace = await prepare();
    expectProblem(await workspace.get('/v1/reports/cultivation'), 422, 'invalid_request', ['?goal']);
  });

  test('a goal of the other kind, by name, and what is needed', async () => {
    const workspace = await prepare();
    const { body } = await workspace.get(`${REPORT}&goal=follow&cultivation_goal=join,purchase`);
    expect(body.errors).toEqual([
      { pointer: '?goal', detail: expect.stringMatching(/kind conversion: follow/) },
      { pointer: '?cultivation_goal', detail: expect.stringMatching(/kind cultivation: purchase/) },
    ]);
  });

  test('a goal that does not exist, in either list', async () => {
    const workspace = await prepare();
    const answer = await workspace.get(`${REPORT}&goal=nowhere&cultivation_goal=follow,never`);
    expectProblem(answer, 422, 'unknown_goal', ['?goal', '?cultivation_goal']);
    expect(answer.body.detail).toMatch(/nowhere.*never/);
  });

  test('a caller without the scope read, and another workspace changes nothing', async () => {
    const workspace = await prepareFull();
    const { body } = await workspace.post('/v1/keys', { name: 'k', scopes: ['ingest', 'admin'] });
    expectProblem(await ask('GET', REPORT, { token: body.token }), 403, 'forbidden');
    const before = (await workspace.get(REPORT)).body;
    const other = await prepareFull();
    await other.load('conversions', [did('join', 'eve', 2)]);
    await other.post('/v1/conversions/purchase-ann-20/adjustments', { kind: 'retraction' });
    expect((await workspace.get(REPORT)).body).toEqual(before);
    expect((await other.get(REPORT)).body.arms).not.toEqual(before.arms);
  });
});
