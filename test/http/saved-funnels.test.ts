import { beforeAll, describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, sale, touch } from './items.ts';

/** Saved funnels: created, replaced, listed, deleted, and reported for a range. */

needWorld();

const mention = { touchpoint: { kind: ['mention'] } };
const purchase = { conversion: { goal: ['purchase'] } };
const FUNNEL = { name: 'Mention to purchase', steps: [mention, purchase], window_seconds: 604_800 };
const RANGE = 'from=2025-06-01&to=2025-06-08';

/** Fields that are not sent have their defaults. */
const STORED = {
  key: 'main',
  ...FUNNEL,
  order: 'ordered',
  entry: 'any',
  count: 'people',
  scope: 'person',
  hold: [],
  exclude: [],
  breakdown: null,
  currency: null,
};

const put = (workspace: TestWorkspace, key: string, changes: Json = {}) =>
  workspace.ask('PUT', `/v1/funnels/${key}`, { body: { ...FUNNEL, ...changes } });

async function workspaceWithGoal(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  return workspace;
}

describe('a funnel', () => {
  test('is made with its defaults, read, replaced as a whole and deleted', async () => {
    const workspace = await workspaceWithGoal();
    const made = await put(workspace, 'main', { currency: null, breakdown: null });
    expect(made.status, made.text).toBe(200);
    expect(made.body).toEqual({
      ...STORED,
      created_at: expect.any(String),
      updated_at: made.body.created_at,
    });
    expect((await workspace.get('/v1/funnels/main')).body).toEqual(made.body);

    const full = {
      steps: [
        { name: 'Loud', touchpoint: { channel: ['x', null], stage: ['trial'] } },
        { touchpoint: { kind: ['reply'] } },
        purchase,
      ],
      order: 'strict',
      window_seconds: 60,
      entry: 'first',
      count: 'completions',
      scope: 'account',
      hold: ['conversation', 'campaign'],
      exclude: [{ ...purchase, after_step: 1, before_step: 2 }, { touchpoint: { kind: ['other'] } }],
      breakdown: { by: ['channel', 'kind'], at_step: 2 },
      currency: 'EUR',
    };
    const replaced = (await put(workspace, 'main', { name: 'Other', ...full })).body;
    expect(replaced).toEqual({
      key: 'main',
      name: 'Other',
      ...full,
      created_at: made.body.created_at,
      updated_at: expect.any(String),
    });
    expect(replaced.updated_at >= made.body.updated_at).toBe(true);
    expect((await put(workspace, 'main')).body).toMatchObject(STORED);

    const deleted = await workspace.ask('DELETE', '/v1/funnels/main');
    expect(deleted).toMatchObject({ status: 200, body: STORED });
    for (const method of ['GET', 'DELETE'])
      expectProblem(await workspace.ask(method, '/v1/funnels/main'), 404, 'not_found');
  });

  test('is in the list, by key bytewise', async () => {
    const workspace = await workspaceWithGoal();
    for (const key of ['b', 'a_b', 'a-b', '9', 'a']) await put(workspace, key);
    const { body } = await workspace.get('/v1/funnels');
    expect(body.data.map(({ key }: Json) => key)).toEqual(['9', 'a', 'a-b', 'a_b', 'b']);
    expect(body.data[0]).toMatchObject({ ...STORED, key: '9' });
  });

  test('put by several at a time is one', async () => {
    const workspace = await workspaceWithGoal();
    const answers = await Promise.all([1, 2, 3, 4].map(() => put(workspace, 'main')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await workspace.get('/v1/funnels')).body.data).toHaveLength(1);
  });

  test('may name a goal that is archived, and no goal of another workspace', async () => {
    const workspace = await workspaceWithGoal();
    await workspace.ask('DELETE', '/v1/goals/purchase');
    expect((await put(workspace, 'main')).status).toBe(200);
    const stranger = await TestWorkspace.make();
    expectProblem(await put(stranger, 'main'), 422, 'unknown_goal', ['/steps/1/conversion/goal']);
    expect((await stranger.get('/v1/funnels')).body.data).toEqual([]);
  });

  test('is of its workspace alone: for another one it does not exist', async () => {
    const workspace = await workspaceWithGoal();
    const stranger = await workspaceWithGoal();
    await put(workspace, 'main');
    expectProblem(await stranger.get('/v1/funnels/main'), 404, 'not_found');
    expectProblem(await stranger.get(`/v1/funnels/main/report?${RANGE}`), 404, 'not_found');
    expectProblem(await stranger.ask('DELETE', '/v1/funnels/main'), 404, 'not_found');
    expect((await stranger.get('/v1/funnels')).body.data).toEqual([]);
    await put(stranger, 'main', { name: 'Theirs' });
    expect((await workspace.get('/v1/funnels/main')).body.name).toBe(FUNNEL.name);
  });

  test('goes with its workspace', async () => {
    const workspace = await workspaceWithGoal();
    await put(workspace, 'main');
    await ask('DELETE', `/v1/workspaces/${workspace.id}`, { token: world.rootKey });
    expect(await rowsOf('select key from funnels where workspace_id = $1', [workspace.id])).toEqual([]);
  });
});

describe('the scope of a key', () => {
  const REPORT_BODY = { from: '2025-06-01', to: '2025-06-08', steps: FUNNEL.steps, window_seconds: 60 };
  const REQUESTS: [scope: string, method: string, path: string, body?: Json][] = [
    ['read', 'POST', '/v1/reports/funnel', REPORT_BODY],
    ['read', 'POST', '/v1/reports/funnel/people', { ...REPORT_BODY, step: 1, state: 'reached' }],
    ['read', 'GET', '/v1/funnels'],
    ['read', 'GET', '/v1/funnels/main'],
    ['read', 'GET', `/v1/funnels/main/report?${RANGE}`],
    ['admin', 'PUT', '/v1/funnels/main', FUNNEL],
    ['admin', 'DELETE', '/v1/funnels/main'],
  ];
  const tokens: Record<string, string> = {};
  beforeAll(async () => {
    if (world.missing !== null) return;
    const workspace = await workspaceWithGoal();
    await put(workspace, 'main');
    for (const scope of ['ingest', 'read', 'admin'])
      tokens[scope] = (await workspace.post('/v1/keys', { name: scope, scopes: [scope] })).body.token;
  });

  test.for(REQUESTS)('%s is needed, and enough, for %s %s', async ([scope, method, path, body]) => {
    for (const other of Object.keys(tokens).filter((name) => name !== scope))
      expectProblem(await ask(method, path, { body, token: tokens[other] ?? '' }), 403, 'forbidden');
    const answer = await ask(method, path, { body, token: tokens[scope] ?? '' });
    expect(answer.status, answer.text).toBe(200);
    expectProblem(await ask(method, path, { body }), 401, 'unauthenticated');
  });
});

describe('the report of a saved funnel', () => {
  let workspace: TestWorkspace;
  beforeAll(async () => {
    if (world.missing !== null) return;
    workspace = await workspaceWithGoal();
    await workspace.touchpoints(touch('m', { occurred_at: '2025-06-02T00:00:00Z' }));
    await workspace.conversions(sale('s', { occurred_at: '2025-06-03T00:00:00Z' }));
    await put(workspace, 'main');
    await put(workspace, 'grouped', { breakdown: { by: ['channel'] }, currency: 'EUR' });
  });
  const report = (query: string, key = 'main') => workspace.get(`/v1/funnels/${key}/report?${query}`);

  test('is that of the funnel with the range', async () => {
    const saved = (await report(RANGE)).body;
    const { name: _, ...definition } = FUNNEL;
    const asked = { ...definition, from: '2025-06-01', to: '2025-06-08' };
    const { body } = await workspace.post('/v1/reports/funnel', asked);
    expect(body.data.map(({ count }: Json) => count)).toEqual([1, 1]);
    expect(saved.data).toEqual(body.data);
    expect(saved.totals).toEqual(body.totals);
    expect(saved).not.toHaveProperty('breakdown');
    expect(saved.query).toMatchObject({
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-06-08T00:00:00.000Z',
      timezone: 'UTC',
      interval: null,
      currency: 'USD',
      steps: [
        { name: 'mention', ...mention },
        { name: 'purchase', ...purchase },
      ],
    });
  });

  test('is of the last 30 days where no range is named, and takes a named one', async () => {
    const days = async (query: string) => {
      const { from, to } = (await report(query)).body.query;
      return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
    };
    expect(await days('')).toBe(30);
    expect(await days('range=7d')).toBe(7);
  });

  test('has the groups of the funnel, those that the query names in their place, or none by interval', async () => {
    const groups = async (query: string, key: string) => {
      const answer = await report(`${RANGE}&${query}`, key);
      expect(answer.status, answer.text).toBe(200);
      return [answer.body.breakdown?.map(({ group }: Json) => group), answer.body.query.breakdown];
    };
    expect(await groups('', 'grouped')).toEqual([[{ channel: 'x' }], { by: ['channel'], at_step: 1 }]);
    expect(await groups('breakdown=kind,channel', 'grouped')).toEqual([
      [{ kind: 'mention', channel: 'x' }],
      { by: ['kind', 'channel'], at_step: 1 },
    ]);
    expect(await groups('breakdown=kind&at_step=1', 'main')).toEqual([
      [{ kind: 'mention' }],
      { by: ['kind'], at_step: 1 },
    ]);
    expect(await groups('at_step=1', 'grouped')).toEqual([
      [{ channel: 'x' }],
      { by: ['channel'], at_step: 1 },
    ]);
    expect(await groups('interval=day', 'grouped')).toEqual([undefined, null]);
  });

  test('is in the currency of the query, else of the funnel, else of the workspace', async () => {
    const currency = async (query: string, key: string) =>
      (await report(`${RANGE}&${query}`, key)).body.totals.currency;
    expect(await currency('', 'main')).toBe('USD');
    expect(await currency('', 'grouped')).toBe('EUR');
    expect(await currency('currency=CHF', 'grouped')).toBe('CHF');
  });

  test.for([
    [`${RANGE}&breakdown=colour`, '?breakdown'],
    [`${RANGE}&breakdown=`, '?breakdown'],
    [`${RANGE}&breakdown=channel,kind,topic,stage`, '?breakdown'],
    [`${RANGE}&breakdown=channel,channel`, '?breakdown'],
    [`${RANGE}&breakdown=channel&at_step=9`, '?at_step'],
    [`${RANGE}&breakdown=channel&at_step=2`, '?at_step'],
    [`${RANGE}&breakdown=channel&at_step=0`, '?at_step'],
    [`${RANGE}&at_step=1`, '?at_step'],
    [`${RANGE}&interval=day&at_step=1`, '?at_step'],
    [`${RANGE}&interval=hour`, '?interval'],
    [`${RANGE}&interval=day&breakdown=channel`, '?interval'],
    ['from=2025-01-01&to=2025-04-12&interval=day', '?interval'],
    ['from=2015-01-01&to=2025-01-01&interval=week', '?interval'],
    ['from=2025-06-08&to=2025-06-01', '?to'],
    ['from=2025-06-01', '?to'],
    ['from=2010-01-01&to=2025-01-01', '?from'],
    [`${RANGE}&range=7d`, '?range'],
    [`${RANGE}&currency=EURO`, '?currency'],
    [`${RANGE}&timezone=Mars/Olympus`, '?timezone'],
    [`${RANGE}&format=xml`, '?format'],
    [`${RANGE}&compare=previous_period`, '?compare'],
    [`${RANGE}&steps=1`, '?steps'],
  ])('refuses %s', async ([query = '', pointer = '']) => {
    expectProblem(await report(query), 422, 'invalid_request', [pointer]);
  });

  test('takes 100 intervals, and says how many the range has when there are more', async () => {
    const { body } = await report('from=2025-01-01&to=2025-04-11&interval=day');
    expect(new Set(body.data.map(({ interval }: Json) => interval)).size).toBe(100);
    expect(body.data).toHaveLength(200);
    const { errors } = (await report('from=2025-01-01&to=2025-04-12&interval=day')).body;
    expect(errors[0].detail).toContain('At most 100 intervals, and the range has 101');
  });

  test('carries a weak ETag that holds until the answer changes, and answers 304', async () => {
    const path = `/v1/funnels/main/report?${RANGE}`;
    const first = await report(RANGE);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/".+"$/);
    const again = () => workspace.ask('GET', path, { headers: { 'if-none-match': etag } });
    expect(await again()).toMatchObject({ status: 304, text: '' });
    await workspace.touchpoints(
      touch('m2', { occurred_at: '2025-06-04T00:00:00Z', person: { user_id: 'u2' } }),
    );
    expect((await again()).status).toBe(200);
  });

  test('is one round trip once an isolate knows the funnel, two when it was changed; one for what is posted', async () => {
    const callsOf = (answer: { headers: Headers }) =>
      /desc="calls=(\d+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1];
    await report(RANGE);
    expect(callsOf(await report(`${RANGE}&interval=day`))).toBe('1');
    await put(workspace, 'main', { steps: [purchase, mention, mention] });
    const changed = await report(RANGE);
    expect(callsOf(changed)).toBe('2');
    expect(changed.body.data).toHaveLength(3);
    expect(callsOf(await report(`${RANGE}&breakdown=channel&at_step=3`))).toBe('1');
    await put(workspace, 'main');
    // The cached funnel has a third step, and the stored one does not.
    expect((await report(`${RANGE}&breakdown=channel&at_step=3`)).status).toBe(422);
    expect((await report(RANGE)).body.data).toHaveLength(2);
    const { name: _, ...body } = FUNNEL;
    const range = { from: '2025-06-01', to: '2025-06-08' };
    const compared = { ...body, ...range, compare: 'previous_period' };
    expect(callsOf(await workspace.post('/v1/reports/funnel', compared))).toBe('1');
    const people = { ...body, ...range, step: 1, state: 'reached' };
    expect(callsOf(await workspace.post('/v1/reports/funnel/people', people))).toBe('1');
  });
});
