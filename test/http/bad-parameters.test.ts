import { describe, expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, pointersOf, touch } from './items.ts';

/** Invalid queries and paths: 422 that names the parameter, or 404; never a guess and never a 5xx. */

const REPORT = '/v1/reports/attribution?goal=purchase&from=2025-01-01&to=2025-02-01';
const REPORT_OF_GOAL = '/v1/reports/attribution?goal=purchase';
const LISTS = ['/v1/touchpoints', '/v1/conversions', '/v1/rejections'];

/** The request, and the parameter that the response names. */
const REFUSED: [string, string][] = [
  ['/v1/reports/attribution?from=2025-01-01&to=2025-02-01', '?goal'],
  ['/v1/reports/attribution?goal=', '?goal'],
  ['/v1/reports/attribution?goal=Not%20A%20Key', '?goal'],
  [`${REPORT}&models=linear,magic`, '?models'],
  [`${REPORT}&models=`, '?models'],
  [`${REPORT}&models=linear,linear`, '?models'],
  [`${REPORT}&model=linear`, '?model'],
  [`${REPORT}&group_by=colour`, '?group_by'],
  [`${REPORT}&group_by=__proto__`, '?group_by'],
  [`${REPORT}&group_by=channel,source,medium,campaign`, '?group_by'],
  [`${REPORT}&group_by=channel&group_by=channel`, '?group_by'],
  [`${REPORT}&models=custom`, '?weights'],
  [`${REPORT}&models=custom&weights=0,1,0`, '?weights'],
  [`${REPORT}&models=custom&weights=1,2`, '?weights'],
  [`${REPORT}&models=custom&weights=1,-2,1`, '?weights'],
  [`${REPORT}&models=custom&weights=1,x,1`, '?weights'],
  [`${REPORT}&models=custom&weights=1,NaN,1`, '?weights'],
  [`${REPORT}&models=linear&weights=1,1,1`, '?weights'],
  [`${REPORT}&lookback_days=0`, '?lookback_days'],
  [`${REPORT}&lookback_days=366`, '?lookback_days'],
  [`${REPORT}&lookback_days=1.5`, '?lookback_days'],
  [`${REPORT}&half_life_days=0.05`, '?half_life_days'],
  [`${REPORT}&half_life_days=366`, '?half_life_days'],
  [`${REPORT}&journey=recycle`, '?journey'],
  [`${REPORT}&scope=planet`, '?scope'],
  [`${REPORT}&interval=hour`, '?interval'],
  [`${REPORT}&currency=ZZZ`, '?currency'],
  [`${REPORT}&limit=0`, '?limit'],
  [`${REPORT}&limit=10001`, '?limit'],
  [`${REPORT}&format=xml`, '?format'],
  [`${REPORT}&timezone=Mars/Olympus`, '?timezone'],
  [`${REPORT}&timezone=%2B05:00`, '?timezone'],
  [`${REPORT}&timezone=`, '?timezone'],
  [`${REPORT}&range=7d`, '?range'],
  [`${REPORT}&where=x`, '?where'],
  [`${REPORT}&where[colour]=red`, '?where[colour]'],
  [`${REPORT}&where[__proto__]=x`, '?where[__proto__]'],
  [`${REPORT}&where[constructor]=x`, '?where[constructor]'],
  [`${REPORT}&where_conversion[goal]=x`, '?where_conversion[goal]'],
  [`${REPORT}&where_conversion[__proto__]=x`, '?where_conversion[__proto__]'],
  [`${REPORT}&where[channel]=a%00b`, '?where[channel]'],
  [`${REPORT}&interval=day&interval=week`, '?interval'],
  [`${REPORT_OF_GOAL}&from=2025-02-01&to=2025-01-01`, '?to'],
  [`${REPORT_OF_GOAL}&from=2025-01-01&to=2025-01-01`, '?to'],
  [`${REPORT_OF_GOAL}&from=2025-01-01`, '?to'],
  [`${REPORT_OF_GOAL}&to=2025-01-01`, '?from'],
  [`${REPORT_OF_GOAL}&from=2015-01-01&to=2025-01-09`, '?from'],
  [`${REPORT_OF_GOAL}&from=2025-02-30&to=2025-03-01`, '?from'],
  [`${REPORT_OF_GOAL}&from=1735689600&to=2025-03-01`, '?from'],
  [`${REPORT_OF_GOAL}&from=2025-01-01T00:00:00&to=2025-03-01`, '?from'],
  [`${REPORT_OF_GOAL}&from=0000-01-01T00:00:00Z&to=0000-02-01T00:00:00Z`, '?from'],
  [`${REPORT_OF_GOAL}&from=0000-01-01&to=0000-02-01`, '?from'],
  [`${REPORT_OF_GOAL}&range=365d`, '?range'],
  ['/v1/touchpoints?from=9999-12-31T00:00:00Z&to=9999-12-31T23:59:59-23:59', '?to'],
  ['/v1/touchpoints?received_after=9999-12-31T23:59:59-23:59', '?received_after'],
  ['/v1/touchpoints?received_after=0000-01-01T00:00:00Z', '?received_after'],
  ['/v1/touchpoints?person_id=ann', '?person_id'],
  ['/v1/touchpoints?where[colour]=red', '?where[colour]'],
  ['/v1/touchpoints?where[__proto__]=x', '?where[__proto__]'],
  ['/v1/touchpoints?constructor=1', '?constructor'],
  ['/v1/touchpoints?__proto__=1', '?__proto__'],
  ['/v1/touchpoints?a%00b=1', '?ab'],
  ['/v1/conversions?goal=a%00', '?goal'],
  ['/v1/conversions?where[channel]=x', '?where[channel]'],
  ['/v1/rejections?resource=visits', '?resource'],
  ['/v1/goals?archived=false', '?archived'],
  ['/v1/workspace?verbose=true', '?verbose'],
];

needWorld();

test.for(REFUSED)('GET %s is 422 and names %s', async ([path, pointer]) => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const answer = await workspace.get(path);
  expectProblem(answer, 422, 'invalid_request');
  expect(pointersOf(answer.body.errors)).toContain(pointer);
});

test('the year 26 is refused or is the year 26; it is never 1926', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const answer = await workspace.get(`${REPORT_OF_GOAL}&from=0026-01-01&to=0026-02-01`);
  if (answer.status === 200) expect(answer.body.query.from).toBe('0026-01-01T00:00:00.000Z');
  else expectProblem(answer, 422, 'invalid_request');
});

test.for(LISTS)('%s takes a limit of 1 to 1000, and only its own cursors', async (list) => {
  const workspace = await TestWorkspace.make();
  for (const limit of ['0', '1001', '-1', '1.5', '1e2', 'ten', '']) {
    expectProblem(await workspace.get(`${list}?limit=${limit}`), 422, 'invalid_request', ['?limit']);
  }
  expectProblem(await workspace.get(`${list}?limit=1&limit=2`), 422, 'invalid_request', ['?limit']);
  for (const cursor of BAD_CURSORS) {
    expectProblem(await workspace.get(`${list}?cursor=${cursor}`), 422, 'invalid_request', ['?cursor']);
  }
  expect((await workspace.get(`${list}?limit=1000`)).status).toBe(200);
});

const cursorOf = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');
const BAD_CURSORS = [
  '',
  'x',
  '%25%25',
  cursorOf(null),
  cursorOf(['2025-01-01T00:00:00.000Z']),
  cursorOf(['2025-01-01T00:00:00.000Z', 7]),
  cursorOf(['yesterday', 'a']),
  cursorOf(["2025-01-01' or true --", 'a']),
  cursorOf(['0000-01-01T00:00:00.000Z', 'a']),
  cursorOf(['2025-01-01T00:00:00.000Z', 'a\0']),
];

describe('the answer helps', () => {
  test('an unknown model lists the known ones', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const { body } = await workspace.get(`${REPORT}&models=magic`);
    for (const model of ['first_touch', 'last_non_direct', 'time_decay', 'custom']) {
      expect(body.errors[0].detail).toContain(model);
    }
  });

  test('an unknown dimension, parameter or where field lists the known ones', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const detailOf = async (query: string) => (await workspace.get(REPORT + query)).body.errors[0].detail;
    expect(await detailOf('&group_by=colour')).toContain('campaign');
    expect(await detailOf('&look_back=3')).toContain('lookback_days');
    expect(await detailOf('&where[colour]=red')).toContain('campaign');
  });

  test('every wrong parameter is named, not only the first', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const answer = await workspace.get(`${REPORT}&colour=red&limit=0&models=magic`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '?colour',
      '?limit',
      '?models',
    ]);
  });

  test('an unknown goal is 422 unknown_goal, beside a known one too', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const answer = await workspace.get('/v1/reports/attribution?goal=purchase,nowhere');
    expectProblem(answer, 422, 'unknown_goal', ['?goal']);
    expect(answer.body.detail).toContain('nowhere');
    expect(answer.body.detail).not.toContain('purchase,');
  });
});

test('a range of 3,660 days is the longest', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  expect((await workspace.get(`${REPORT_OF_GOAL}&from=2015-01-01&to=2025-01-08`)).status).toBe(200);
});

test.for([
  ['POST', '/v1/touchpoints?dry_run=yes', '?dry_run'],
  ['POST', '/v1/touchpoints?dryrun=true', '?dryrun'],
  ['POST', '/v1/touchpoints?dry_run=true&dry_run=false', '?dry_run'],
  ['DELETE', '/v1/touchpoints/t1?force=true', '?force'],
] as const)('%s %s is 422 and changes nothing', async ([method, path, pointer]) => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t1'));
  const body = method === 'POST' ? { touchpoints: [touch('t2')] } : undefined;
  expectProblem(await workspace.ask(method, path, { body }), 422, 'invalid_request', [pointer]);
  const { body: list } = await workspace.get('/v1/touchpoints');
  expect(list.data).toMatchObject([{ id: 't1', voided_at: null }]);
});

test('an Idempotency-Key with a space, or of 256 characters, is 422', async () => {
  const workspace = await TestWorkspace.make();
  for (const key of ['a b', 'x'.repeat(256), '']) {
    const body = { touchpoints: [touch('t1')] };
    const answer = await workspace.ask('POST', '/v1/touchpoints', {
      body,
      headers: { 'idempotency-key': key },
    });
    expectProblem(answer, 422, 'invalid_request');
  }
  expect((await workspace.get('/v1/touchpoints')).body.data).toEqual([]);
});

test.for([
  '%00',
  'a%00b',
  '%ED%A0%80',
  '%E0%A4%A',
  '%25',
  `${'x'.repeat(2000)}`,
  '..%2F..',
  'constructor',
  '__proto__',
])('an id of %s is answered like a missing one: 404', async (id) => {
  const workspace = await TestWorkspace.make();
  for (const resource of ['touchpoints', 'conversions', 'goals']) {
    expectProblem(await workspace.get(`/v1/${resource}/${id}`), 404, 'not_found');
  }
  expectProblem(await workspace.get(`/v1/conversions/${id}/explanation`), 404, 'not_found');
  expectProblem(await workspace.post(`/v1/rejections/${id}/replay`, undefined), 404, 'not_found');
  expectProblem(await workspace.ask('DELETE', `/v1/keys/${id}`), 404, 'not_found');
  const adjustment = { id: 'a', kind: 'retraction' };
  expectProblem(await workspace.post(`/v1/conversions/${id}/adjustments`, adjustment), 404, 'not_found');
});
