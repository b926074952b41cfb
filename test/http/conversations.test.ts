import { expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, idsIn, sale, touch } from './items.ts';
import { answered, at, by, said, workspaceWith } from './threads.ts';

/** Conversations as resources: the fields of a thread, and access to it. */

needWorld();

const pathOf = (id: string) => `/v1/conversations/${encodeURIComponent(id)}`;

async function wholeThread(): Promise<TestWorkspace> {
  const workspace = await workspaceWith([
    said('a1', 't', 10, { conversation: { id: 't', topic: 'pricing' }, sentiment: -0.5 }),
    answered('a2', 't', 13),
    said('a3', 't', 20, { ...by('u2'), channel: 'email', sentiment: 0.2, account: { id: 'beta' } }),
    said('a4', 't', 20, { ...by('u1'), sentiment: 0.9 }),
    touch('seen', { conversation: { id: 't' }, kind: 'view', occurred_at: at(30), sentiment: 1 }),
  ]);
  await workspace.goal('purchase');
  await workspace.load('conversions', [
    sale('before', { occurred_at: at(9) }),
    sale('same', { occurred_at: at(10) }),
    sale('gone', { occurred_at: at(40) }),
    sale('late', { ...by('u2'), occurred_at: at(50), value: 7 }),
    sale('strange', { ...by('u3'), occurred_at: at(50) }),
  ]);
  await workspace.post('/v1/conversions/gone/adjustments', { kind: 'retraction' });
  await workspace.post('/v1/conversions/late/adjustments', { kind: 'restatement', value: 5 });
  return workspace;
}

test('a thread shows who took part, when and how often, how they felt, who has the last word, and what followed', async () => {
  const workspace = await wholeThread();
  const [u1, u2] = await Promise.all(
    ['a1', 'a3'].map(async (id) => (await workspace.get(`/v1/touchpoints/${id}`)).body.person_id),
  );
  const { touchpoints, conversions, ...body } = (await workspace.get(pathOf('t'))).body;
  expect(body).toEqual({
    id: 't',
    state: 'waiting',
    opened_at: at(10),
    first_response_at: at(13),
    first_response_seconds: 180,
    last_at: at(20),
    messages: { inbound: 3, outbound: 1 },
    channel: 'x',
    topic: 'pricing',
    account_id: null,
    person_ids: [u1, u2],
    person_count: 2,
    sentiment: { mean: 0.2, last: 0.9 },
    conversion_count: 2,
  });
  expect(touchpoints.map((row: Json) => [row.id, row.direction, row.channel])).toEqual([
    ['a1', 'inbound', 'x'],
    ['a2', 'outbound', 'x'],
    ['a3', 'inbound', 'email'],
    ['a4', 'inbound', 'x'],
  ]);
  expect(touchpoints[0]).toMatchObject({ occurred_at: at(10), sentiment: -0.5, topic: 'pricing' });
  expect(conversions).toEqual([
    {
      id: 'late',
      occurred_at: at(50),
      person_id: u2,
      goal: 'purchase',
      value: 7,
      net_value: 5,
      currency: 'USD',
    },
    {
      id: 'same',
      occurred_at: at(10),
      person_id: u1,
      goal: 'purchase',
      value: 100,
      net_value: 100,
      currency: 'USD',
    },
  ]);
  expect((await workspace.get('/v1/conversations')).body.data).toEqual([body]);
});

test('messages in any order and any batches make the same thread', async () => {
  const items = [said('1', 't', 1), answered('2', 't', 1), said('3', 't', 5), answered('4', 't', 9)];
  const shown = async (...batches: Json[][]) => {
    const workspace = await TestWorkspace.make();
    for (const batch of batches) await workspace.load('touchpoints', batch);
    const { person_ids: _, ...row } = (await workspace.get('/v1/conversations')).body.data[0];
    return row;
  };
  const whole = await shown(items);
  expect(whole).toMatchObject({ opened_at: at(1), first_response_seconds: 0, state: 'answered' });
  expect(await shown(items.toReversed())).toEqual(whole);
  expect(await shown(...items.toReversed().map((item) => [item]))).toEqual(whole);
  expect(await shown(items.slice(1, 2), items.slice(2), items.slice(0, 1))).toEqual(whole);
});

test('an outbound first message opens nothing and answers nothing; what it is grouped by is its own until they write', async () => {
  const workspace = await workspaceWith([answered('1', 't', 1, { channel: 'email' })]);
  const { body } = await workspace.get(pathOf('t'));
  expect(body).toMatchObject({
    state: 'answered',
    opened_at: null,
    first_response_at: null,
    first_response_seconds: null,
    channel: 'email',
    messages: { inbound: 0, outbound: 1 },
    conversion_count: 0,
    conversions: [],
  });
  await workspace.load('touchpoints', [said('2', 't', 5, { channel: 'x' })]);
  expect((await workspace.get(pathOf('t'))).body).toMatchObject({
    state: 'waiting',
    opened_at: at(5),
    first_response_at: null,
    channel: 'x',
  });
  expect(await idsIn(workspace, '/v1/conversations?channel=email')).toEqual([]);
  expect(await idsIn(workspace, '/v1/conversations?channel=x')).toEqual(['t']);
});

test('a voided message takes its part of the thread along, and the last one the thread', async () => {
  const workspace = await workspaceWith([said('1', 't', 1), said('2', 't', 2), answered('3', 't', 3)]);
  await workspace.ask('DELETE', '/v1/touchpoints/1');
  expect((await workspace.get(pathOf('t'))).body).toMatchObject({
    opened_at: at(2),
    first_response_seconds: 60,
    messages: { inbound: 1, outbound: 1 },
    person_count: 1,
  });
  for (const id of ['2', '3']) await workspace.ask('DELETE', `/v1/touchpoints/${id}`);
  expectProblem(await workspace.get(pathOf('t')), 404, 'not_found');
  expect(await idsIn(workspace, '/v1/conversations')).toEqual([]);
});

test('erasure keeps the counts and takes the topic', async () => {
  const workspace = await workspaceWith([
    said('1', 't', 1, { conversation: { id: 't', topic: 'my name' } }),
    answered('2', 't', 2),
  ]);
  const { person_ids, ...before } = (await workspace.get(pathOf('t'))).body;
  await workspace.ask('DELETE', `/v1/people/${person_ids[0]}`);
  const after = (await workspace.get(pathOf('t'))).body;
  expect(after).toMatchObject({ messages: before.messages, first_response_seconds: 60, topic: null });
  expect(after.person_ids).not.toEqual(person_ids);
  expect(JSON.stringify(after)).not.toContain('my name');
});

test('two workspaces may use one id; neither sees the thread of the other', async () => {
  const [one, other, empty] = await Promise.all([
    workspaceWith([said('1', 't', 1)]),
    workspaceWith([answered('1', 't', 2), said('2', 'u', 3)]),
    TestWorkspace.make(),
  ]);
  expect((await one.get(pathOf('t'))).body).toMatchObject({ state: 'waiting', messages: { inbound: 1 } });
  expect((await other.get(pathOf('t'))).body).toMatchObject({ state: 'answered', messages: { inbound: 0 } });
  expect(await idsIn(one, '/v1/conversations')).toEqual(['t']);
  expectProblem(await one.get(pathOf('u')), 404, 'not_found');
  expectProblem(await empty.get(pathOf('t')), 404, 'not_found');
});

test.for(['a/b', 'ä ö?x=1#y', '100%', '%2F', '.', "'; drop table conversations"])(
  'an id is found as it was sent: %s',
  async (id) => {
    const workspace = await workspaceWith([said('1', id, 1)]);
    if (id !== '.') expect((await workspace.get(pathOf(id))).body.id).toBe(id);
    expect(await idsIn(workspace, '/v1/conversations')).toEqual([id]);
  },
);

test('of more than 1,000 messages the newest are shown, and all are counted', async () => {
  const workspace = await workspaceWith(
    Array.from({ length: 1002 }, (_, i) => said(`m${i}`, 't', i, i === 0 ? { sentiment: 1 } : {})),
  );
  const { body } = await workspace.get(pathOf('t'));
  expect(body.messages).toEqual({ inbound: 1002, outbound: 0 });
  expect(body.touchpoints).toHaveLength(1000);
  expect(body.touchpoints[0].id).toBe('m2');
  expect(body.touchpoints.at(-1).id).toBe('m1001');
  expect(body.sentiment).toEqual({ mean: 1, last: 1 });
});

test('a workspace that is deleted takes its threads along', async () => {
  const workspace = await workspaceWith([said('1', 't', 1), said('2', 'u', 1)]);
  await ask('DELETE', `/v1/workspaces/${workspace.id}`, { token: world.rootKey });
  expect(await rowsOf('select id from conversations where workspace_id = $1', [workspace.id])).toEqual([]);
});
