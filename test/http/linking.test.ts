import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, idsIn, partitionOf, sale, statusesOf, touch } from './items.ts';

/** Two identities in one item assert that they are the same person. The resulting people do not depend on the order. */

needWorld();

/** `ab` links `a` and `b`, `cd` links `c` and `d`, and `bc` joins the four. `e` stays alone. */
const FACTS: Record<string, Json> = {
  ab: touch('ab', { person: { email: 'a@x.y', x: 'b' } }),
  cd: touch('cd', { person: { phone: '+4915112345678', anonymous_id: 'd' } }),
  bc: touch('bc', { person: { x: '@B', phone: '+49 151 1234 5678' } }),
  e: touch('e', { person: { email: 'e@x.y' } }),
};

describe('the people are the same', () => {
  const orders = permutations(Object.keys(FACTS));
  test.for(orders.map((order) => [order.join(', ')]))('in the order %s', async ([order = '']) => {
    const workspace = await TestWorkspace.make();
    for (const name of order.split(', ')) await workspace.touchpoints(FACTS[name]);
    expect(await partitionOf(workspace)).toEqual([['ab', 'bc', 'cd'], ['e']]);
  });

  test.for([
    [
      ['ab', 'cd'],
      ['bc', 'e'],
    ],
    [['bc', 'e', 'cd', 'ab']],
    [['e', 'ab'], ['cd'], ['bc']],
  ])('in the batches %j', async (batches) => {
    const workspace = await TestWorkspace.make();
    for (const names of batches) await workspace.touchpoints(...names.map((name) => FACTS[name]));
    expect(await partitionOf(workspace)).toEqual([['ab', 'bc', 'cd'], ['e']]);
  });

  test('posted all at once, each in a batch of its own', async () => {
    const workspace = await TestWorkspace.make();
    await Promise.all(Object.values(FACTS).map((fact) => workspace.touchpoints(fact)));
    expect(await partitionOf(workspace)).toEqual([['ab', 'bc', 'cd'], ['e']]);
  });

  test('in a chain of 12 links from both ends to the middle, by touchpoints and conversions in turn', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const links = Array.from({ length: 12 }, (_, i) => ({ [`n${i}`]: 'v', [`n${i + 1}`]: 'v' }));
    for (const i of [0, 11, 2, 9, 4, 7, 1, 10, 3, 8, 5, 6]) {
      if (i % 2 === 0) await workspace.touchpoints(touch(`t${i}`, { person: links[i] }));
      else await workspace.conversions(sale(`s${i}`, { person: links[i] }));
    }
    expect(await partitionOf(workspace)).toHaveLength(1);
    expect(await partitionOf(workspace, '/v1/conversions')).toHaveLength(1);
    const people = await Promise.all(
      ['/v1/touchpoints', '/v1/conversions'].map((path) => workspace.get(path)),
    );
    expect(new Set(people.flatMap(({ body }) => body.data.map((row: Json) => row.person_id))).size).toBe(1);
  });
});

test('the same value in two namespaces is two people', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(
    touch('t', { person: { user_id: 'ann' } }),
    touch('x', { person: { x: 'ann' } }),
  );
  expect(await partitionOf(workspace)).toEqual([['t'], ['x']]);
});

test('a placeholder beside a real identity links nobody, and is told as a warning', async () => {
  const workspace = await TestWorkspace.make();
  const placeholders = [
    'null',
    'undefined',
    '[object Object]',
    'anonymous',
    '0',
    '00000000-0000-0000-0000-000000000000',
    ' ',
  ];
  const items = placeholders.map((value, i) =>
    touch(`t${i}`, { person: { email: `p${i}@x.y`, user_id: value } }),
  );
  const answer = await workspace.touchpoints(...items);
  expect(answer.status).toBe(200);
  answer.body.results.forEach((result: Json, i: number) => {
    expect(result.warnings).toMatchObject([{ pointer: `/touchpoints/${i}/person/user_id` }]);
  });
  expect(await partitionOf(workspace)).toHaveLength(placeholders.length);
});

test('a merge takes along the earlier touchpoints and conversions of both', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.touchpoints(
    touch('before', { person: { anonymous_id: 'a9' }, occurred_at: '2025-05-31T00:00:00Z' }),
  );
  await workspace.conversions(sale('order', { person: { user_id: 'u1' } }));
  const report = '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-06-02';
  expect((await workspace.get(report)).body.totals).toMatchObject({
    unattributed: { conversions: 1, value: 100 },
  });
  await workspace.touchpoints(
    touch('login', { person: { anonymous_id: 'a9', user_id: 'u1' }, occurred_at: '2025-06-03T00:00:00Z' }),
  );
  const [touches, sales] = [
    (await workspace.get('/v1/touchpoints')).body.data,
    (await workspace.get('/v1/conversions')).body.data,
  ];
  expect(new Set([...touches, ...sales].map((row: Json) => row.person_id)).size).toBe(1);
  const { totals, data } = (await workspace.get(report)).body;
  expect(totals).toMatchObject({
    attributed: { conversions: 1, value: 100 },
    unattributed: { conversions: 0, value: 0 },
  });
  expect(data).toMatchObject([
    { group: { channel: 'x' }, touchpoints: 1, credit: { linear: { conversions: 1, value: 100 } } },
  ]);
});

describe('what is not stored links nobody:', () => {
  const both = { person: { email: 'ann@x.y', user_id: 'bob' } };
  const prepare = async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(
      touch('ann', { person: { email: 'ann@x.y' } }),
      touch('bob', { person: { user_id: 'bob' } }),
    );
    await workspace.conversions(sale('order', { person: { email: 'ann@x.y' } }));
    return workspace;
  };
  test.for<[string, (workspace: TestWorkspace) => Promise<unknown>]>([
    ['a touchpoint in conflict with a stored one', (workspace) => workspace.touchpoints(touch('ann', both))],
    ['a conversion in conflict with a stored one', (workspace) => workspace.conversions(sale('order', both))],
    [
      'the second of two that conflict in a batch',
      (workspace) => workspace.touchpoints(touch('new'), touch('new', both)),
    ],
    [
      'a conversion of an unknown goal',
      (workspace) => workspace.conversions(sale('new', { ...both, goal: 'nowhere' })),
    ],
    [
      'a rejected touchpoint',
      (workspace) => workspace.touchpoints(touch('new', { ...both, kind: 'telepathy' })),
    ],
    [
      'a dry run',
      (workspace) => workspace.post('/v1/touchpoints?dry_run=true', { touchpoints: [touch('new', both)] }),
    ],
  ])('%s', async ([, send]) => {
    const workspace = await prepare();
    await send(workspace);
    const partition = (await partitionOf(workspace)).map((ids) => ids.filter((id) => id !== 'new'));
    expect(partition.filter((ids) => ids.length > 0)).toEqual([['ann'], ['bob']]);
    await workspace.touchpoints(touch('control', both));
    expect((await partitionOf(workspace)).some((ids) => ids.includes('ann') && ids.includes('bob'))).toBe(
      true,
    );
  });
});

describe('batches posted 8 at a time', () => {
  test('with overlapping ids: every id is stored once, every item is accepted or duplicate', async () => {
    const workspace = await TestWorkspace.make();
    const batch = (start: number) =>
      Array.from({ length: 60 }, (_, i) => numbered((start + i) % 120)).sort(() => (start % 2 ? 1 : -1));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, k) => workspace.touchpoints(...batch(k * 15))),
    );
    const statuses = answers.flatMap(statusesOf);
    expect(new Set(statuses)).toEqual(new Set(['accepted', 'duplicate']));
    expect(statuses.filter((status) => status === 'accepted')).toHaveLength(120);
    expect((await idsIn(workspace, '/v1/touchpoints')).sort()).toEqual(
      Array.from({ length: 120 }, (_, i) => `t${i}`).sort(),
    );
  });

  test('that link 10 people of 12 touchpoints each: 10 people, no touchpoint left behind', async () => {
    const workspace = await TestWorkspace.make();
    const items = Array.from({ length: 120 }, (_, i) =>
      numbered(i, { [`n${i % 12}`]: `p${i % 10}`, [`n${(i + 1) % 12}`]: `p${i % 10}` }),
    );
    const batches = Array.from({ length: 8 }, (_, k) => items.filter((_, i) => i % 8 === k));
    await Promise.all(batches.map((batch) => workspace.touchpoints(...batch)));
    const partition = await partitionOf(workspace);
    expect(partition.flat()).toHaveLength(120);
    for (const ids of partition) expect(new Set(ids.map((id) => Number(id.slice(1)) % 10)).size).toBe(1);
  });

  test('with one id and other content each: one is stored, the others are conflicts', async () => {
    const workspace = await TestWorkspace.make();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, k) => workspace.touchpoints(touch('t', { campaign: `c${k}` }))),
    );
    expect(answers.flatMap(statusesOf).sort()).toEqual(['accepted', ...Array(7).fill('conflict')]);
    const winner = answers.findIndex((answer) => answer.status === 200);
    expect((await workspace.get('/v1/touchpoints/t')).body.campaign).toBe(`c${winner}`);
  });
});

describe('two workspaces', () => {
  test('know nothing of each other: same ids, same people, other rows', async () => {
    const [one, two] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    expect(statusesOf(await one.touchpoints(touch('t', { campaign: 'one' })))).toEqual(['accepted']);
    expect(statusesOf(await two.touchpoints(touch('t', { campaign: 'two' })))).toEqual(['accepted']);
    const [first, second] = [
      (await one.get('/v1/touchpoints/t')).body,
      (await two.get('/v1/touchpoints/t')).body,
    ];
    expect([first.campaign, second.campaign]).toEqual(['one', 'two']);
    expect(first.person_id).not.toBe(second.person_id);
    expect((await two.get(`/v1/touchpoints?person_id=${first.person_id}`)).body.data).toEqual([]);
  });

  test("answer for each other's resources exactly as for missing ones", async () => {
    const [owner, stranger] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    await owner.goal('purchase');
    await owner.touchpoints(touch('t'));
    await owner.conversions(sale('s'), sale('x', { goal: 'nowhere' }));
    const rejection = (await owner.get('/v1/rejections')).body.data[0].id;
    const key = (await owner.get('/v1/keys')).body.data[0].id;
    const same = async (method: string, path: string, id: string, body?: unknown) => {
      const theirs = await stranger.ask(method, path.replace('{id}', id), { body });
      const missing = await stranger.ask(method, path.replace('{id}', 'missing'), { body });
      expectProblem(theirs, 404, 'not_found');
      expect({ ...theirs.body, instance: '', request_id: '' }).toEqual({
        ...missing.body,
        instance: '',
        request_id: '',
      });
    };
    await same('GET', '/v1/touchpoints/{id}', 't');
    await same('DELETE', '/v1/touchpoints/{id}', 't');
    await same('GET', '/v1/conversions/{id}', 's');
    await same('GET', '/v1/conversions/{id}/explanation', 's');
    await same('GET', '/v1/conversions/{id}/adjustments', 's');
    await same('POST', '/v1/conversions/{id}/adjustments', 's', { kind: 'retraction' });
    await same('GET', '/v1/goals/{id}', 'purchase');
    await same('DELETE', '/v1/goals/{id}', 'purchase');
    await same('POST', '/v1/rejections/{id}/replay', rejection);
    await same('DELETE', '/v1/keys/{id}', key);
    expect((await owner.get('/v1/touchpoints/t')).body.voided_at).toBeNull();
    expect((await owner.get('/v1/conversions/s')).body.retracted).toBe(false);
  });
});

function numbered(i: number, person: Json = { user_id: `u${i % 7}`, email: `e${i % 7}@x.y` }): Json {
  return touch(`t${i}`, { person, occurred_at: AT });
}

function permutations(items: string[]): string[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}
