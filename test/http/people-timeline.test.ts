import papaparse from 'papaparse';
import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { AT, expectProblem, sale, touch } from './items.ts';

/** The history of one person: touchpoints, conversions and links in one list. */

needWorld();

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00.000Z`;

async function personIdOf(workspace: TestWorkspace, identity: Record<string, string>): Promise<string> {
  const { body } = await workspace.post('/v1/people/lookup', { person: identity });
  return body.id;
}

async function timelineOf(workspace: TestWorkspace, identity = { user_id: 'u1' }): Promise<string> {
  return `/v1/people/${await personIdOf(workspace, identity)}/timeline`;
}

/** `type:id` of every row, read page by page. */
async function entriesOf(workspace: TestWorkspace, path: string, limit = 1000): Promise<string[]> {
  const entries: string[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body, status, text } = await workspace.get(
      `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${next}`,
    );
    expect(status, text).toBe(200);
    entries.push(...body.data.map((row: Json) => `${row.type}:${row.id}`));
    cursor = body.next_cursor;
  } while (cursor !== null);
  return entries;
}

describe('a timeline', () => {
  test('has touchpoints, conversions and links, newest first, each with its main fields', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(
      touch('t1', {
        occurred_at: day(1),
        direction: 'inbound',
        conversation: { id: 'c', topic: 'pricing' },
        person: { user_id: 'u1', email: 'ann@acme.com' },
      }),
      touch('t2', { occurred_at: day(2) }),
    );
    await workspace.conversions(sale('s', { occurred_at: day(3), currency: 'EUR' }));
    await workspace.ask('DELETE', '/v1/touchpoints/t2');
    await workspace.post('/v1/conversions/s/adjustments', { id: 'a', kind: 'restatement', value: 60 });
    const none = {
      ...{ kind: null, channel: null, direction: null, conversation: null, voided_at: null },
      ...{ goal: null, value: null, net_value: null, currency: null, retracted: null },
      ...{ namespaces: null, skipped: null, resource: null },
    };
    const { body } = await workspace.get(await timelineOf(workspace));
    const money = { value: 100, net_value: 60, currency: 'EUR', retracted: false };
    expect(body).toMatchObject({ has_more: false, next_cursor: null });
    expect(body.data).toEqual([
      { ...none, type: 'conversion', id: 's', occurred_at: day(3), goal: 'purchase', ...money },
      {
        ...{ ...none, type: 'touchpoint', id: 't2', occurred_at: day(2), kind: 'mention', channel: 'x' },
        voided_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      },
      {
        ...{ ...none, type: 'link', id: 't1', occurred_at: day(1), skipped: false },
        ...{ namespaces: ['email', 'user_id'], resource: 'touchpoints' },
      },
      {
        ...{ ...none, type: 'touchpoint', id: 't1', occurred_at: day(1), kind: 'mention', channel: 'x' },
        ...{ direction: 'inbound', conversation: { id: 'c', topic: 'pricing' } },
      },
    ]);
  });

  test('shows a conversion without a value, and one that was retracted', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.conversions(sale('none', { value: null }), sale('back'));
    await workspace.post('/v1/conversions/back/adjustments', { id: 'a', kind: 'retraction' });
    expect((await workspace.get(await timelineOf(workspace))).body.data).toMatchObject([
      { id: 'back', value: 100, net_value: 0, retracted: true },
      { id: 'none', value: null, net_value: null, currency: 'USD', retracted: false },
    ]);
  });

  test('shows a link that was skipped to each of the people', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(
      touch('1', { person: { user_id: 'u1', email: 'ann@acme.com' } }),
      touch('2', { person: { user_id: 'u2', x: 'ann' } }),
    );
    await workspace.touchpoints(
      touch('3', { person: { email: 'ann@acme.com', x: 'ann' }, occurred_at: day(9) }),
    );
    for (const user_id of ['u1', 'u2']) {
      const { body } = await workspace.get(await timelineOf(workspace, { user_id }));
      expect(body.data.find((row: Json) => row.type === 'link' && row.id === '3')).toMatchObject({
        skipped: true,
        namespaces: ['email', 'x'],
      });
    }
  });

  test('has a touchpoint and a conversion of one id, and the link that each brought', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('1', { person: { user_id: 'u1', email: 'ann@acme.com' } }));
    await workspace.conversions(sale('1', { person: { user_id: 'u1', x: 'ann' } }));
    const path = await timelineOf(workspace);
    const all = ['conversion:1', 'link:1', 'link:1', 'touchpoint:1'];
    for (const limit of [1, 2, 3, 1000]) expect(await entriesOf(workspace, path, limit)).toEqual(all);
    const { body } = await workspace.get(path);
    expect(body.data.map((row: Json) => row.resource)).toEqual([null, 'conversions', 'touchpoints', null]);
  });

  test('is of one person, in one workspace', async () => {
    const [mine, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    for (const workspace of [mine, other]) {
      await workspace.goal('purchase');
      await workspace.touchpoints(touch('t'), touch('t2', { person: { user_id: 'u2' } }));
      await workspace.conversions(sale('s2', { person: { user_id: 'u2' } }));
    }
    const path = await timelineOf(mine);
    expect(await entriesOf(mine, path)).toEqual(['touchpoint:t']);
    expectProblem(await other.get(path), 404, 'not_found');
    for (const id of ['ann', '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3', '%00'])
      expectProblem(await mine.get(`/v1/people/${id}/timeline`), 404, 'not_found');
  });

  test('of somebody merged away is the one of the survivor', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('a', { occurred_at: day(1) }));
    await workspace.touchpoints(touch('b', { occurred_at: day(2), person: { x: 'ann' } }));
    const merged = `/v1/people/${await personIdOf(workspace, { x: 'ann' })}/timeline`;
    await workspace.touchpoints(touch('ab', { occurred_at: day(3), person: { user_id: 'u1', x: 'ann' } }));
    const survivor = await timelineOf(workspace);
    expect(merged).not.toBe(survivor);
    const all = ['link:ab', 'touchpoint:ab', 'touchpoint:b', 'touchpoint:a'];
    expect(await entriesOf(workspace, merged)).toEqual(all);
    expect(await entriesOf(workspace, survivor)).toEqual(all);
  });

  test('has what is from `from` to before `to`, as calendar days of the time zone', async () => {
    const workspace = await TestWorkspace.make({ timezone: 'Europe/Berlin' });
    await workspace.goal('purchase');
    const times = ['2025-06-01T21:59:59.999Z', '2025-06-01T22:00:00Z', '2025-06-02T22:00:00Z'];
    const link = (i: number) => ({ user_id: 'u1', [`n${i}`]: 'v' });
    await workspace.touchpoints(
      ...times.map((at, i) => touch(`t${i}`, { occurred_at: at, person: link(i) })),
    );
    await workspace.conversions(...times.map((at, i) => sale(`s${i}`, { occurred_at: at })));
    const path = await timelineOf(workspace);
    const of = (i: number) => [`conversion:s${i}`, `link:t${i}`, `touchpoint:t${i}`];
    expect(await entriesOf(workspace, `${path}?from=2025-06-02&to=2025-06-03`)).toEqual(of(1));
    expect(await entriesOf(workspace, `${path}?from=2025-06-02&to=2025-06-03`, 1)).toEqual(of(1));
    expect(await entriesOf(workspace, `${path}?from=2025-06-02`)).toEqual([...of(2), ...of(1)]);
    expect(await entriesOf(workspace, `${path}?to=2025-06-02`)).toEqual(of(0));
    expect((await workspace.get(`${path}?to=2000-01-01`)).body).toEqual({
      data: [],
      has_more: false,
      next_cursor: null,
    });
    expectProblem(await workspace.get(`${path}?from=2025-06-02&to=2025-06-02`), 422, 'invalid_request', [
      '?to',
    ]);
  });
});

describe('the order', () => {
  test('at one instant is by type, then id, bytewise', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const ids = ['a', 'B', 'é', '10', '9'];
    await workspace.touchpoints(
      ...ids.map((id, i) => touch(id, { person: { user_id: 'u1', [`n${i}`]: 'v' } })),
    );
    await workspace.conversions(...ids.map((id) => sale(id)));
    const bytewise = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const types = ['conversion', 'link', 'touchpoint'];
    const path = await timelineOf(workspace);
    expect(await entriesOf(workspace, path)).toEqual(
      types.flatMap((type) => bytewise.map((id) => `${type}:${id}`)),
    );
  });

  test.for([1, 2, 3, 7, 15, 16, 17])('is the same in pages of %i, over 27 rows with ties', async (limit) => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const at = (i: number) => ({ occurred_at: day(1 + (i % 3)) });
    const indexes = Array.from({ length: 9 }, (_, i) => i);
    await workspace.touchpoints(
      ...indexes.map((i) => touch(`t:${i}`, { ...at(i), person: { user_id: 'u1', [`n${i}`]: 'v' } })),
    );
    await workspace.conversions(...indexes.map((i) => sale(`s:${i}`, at(i))));
    const path = await timelineOf(workspace);
    const whole = await entriesOf(workspace, path);
    expect(whole).toHaveLength(27);
    expect(await entriesOf(workspace, path, limit)).toEqual(whole);
  });

  test('is stable while rows are written before, at and after the cursor: none twice, none skipped', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(...['b', 'd', 'f'].map((id) => touch(id)));
    await workspace.conversions(...['b', 'd'].map((id) => sale(id)));
    const path = await timelineOf(workspace);
    const first = (await workspace.get(`${path}?limit=3`)).body;
    expect(first.data.map((row: Json) => `${row.type}:${row.id}`)).toEqual([
      'conversion:b',
      'conversion:d',
      'touchpoint:b',
    ]);
    await workspace.touchpoints(
      touch('new', { occurred_at: day(9) }),
      touch('a'),
      touch('c', { person: { user_id: 'u1', x: 'ann' } }),
      touch('old', { occurred_at: '2025-05-01T00:00:00Z' }),
    );
    await workspace.conversions(sale('z'));
    expect(await entriesOf(workspace, `${path}?cursor=${first.next_cursor}`)).toEqual([
      'touchpoint:c',
      'touchpoint:d',
      'touchpoint:f',
      'touchpoint:old',
    ]);
  });

  test('of ids as long as they get goes on by cursor', async () => {
    const workspace = await TestWorkspace.make();
    const goal = 'g'.repeat(64);
    await workspace.goal(goal, { match: { touchpoints: [{ kind: ['demo'] }] } });
    // The id of the first goal's conversion does not contain the goal.
    await workspace.goal('a', { match: { touchpoints: [{ kind: ['demo'] }] } });
    const id = 'x'.repeat(255);
    await workspace.touchpoints(touch(id, { kind: 'demo', person: { user_id: 'u1', x: 'ann' } }));
    const path = await timelineOf(workspace);
    const whole = await entriesOf(workspace, path);
    expect(whole.map((entry) => entry.split(':')[0])).toEqual([
      'conversion',
      'conversion',
      'link',
      'touchpoint',
    ]);
    expect(await entriesOf(workspace, path, 1)).toEqual(whole);
  });
});

test('a timeline takes only its own cursors, a limit of 1 to 1000, and parameters that it knows', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t'), touch('t2'));
  const path = await timelineOf(workspace);
  const ofTouchpoints = (await workspace.get('/v1/touchpoints?limit=1')).body.next_cursor;
  const made = [`visit:t`, ':t', 'touchpoint', 'touchpoint:', 'touchpoint:\0'].map((id) =>
    Buffer.from(JSON.stringify([AT, id])).toString('base64url'),
  );
  for (const cursor of ['x', '', ofTouchpoints, ...made])
    expectProblem(await workspace.get(`${path}?cursor=${cursor}`), 422, 'invalid_request', ['?cursor']);
  for (const limit of ['0', '1001', 'ten'])
    expectProblem(await workspace.get(`${path}?limit=${limit}`), 422, 'invalid_request', ['?limit']);
  expectProblem(await workspace.get(`${path}?goal=purchase`), 422, 'invalid_request', ['?goal']);
});

test('a timeline is also a table: CSV with the same columns for every type, and NDJSON', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const conversation = { id: 'c', topic: 'pricing' };
  await workspace.touchpoints(touch('t', { conversation, person: { user_id: 'u1', x: 'ann' } }));
  await workspace.conversions(sale('s'));
  const path = await timelineOf(workspace);
  const { text } = await workspace.get(`${path}?format=csv`);
  const { data, errors } = papaparse.parse<Record<string, string>>(text.trimEnd(), { header: true });
  expect(errors).toEqual([]);
  expect(data).toMatchObject([
    { type: 'conversion', id: 's', value: '100', kind: '', 'conversation.id': '' },
    { type: 'link', id: 't', namespaces: '["user_id","x"]', value: '' },
    { type: 'touchpoint', id: 't', 'conversation.id': 'c', 'conversation.topic': 'pricing' },
  ]);
  const lines = (await workspace.get(`${path}?format=ndjson`)).text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual((await workspace.get(path)).body.data);
});
