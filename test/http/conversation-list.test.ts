import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, idsIn } from './items.ts';
import { answered, at, by, said, workspaceWith } from './threads.ts';

/** The list of conversations: its filters and its order. */

needWorld();

describe('the list', () => {
  /** Five threads, by last message: w1, w2 (waiting), a1, a2 (answered), and o, which has only outbound messages. */
  const filled = () =>
    workspaceWith([
      said('1', 'w1', 1, { ...by('ann'), account: { id: 'acme' } }),
      said('2', 'a1', 2, by('bob')),
      said('3', 'w2', 3, { ...by('bob'), channel: 'email' }),
      answered('4', 'a1', 4, by('bob')),
      said('5', 'a2', 5, { ...by('cleo'), channel: 'email' }),
      answered('6', 'a2', 6, { ...by('ann'), channel: 'x', account: { id: 'acme' } }),
      answered('7', 'o', 7, { ...by('cleo'), channel: 'call' }),
    ]);

  test.for([
    ['', 'o a2 a1 w2 w1'],
    ['order=oldest', 'w1 w2 a1 a2 o'],
    ['state=waiting', 'w2 w1'],
    ['state=waiting&order=oldest', 'w1 w2'],
    ['state=answered', 'o a2 a1'],
    ['channel=email', 'a2 w2'],
    ['channel=email,call&state=answered', 'o a2'],
    ['channel=nowhere', ''],
    ['account_id=acme', 'a2 w1'],
    ['account_id=acme&state=waiting', 'w1'],
    ['account_id=nowhere', ''],
    [`from=${at(2)}&to=${at(5)}`, 'a1 w2'],
    [`from=${at(3)}`, 'a2 w2'],
    ['older_than_seconds=0', 'o a2 a1 w2 w1'],
  ])('?%s keeps %s', async ([query = '', ids = '']) => {
    const workspace = await filled();
    expect((await idsIn(workspace, `/v1/conversations?${query}`)).join(' ')).toBe(ids);
    expect((await idsIn(workspace, `/v1/conversations?${query}`, 1)).join(' ')).toBe(ids);
  });

  test('person_id keeps those in which the person took part', async () => {
    const workspace = await filled();
    const { person_id } = (await workspace.get('/v1/touchpoints/6')).body;
    expect(await idsIn(workspace, `/v1/conversations?person_id=${person_id}`)).toEqual(['a2', 'w1']);
    expect(await idsIn(workspace, `/v1/conversations?person_id=${person_id}&account_id=beta`)).toEqual([]);
  });

  test('older_than_seconds keeps those whose last message is older than that', async () => {
    const ago = (seconds: number) => ({ occurred_at: new Date(Date.now() - seconds * 1000).toISOString() });
    const workspace = await workspaceWith([
      said('1', 'long', 0, ago(7300)),
      said('2', 'short', 0, ago(7100)),
      said('3', 'again', 0, ago(9000)),
      said('4', 'again', 0, ago(10)),
    ]);
    expect(await idsIn(workspace, '/v1/conversations?state=waiting&older_than_seconds=7200')).toEqual([
      'long',
    ]);
  });

  test('at one instant the larger id comes first, bytewise, and pages have each thread once', async () => {
    const ids = ['a', 'B', '😀', 'é', 'z', '\uffee', '10', '9'];
    const workspace = await workspaceWith(ids.map((id) => said(id, id, 1)));
    const bytewise = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const limit of [1, 3, 8]) {
      expect(await idsIn(workspace, '/v1/conversations', limit)).toEqual(bytewise.toReversed());
      expect(await idsIn(workspace, '/v1/conversations?order=oldest', limit)).toEqual(bytewise);
    }
  });

  test('is stable while others are written: none twice, and none skipped that stayed where it was', async () => {
    const workspace = await workspaceWith(['b', 'd', 'f', 'h'].map((id) => said(id, id, 1)));
    const first = (await workspace.get('/v1/conversations?limit=2')).body;
    await workspace.load('touchpoints', [said('new', 'new', 9), said('c', 'c', 1), said('h2', 'h', 8)]);
    expect(first.data.map((row: Json) => row.id)).toEqual(['h', 'f']);
    expect(await idsIn(workspace, `/v1/conversations?cursor=${first.next_cursor}`)).toEqual(['d', 'c', 'b']);
  });

  test('comes as CSV and NDJSON', async () => {
    const workspace = await workspaceWith([said('1', '=t', 1, { sentiment: 0.5 })]);
    const csv = (await workspace.get('/v1/conversations?format=csv')).text.split('\r\n');
    expect(csv[0]).toBe(
      'id,state,opened_at,first_response_at,first_response_seconds,last_at,messages.inbound,messages.outbound,channel,topic,account_id,person_ids,person_count,sentiment.mean,sentiment.last,conversion_count',
    );
    expect(csv[1]).toMatch(/^'=t,waiting,2025-06-01T12:01:00\.000Z,,,2025-06-01T12:01:00\.000Z,1,0,x,,,/);
    const ndjson = (await workspace.get('/v1/conversations?format=ndjson')).text;
    expect(JSON.parse(ndjson)).toMatchObject({ id: '=t', sentiment: { mean: 0.5, last: 0.5 } });
  });

  test.for([
    ['state=open', '?state', 'waiting'],
    ['older_than_seconds=-1', '?older_than_seconds', '>=0'],
    ['older_than_seconds=soon', '?older_than_seconds', 'number'],
    ['order=random', '?order', 'oldest'],
    ['topic=pricing', '?topic', 'account_id'],
    ['where[channel]=x', '?where[channel]', 'state'],
    ['person_id=ann', '?person_id', 'UUID'],
    ['from=2025-06-02&to=2025-06-01', '?to', 'after'],
    ['cursor=abc', '?cursor', 'cursor'],
    ['limit=0', '?limit', '>=1'],
  ] as const)('refuses ?%s and says what is known', async ([query, pointer, known]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.get(`/v1/conversations?${query}`);
    expectProblem(answer, 422, 'invalid_request', [pointer]);
    expect(answer.body.errors[0].detail).toContain(known);
  });
});
