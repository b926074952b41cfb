import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, idsIn, sale, touch } from './items.ts';

/** Lists: newest first, each row once, filtered, in three formats. */

needWorld();

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00Z`;

describe('the order', () => {
  test('is newest first; at one instant the larger id first, bytewise', async () => {
    const workspace = await TestWorkspace.make();
    const ids = ['a', 'B', '😀', 'é', 'z', '\uffee', '10', '9'];
    await workspace.touchpoints(
      ...ids.map((id) => touch(id)),
      touch('later', { occurred_at: day(3) }),
      touch('before', { occurred_at: day(1) }),
    );
    const bytewise = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).reverse();
    expect(await idsIn(workspace, '/v1/touchpoints')).toEqual(['later', ...bytewise, 'before']);
  });

  test.for([1, 2, 3, 7, 11])('is the same in pages of %i, over 11 rows with ties', async (limit) => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const at = (i: number) => ({ occurred_at: day(1 + (i % 3)) });
    await workspace.touchpoints(...Array.from({ length: 11 }, (_, i) => touch(`t${i}`, at(i))));
    await workspace.conversions(...Array.from({ length: 11 }, (_, i) => sale(`s${i}`, at(i))));
    for (const list of ['/v1/touchpoints', '/v1/conversions']) {
      const whole = await idsIn(workspace, list);
      expect(whole).toHaveLength(11);
      expect(await idsIn(workspace, list, limit)).toEqual(whole);
    }
  });

  test('the last page is full or not: has_more and next_cursor say the truth', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('a'), touch('b'));
    expect((await workspace.get('/v1/touchpoints?limit=2')).body).toMatchObject({
      has_more: false,
      next_cursor: null,
    });
    const { body, headers } = await workspace.get('/v1/touchpoints?limit=1');
    expect(body).toMatchObject({ has_more: true, data: [{ id: 'b' }] });
    const link = headers.get('link') ?? '';
    const next = /^<([^>]+)>; rel="next"$/.exec(link)?.[1] ?? '';
    const second = await workspace.get(next);
    expect(second.body).toMatchObject({ has_more: false, data: [{ id: 'a' }] });
    expect(second.headers.get('link')).toBeNull();
  });

  test('a page is stable while rows are written before, at and after the cursor: none twice, none skipped', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(...['b', 'd', 'f', 'h'].map((id) => touch(id)));
    const first = (await workspace.get('/v1/touchpoints?limit=2')).body;
    await workspace.touchpoints(
      touch('new', { occurred_at: day(9) }),
      touch('g'),
      touch('e'),
      touch('c'),
      touch('old', { occurred_at: day(1) }),
    );
    const rest = await idsIn(workspace, `/v1/touchpoints?cursor=${first.next_cursor}`);
    expect(first.data.map((row: Json) => row.id)).toEqual(['h', 'f']);
    expect(rest).toEqual(['e', 'd', 'c', 'b', 'old']);
  });

  test('the link of the next page keeps the filters', async () => {
    const workspace = await TestWorkspace.make();
    const items = [0, 1, 2, 3].map((i) => touch(`t${i}`, { channel: i % 2 ? 'a,b' : 'x' }));
    await workspace.touchpoints(...items);
    const { headers, body } = await workspace.get('/v1/touchpoints?limit=1&where[channel]=a\\,b');
    expect(body.data[0].id).toBe('t3');
    const next = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
    expect((await workspace.get(next)).body.data.map((row: Json) => row.id)).toEqual(['t1']);
  });
});

describe('from and to', () => {
  const workspaceWith = async (times: string[], settings: Json = {}) => {
    const workspace = await TestWorkspace.make(settings);
    await workspace.goal('purchase');
    await workspace.touchpoints(...times.map((at) => touch(at, { occurred_at: at })));
    await workspace.conversions(...times.map((at) => sale(at, { occurred_at: at })));
    return workspace;
  };
  const spring = [
    '2025-03-29T22:59:59.999Z',
    '2025-03-29T23:00:00.000Z',
    '2025-03-30T21:59:59.999Z',
    '2025-03-30T22:00:00.000Z',
  ];
  const autumn = [
    '2025-10-25T21:59:59.999Z',
    '2025-10-25T22:00:00.000Z',
    '2025-10-26T22:59:59.999Z',
    '2025-10-26T23:00:00.000Z',
  ];

  test.for([
    ['30 March, 23 hours', spring, '2025-03-30', '2025-03-31'],
    ['26 October, 25 hours', autumn, '2025-10-26', '2025-10-27'],
  ] as const)('are midnights of the zone: %s in Berlin', async ([, times, from, to]) => {
    const workspace = await workspaceWith([...times], { timezone: 'Europe/Berlin' });
    for (const list of ['/v1/touchpoints', '/v1/conversions']) {
      expect(await idsIn(workspace, `${list}?from=${from}&to=${to}`)).toEqual([times[2], times[1]]);
      const asked = `${list}?from=${from}&to=${to}&timezone=UTC`;
      expect(await idsIn(workspace, asked)).not.toContain(times[1]);
    }
  });

  test('are instants with an offset: from is inside, to is not', async () => {
    const workspace = await workspaceWith([
      '2025-06-01T10:00:00.000Z',
      '2025-06-01T11:00:00.000Z',
      '2025-06-01T12:00:00.000Z',
    ]);
    const query = '?from=2025-06-01T12:00:00%2B02:00&to=2025-06-01T12:00:00Z';
    expect(await idsIn(workspace, `/v1/touchpoints${query}`)).toEqual([
      '2025-06-01T11:00:00.000Z',
      '2025-06-01T10:00:00.000Z',
    ]);
  });

  test('may each be left open, and must not cross', async () => {
    const workspace = await workspaceWith([day(1), day(2)]);
    expect(await idsIn(workspace, '/v1/conversions?from=2025-06-02')).toEqual([day(2)]);
    expect(await idsIn(workspace, '/v1/conversions?to=2025-06-02')).toEqual([day(1)]);
    expectProblem(
      await workspace.get('/v1/conversions?from=2025-06-02&to=2025-06-02'),
      422,
      'invalid_request',
      ['?to'],
    );
  });
});

describe('filters of touchpoints', () => {
  const items = [
    touch('a', { channel: 'x', campaign: 'spring' }),
    touch('b', { channel: 'linkedin', campaign: 'spring' }),
    touch('c', { channel: 'x', campaign: 'red, green' }),
    touch('d', { channel: 'x', conversation: { id: 'thread', topic: 'pricing' }, kind: 'event' }),
    touch('e', { channel: 'x', campaign: '\\0', person: { user_id: 'u2' } }),
  ];
  test.for([
    ['where[channel]=x', 'a c d e'],
    ['where[channel]=x,linkedin', 'a b c d e'],
    ['where[channel]=x&where[channel]=linkedin', 'a b c d e'],
    ['where[channel]=x&where[campaign]=spring', 'a'],
    ['where[campaign]=\\0', 'd'],
    ['where[campaign]=\\0,spring', 'a b d'],
    ['where[campaign]=red\\, green', 'c'],
    ['where[campaign]=red, green', ''],
    ['where[conversation]=thread&where[topic]=pricing', 'd'],
    ['where[kind]=event', 'd'],
    ['where[channel]=X', ''],
    ['where[campaign]=', ''],
    ["where[channel]=x') or true --", ''],
  ])('%s keeps %s', async ([query = '', ids = '']) => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(...items);
    const found = await idsIn(workspace, `/v1/touchpoints?${encodeURI(query).replaceAll('+', '%2B')}`);
    expect(found.sort().join(' ')).toBe(ids);
  });

  test('person_id keeps the rows of one person, in capitals too', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(...items);
    await workspace.conversions(sale('s'), sale('r', { person: { user_id: 'u2' } }));
    const { person_id } = (await workspace.get('/v1/touchpoints/e')).body;
    for (const id of [person_id, person_id.toUpperCase()]) {
      expect(await idsIn(workspace, `/v1/touchpoints?person_id=${id}`)).toEqual(['e']);
      expect(await idsIn(workspace, `/v1/conversions?person_id=${id}`)).toEqual(['r']);
    }
  });

  test('goal keeps the conversions of one or several goals', async () => {
    const workspace = await TestWorkspace.make();
    for (const goal of ['a', 'b', 'c']) await workspace.goal(goal);
    await workspace.conversions(...['a', 'b', 'c'].map((goal) => sale(`of-${goal}`, { goal })));
    expect(await idsIn(workspace, '/v1/conversions?goal=b')).toEqual(['of-b']);
    expect(await idsIn(workspace, '/v1/conversions?goal=a,c')).toEqual(['of-c', 'of-a']);
    expect(await idsIn(workspace, '/v1/conversions?goal=nowhere')).toEqual([]);
  });
});

test('received_after gives what came in since, whenever it happened', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('first', { occurred_at: day(9) }));
  const { received_at } = (await workspace.get('/v1/touchpoints/first')).body;
  await new Promise((resolve) => setTimeout(resolve, 5));
  await workspace.touchpoints(touch('second', { occurred_at: day(1) }));
  expect(await idsIn(workspace, `/v1/touchpoints?received_after=${received_at}`)).toEqual(['second']);
  expect(await idsIn(workspace, '/v1/touchpoints?received_after=2000-01-01T00:00:00Z')).toEqual([
    'first',
    'second',
  ]);
});

test('a voided touchpoint stays in the list, and says so', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t', { occurred_at: AT }));
  await workspace.ask('DELETE', '/v1/touchpoints/t');
  expect((await workspace.get('/v1/touchpoints')).body.data[0].voided_at).toMatch(/^\d{4}-.*Z$/);
});
