import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, idsIn, pointersOf, sale, statusesOf, touch } from './items.ts';

/** Touchpoints that match a goal's `match` record a conversion. */

needWorld();

async function workspaceMatching(filters: Json[], settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  const answer = await workspace.goal('follow', {
    kind: 'cultivation',
    match: { touchpoints: filters },
    ...settings,
  });
  expect(answer.status, answer.text).toBe(200);
  return workspace;
}

const follow = (id: string, changes: Json = {}) => touch(id, { kind: 'follow', ...changes });

test('a follow records tp:<id> of the goal, for the same person at the same time, worth the default', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }], { default_value: 2, currency: 'EUR' });
  expect(statusesOf(await workspace.touchpoints(follow('f'), touch('m')))).toEqual(['accepted', 'accepted']);
  expect(await idsIn(workspace, '/v1/conversions')).toEqual(['tp:f']);
  const { body } = await workspace.get('/v1/conversions/tp:f');
  const { person_id } = (await workspace.get('/v1/touchpoints/f')).body;
  expect(body).toMatchObject({
    goal: 'follow',
    touchpoint_id: 'f',
    person_id,
    occurred_at: AT,
    value: 2,
    net_value: 2,
    currency: 'EUR',
  });
});

test('sent again, in conflict or by eight batches at once, it records one conversion', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  await Promise.all(Array.from({ length: 8 }, () => workspace.touchpoints(follow('f'))));
  await workspace.touchpoints(follow('f', { campaign: 'other' }));
  expect(await idsIn(workspace, '/v1/conversions')).toEqual(['tp:f']);
});

test('it is no part of the journey of its own conversion, but of later ones', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  await workspace.touchpoints(
    touch('m', { occurred_at: '2025-05-31T00:00:00Z' }),
    follow('f'),
    follow('f2', { occurred_at: '2025-06-02T00:00:00Z' }),
  );
  const explain = async (id: string) => (await workspace.get(`/v1/conversions/${id}/explanation`)).body;
  const first = await explain('tp:f');
  expect(first.considered.map((t: Json) => t.id)).toEqual(['m']);
  expect(first.left_out).toEqual([
    { id: 'f2', reason: 'after_conversion' },
    { id: 'f', reason: 'after_conversion' },
  ]);
  expect((await explain('tp:f2')).considered.map((t: Json) => t.id)).toEqual(['m', 'f']);
  const { data } = (
    await workspace.get('/v1/reports/attribution?goal=follow&from=2025-06-01&to=2025-06-03&group_by=kind')
  ).body;
  expect(data.map((row: Json) => [row.group.kind, row.credit.linear.conversions])).toEqual([
    ['mention', 1.5],
    ['follow', 0.5],
  ]);
});

describe('a filter', () => {
  test.for<[string, Json[], Json, boolean]>([
    ['with one field and its value fits', [{ channel: ['x'] }], {}, true],
    ['with another value does not fit', [{ channel: ['linkedin'] }], {}, false],
    ['with several values fits one of them', [{ channel: ['linkedin', 'x'] }], {}, true],
    ['with two fields needs both', [{ channel: ['x'], kind: ['follow'] }], {}, false],
    ['is one of several that may fit', [{ kind: ['follow'] }, { channel: ['x'] }], {}, true],
    ['of null fits an empty field', [{ campaign: [null] }], {}, true],
    ['of null does not fit a filled one', [{ campaign: [null] }], { campaign: 'spring' }, false],
    ['of null or a value fits the value', [{ campaign: [null, 'spring'] }], { campaign: 'spring' }, true],
    ['of a value does not fit an empty field', [{ campaign: ['spring'] }], {}, false],
    [
      'of a conversation and its topic fits',
      [{ conversation: ['c'], topic: ['pricing'] }],
      { conversation: { id: 'c', topic: 'pricing' } },
      true,
    ],
    ['sees the derived channel', [{ channel: ['direct'] }], { channel: null, kind: 'visit' }, true],
    ['does not take part of a value for the value', [{ channel: ['x.com'] }], {}, false],
  ])('%s', async ([, filters, changes, fits]) => {
    const workspace = await workspaceMatching(filters);
    await workspace.touchpoints(touch('t', changes));
    expect(await idsIn(workspace, '/v1/conversions')).toEqual(fits ? ['tp:t'] : []);
  });

  test.for<[string, Json, string]>([
    ['of no field', [{}], '/match/touchpoints/0'],
    ['of an unknown field', [{ colour: ['red'] }], '/match/touchpoints/0/colour'],
    ['of no values', [{ channel: [] }], '/match/touchpoints/0/channel'],
    ['of text instead of a list', [{ channel: 'x' }], '/match/touchpoints/0/channel'],
  ])('%s is 422', async ([, filters, pointer]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.goal('g', { match: { touchpoints: filters } });
    expectProblem(answer, 422, 'invalid_request');
    expect(pointersOf(answer.body.errors)[0]).toBe(pointer);
  });
});

test('a touchpoint that fits two goals records a conversion of each', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  await workspace.goal('engage', { match: { touchpoints: [{ channel: ['x'] }] } });
  await workspace.touchpoints(follow('f'));
  const { body } = await workspace.get('/v1/conversions');
  expect(body.data.map((row: Json) => [row.id, row.goal, row.touchpoint_id]).sort()).toEqual([
    ['tp.follow:f', 'follow', 'f'],
    ['tp:f', 'engage', 'f'],
  ]);
});

test('no sender id can take the place of such a conversion: f and f:follow both record theirs', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  await workspace.goal('engage', { match: { touchpoints: [{ channel: ['x'] }] } });
  await workspace.touchpoints(follow('f'), follow('f:follow'));
  const { body } = await workspace.get('/v1/conversions');
  expect(body.data.map((row: Json) => [row.touchpoint_id, row.goal]).sort()).toEqual([
    ['f', 'engage'],
    ['f', 'follow'],
    ['f:follow', 'engage'],
    ['f:follow', 'follow'],
  ]);
});

test('conversions of touchpoints with the longest ids are all reached by cursor', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  const long = 'g'.repeat(64);
  await workspace.goal(long, { match: { touchpoints: [{ kind: ['follow'] }] } });
  await workspace.touchpoints(follow('x'.repeat(255)), follow('y'.repeat(255)));
  expect(await idsIn(workspace, '/v1/conversions', 1)).toHaveLength(4);
});

test('ids that begin with tp: are refused from senders', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  const answer = await workspace.conversions(sale('tp:f', { goal: 'follow' }));
  expectProblem(answer, 422, 'no_item_accepted');
  expect(pointersOf(answer.body.results[0].errors)).toEqual(['/conversions/0/id']);
});

test('an archived goal, or one that no longer has a match, records nothing; earlier conversions stay', async () => {
  const workspace = await workspaceMatching([{ kind: ['follow'] }]);
  await workspace.touchpoints(follow('a'));
  await workspace.ask('DELETE', '/v1/goals/follow');
  await workspace.touchpoints(follow('b'));
  await workspace.goal('follow', { kind: 'cultivation' });
  await workspace.touchpoints(follow('c'));
  expect(await idsIn(workspace, '/v1/conversions')).toEqual(['tp:a']);
});

describe('voiding a touchpoint', () => {
  test('retracts the conversions that it recorded, once, and leaves its id taken', async () => {
    const workspace = await workspaceMatching([{ kind: ['follow'] }], { default_value: 5 });
    await workspace.goal('engage', { match: { touchpoints: [{ channel: ['x'] }] } });
    await workspace.touchpoints(follow('f'), touch('m', { channel: 'linkedin' }));
    const first = await workspace.ask('DELETE', '/v1/touchpoints/f');
    expect(first.body).toMatchObject({ id: 'f', kind: 'follow' });
    expect(first.body.voided_at).toMatch(/Z$/);
    expect((await workspace.ask('DELETE', '/v1/touchpoints/f')).body.voided_at).toBe(first.body.voided_at);
    const { data } = (await workspace.get('/v1/conversions')).body;
    expect(data.map((row: Json) => [row.net_value, row.retracted])).toEqual([
      [0, true],
      [0, true],
    ]);
    expect((await workspace.get('/v1/conversions/tp:f/adjustments')).body.data).toHaveLength(1);
    expect(statusesOf(await workspace.touchpoints(follow('f')))).toEqual(['duplicate']);
    expect(statusesOf(await workspace.touchpoints(follow('f', { campaign: 'x' })))).toEqual(['conflict']);
    expect(await idsIn(workspace, '/v1/touchpoints')).toHaveLength(2);
  });

  test('retracts even where a sender has used the id void:tp:<id> for an adjustment of its own', async () => {
    const workspace = await workspaceMatching([{ kind: ['follow'] }], { default_value: 5 });
    await workspace.touchpoints(follow('f'), follow('g'));
    await workspace.post('/v1/conversions/tp:g/adjustments', {
      id: 'void:tp:f',
      kind: 'restatement',
      value: 1,
    });
    await workspace.ask('DELETE', '/v1/touchpoints/f');
    expect((await workspace.get('/v1/conversions/tp:f')).body).toMatchObject({
      retracted: true,
      net_value: 0,
    });
    expect((await workspace.get('/v1/conversions/tp:g')).body.retracted).toBe(false);
  });

  test('takes it out of the journeys of other conversions; the explanation says so', async () => {
    const workspace = await workspaceMatching([{ kind: ['follow'] }]);
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('a'), touch('b', { channel: 'email' }));
    await workspace.conversions(sale('s'));
    await workspace.ask('DELETE', '/v1/touchpoints/a');
    const { considered, left_out } = (await workspace.get('/v1/conversions/s/explanation')).body;
    expect([considered.map((t: Json) => t.id), left_out]).toEqual([['b'], [{ id: 'a', reason: 'voided' }]]);
    const { data } = (
      await workspace.get('/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-06-02')
    ).body;
    expect(data).toMatchObject([
      { group: { channel: 'email' }, credit: { linear: { conversions: 1, value: 100 } } },
    ]);
  });

  test('of a missing id is 404', async () => {
    expectProblem(await (await TestWorkspace.make()).ask('DELETE', '/v1/touchpoints/f'), 404, 'not_found');
  });
});
