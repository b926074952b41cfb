import { expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, idsIn, sale, statusesOf, touch } from './items.ts';

/** `?dry_run=true` returns the response of the batch, and stores nothing. */

needWorld();

test('a dry run of touchpoints answers as the batch then does: accepted, duplicate, conflict, rejected', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('stored'));
  const touchpoints = [
    touch('new'),
    touch('stored'),
    touch('stored', { kind: 'reply' }),
    touch('wrong', { kind: 'telepathy' }),
    touch('new'),
    touch('new', { kind: 'reply' }),
    touch('warned', { person: { user_id: 'u', email: 'null' } }),
  ];
  await expectRehearsal(workspace, 'touchpoints', touchpoints, ['stored']);
});

test('a dry run of conversions answers as the batch then does, unknown and archived goals included', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.goal('old');
  await workspace.ask('DELETE', '/v1/goals/old');
  await workspace.conversions(sale('stored'));
  const conversions = [
    sale('new'),
    sale('stored'),
    sale('stored', { value: 1 }),
    sale('lost', { goal: 'nowhere' }),
    sale('late', { goal: 'old' }),
    sale('lost', { goal: 'nowhere' }),
  ];
  await expectRehearsal(workspace, 'conversions', conversions, ['stored']);
});

test('a dry run of an adjustment answers as the adjustment then does, and changes nothing', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.conversions(sale('s'));
  const post = (query: string, body: Json, id = 's') =>
    workspace.post(`/v1/conversions/${id}/adjustments${query}`, body);
  const half = { id: 'a', kind: 'restatement', value: 50 };
  const rehearse = async (body: Json) => {
    const rehearsal = await post('?dry_run=true', body);
    const answer = await post('', body);
    expect(rehearsal.status).toBe(answer.status);
    expect(rehearsal.body.results).toEqual(answer.body.results);
    return statusesOf(answer)[0];
  };
  expect(statusesOf(await post('?dry_run=true', half))).toEqual(['accepted']);
  expect((await workspace.get('/v1/conversions/s')).body.net_value).toBe(100);
  expect((await workspace.get('/v1/conversions/s/adjustments')).body.data).toEqual([]);
  expect(await rehearse(half)).toBe('accepted');
  expect(await rehearse(half)).toBe('duplicate');
  expect(await rehearse({ ...half, value: 60 })).toBe('conflict');
  const early = { ...half, id: 'b' };
  for (let i = 0; i < 2; i++) expectProblem(await post('?dry_run=true', early, 'later'), 404, 'not_found');
  expectProblem(await post('', early, 'later'), 404, 'not_found');
  expect(statusesOf(await post('?dry_run=true', early, 'later'))).toEqual(['duplicate']);
  expect(await idsIn(workspace, '/v1/rejections')).toHaveLength(1);
});

test('a dry run of a touchpoint that fits a goal records no conversion', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('follow', { kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } });
  await workspace.post('/v1/touchpoints?dry_run=true', { touchpoints: [touch('t', { kind: 'follow' })] });
  expect(await idsIn(workspace, '/v1/conversions')).toEqual([]);
});

async function expectRehearsal(
  workspace: TestWorkspace,
  resource: string,
  items: Json[],
  stored: string[],
): Promise<void> {
  const rehearsal = await workspace.post(`/v1/${resource}?dry_run=true`, { [resource]: items });
  expect(await idsIn(workspace, `/v1/${resource}`)).toEqual(stored);
  expect(await idsIn(workspace, '/v1/rejections')).toEqual([]);
  const answer = await workspace.post(`/v1/${resource}`, { [resource]: items });
  expect(rehearsal.status).toBe(answer.status);
  expect(rehearsal.body).toEqual(answer.body);
  expect(new Set(statusesOf(answer)).size).toBeGreaterThan(3);
}

test('a dry run answers dropped where the batch would drop: for want of consent, and after an erasure', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.load('people', [
    { id: 'p', person: { user_id: 'no' }, consent: { analytics: false }, occurred_at: AT },
  ]);
  await workspace.touchpoints(touch('t', { person: { user_id: 'gone' } }));
  const { body } = await workspace.get('/v1/touchpoints/t');
  await workspace.ask('DELETE', `/v1/people/${body.person_id}`);
  const reasonsOf = async (resource: string, items: Json[], query: string) =>
    (await workspace.post(`/v1/${resource}${query}`, { [resource]: items })).body.results.map(
      (result: Json) => result.reason ?? result.status,
    );
  const touchpoints = [
    touch('a', { person: { user_id: 'no' } }),
    touch('b', { person: { user_id: 'gone' } }),
    touch('c'),
  ];
  const conversions = [sale('s', { person: { user_id: 'gone' } }), sale('s2')];
  for (const query of ['?dry_run=true', '']) {
    expect(await reasonsOf('touchpoints', touchpoints, query)).toEqual(['consent', 'erased', 'accepted']);
    expect(await reasonsOf('conversions', conversions, query)).toEqual(['erased', 'accepted']);
  }
});
