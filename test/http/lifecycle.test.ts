import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { expectProblem, sale, touch } from './items.ts';

/** The lifecycle report from outside: shapes, ranges, formats, and access. */

needWorld();

const REPORT = '/v1/reports/lifecycle?from=2025-06-01&to=2025-07-01';
const on = (day: string) => `2025-${day}T12:00:00Z`;
const said = (id: string, user_id: string, day: string, changes: Json = {}) =>
  touch(id, { person: { user_id }, occurred_at: on(day), direction: 'inbound', ...changes });
const bought = (id: string, user_id: string, day: string) =>
  sale(id, { person: { user_id }, occurred_at: on(day) });

/**
 * Ann came in May and bought twice in June; Bob came in June and started a trial; Cleo has only outbound touchpoints;
 * Dan referred Bob and did nothing else.
 */
async function prepare(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase', { stage: 'purchase' });
  await workspace.load('touchpoints', [
    said('a1', 'ann', '05-20'),
    said('b1', 'bob', '06-02', { referred_by: { user_id: 'dan' } }),
    said('b2', 'bob', '06-03', { direction: 'outbound', stage: 'trial' }),
    said('c1', 'cleo', '06-04', { direction: 'outbound' }),
  ]);
  await workspace.load('conversions', [
    bought('s1', 'ann', '06-10'),
    bought('s2', 'ann', '06-11'),
    bought('s3', 'ann', '06-12'),
  ]);
  return workspace;
}

const row = (stage: string, people: number, reached: number, rate_from_previous: number | null) => ({
  stage,
  people,
  reached,
  rate_from_previous,
});

/** `people, reached` of the six stages. */
function countsIn({ data }: Json): number[][] {
  return data.map(({ people, reached }: Json) => [people, reached]);
}

function movesIn({ moves }: Json): string[] {
  return moves.map(({ from, to, people }: Json) => `${from ?? '-'} > ${to}: ${people}`);
}

test('the report says who is where at the end, who came how far, and who moved', async () => {
  const workspace = await prepare();
  const { body, status } = await workspace.get(REPORT);
  expect(status).toBe(200);
  expect(body).toEqual({
    query: { from: '2025-06-01T00:00:00.000Z', to: '2025-07-01T00:00:00.000Z', timezone: 'UTC' },
    observational: true,
    totals: { people: 4 },
    data: [
      row('conversation', 0, 2, null),
      row('consideration', 0, 2, 1),
      row('trial', 1, 2, 1),
      row('purchase', 0, 1, 0.5),
      row('loyalty', 1, 1, 1),
      row('advocacy', 1, 1, 0.25),
    ],
    moves: [
      { from: null, to: 'conversation', people: 1 },
      { from: null, to: 'advocacy', people: 1 },
      { from: 'conversation', to: 'trial', people: 1 },
      { from: 'conversation', to: 'purchase', people: 1 },
      { from: 'purchase', to: 'loyalty', people: 1 },
    ],
    warnings: [],
  });
});

describe('the range', () => {
  test('is where moves are; stages are reached from the beginning', async () => {
    const workspace = await prepare();
    const later = (await workspace.get('/v1/reports/lifecycle?from=2025-08-01&to=2025-09-01')).body;
    expect(later.moves).toEqual([]);
    expect(countsIn(later)).toEqual(countsIn((await workspace.get(REPORT)).body));
  });

  test('ends what is known: nothing at or after `to` counts, what is at `from` does', async () => {
    const workspace = await prepare();
    const at = (from: string, to: string) =>
      workspace.get(`/v1/reports/lifecycle?from=2025-${from}T12:00:00Z&to=2025-${to}T12:00:00Z`);
    const { body } = await at('06-10', '06-11');
    expect(movesIn(body)).toEqual(['conversation > purchase: 1']);
    expect(countsIn(body)).toEqual([
      [0, 2],
      [0, 2],
      [1, 2],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
    const early = (await at('05-20', '06-02')).body;
    expect(early.totals).toEqual({ people: 1 });
    expect(movesIn(early)).toEqual(['- > conversation: 1']);
    expect(early.data[5]).toEqual(row('advocacy', 0, 0, 0));
  });

  test('is local: in Tokyo the day of the 2nd ends nine hours earlier', async () => {
    const workspace = await TestWorkspace.make({ timezone: 'Asia/Tokyo' });
    await workspace.load('touchpoints', [
      said('in', 'ann', '06-02', { occurred_at: '2025-06-02T14:59:59.999Z' }),
      said('out', 'bob', '06-02', { occurred_at: '2025-06-02T15:00:00Z' }),
    ]);
    const { body } = await workspace.get('/v1/reports/lifecycle?from=2025-06-02&to=2025-06-03');
    expect(body.query).toMatchObject({ from: '2025-06-01T15:00:00.000Z', timezone: 'Asia/Tokyo' });
    expect(body.totals.people).toBe(1);
  });

  test('is 30 days if nothing is said', async () => {
    const { query } = (await (await prepare()).get('/v1/reports/lifecycle')).body;
    expect(new Date(query.to).getTime() - new Date(query.from).getTime()).toBe(30 * 86_400_000);
  });

  test.for([
    ['from=2025-06-01', '?to'],
    ['from=2025-06-02&to=2025-06-01', '?to'],
    ['range=fortnight', '?range'],
    ['scope=account', '?scope'],
    ['where[channel]=x', '?where[channel]'],
    ['format=xml', '?format'],
  ] as const)('or another parameter that does not fit is refused: %s', async ([query, pointer]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.get(`/v1/reports/lifecycle?${query}`);
    expectProblem(answer, 422, 'invalid_request', [pointer]);
  });
});

test('an empty workspace has six rows of zeros, no rates and no moves', async () => {
  const workspace = await TestWorkspace.make();
  const { body } = await workspace.get(REPORT);
  expect(body.totals).toEqual({ people: 0 });
  const stages = ['conversation', 'consideration', 'trial', 'purchase', 'loyalty', 'advocacy'];
  expect(body.data).toEqual(stages.map((stage) => row(stage, 0, 0, null)));
  expect(body.moves).toEqual([]);
});

test('who was only described is nobody of the report', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.load('people', [{ id: 'p', person: { user_id: 'ann', email: 'ann@a.example' } }]);
  expect((await workspace.get(REPORT)).body.totals).toEqual({ people: 0 });
});

test('a voided touchpoint and a retracted conversion never happened, not even the people of them', async () => {
  const workspace = await prepare();
  await workspace.ask('DELETE', '/v1/touchpoints/b1');
  await workspace.ask('DELETE', '/v1/touchpoints/c1');
  await workspace.post('/v1/conversions/s2/adjustments', {
    kind: 'retraction',
    occurred_at: '2025-09-01T00:00:00Z',
  });
  await workspace.post('/v1/conversions/s3/adjustments', { kind: 'restatement', value: 1 });
  const { body } = await workspace.get(REPORT);
  expect(body.totals).toEqual({ people: 2 });
  expect(countsIn(body)).toEqual([
    [0, 2],
    [0, 2],
    [1, 2],
    [0, 1],
    [1, 1],
    [0, 0],
  ]);
  expect(movesIn(body)).toEqual(['- > trial: 1', 'conversation > purchase: 1', 'purchase > loyalty: 1']);
});

test('a goal has the stage that it has now, archived or not', async () => {
  const workspace = await prepare();
  await workspace.ask('DELETE', '/v1/goals/purchase');
  expect(countsIn((await workspace.get(REPORT)).body)[4]).toEqual([1, 1]);
  await workspace.goal('purchase', { stage: 'consideration' });
  expect(countsIn((await workspace.get(REPORT)).body)).toEqual([
    [0, 2],
    [1, 2],
    [1, 1],
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
});

describe('an advocate', () => {
  test('who is erased stays one nameless advocate: no number moves', async () => {
    const workspace = await prepare();
    const before = (await workspace.get(REPORT)).body;
    const idOf = async (user_id: string) =>
      (await workspace.post('/v1/people/lookup', { person: { user_id } })).body.id;
    await workspace.ask('DELETE', `/v1/people/${await idOf('dan')}`);
    await workspace.ask('DELETE', `/v1/people/${await idOf('ann')}`);
    const after = (await workspace.get(REPORT)).body;
    expect({ totals: after.totals, data: after.data }).toEqual({ totals: before.totals, data: before.data });
    expect(after.data[5].reached).toBeGreaterThan(0);
  });

  test('who turns out to be the person referred is none', async () => {
    const workspace = await prepare();
    await workspace.load('people', [
      { id: 'p1', person: { user_id: 'eve', email: 'eve@e.example' } },
      { id: 'p2', person: { email: 'eve2@e.example' } },
    ]);
    const referred_by = { email: 'eve2@e.example' };
    await workspace.load('touchpoints', [said('e1', 'eve', '06-05', { direction: null, referred_by })]);
    expect((await workspace.get(REPORT)).body.data[5]).toEqual(row('advocacy', 2, 2, 2 / 6));
    await workspace.load('people', [{ id: 'p3', person: { user_id: 'eve', email: 'eve2@e.example' } }]);
    expect((await workspace.get(REPORT)).body.data[5]).toEqual(row('advocacy', 1, 1, 1 / 5));
  });
});

test('where what is old is deleted, a warning says so', async () => {
  const workspace = await prepare();
  await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: 3650 } });
  expect((await workspace.get(REPORT)).body.warnings).toMatchObject([{ code: 'outside_retention' }]);
});

describe('formats', () => {
  test('CSV and NDJSON hold the stages', async () => {
    const workspace = await prepare();
    expect((await workspace.get(`${REPORT}&format=csv`)).text.split('\r\n')).toEqual([
      'stage,people,reached,rate_from_previous',
      'conversation,0,2,',
      'consideration,0,2,1',
      'trial,1,2,1',
      'purchase,0,1,0.5',
      'loyalty,1,1,1',
      'advocacy,1,1,0.25',
      '',
    ]);
    const { text } = await workspace.get(`${REPORT}&format=ndjson`);
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toEqual((await workspace.get(REPORT)).body.data);
  });

  test('an answer is 304 while nothing changed, 200 after', async () => {
    const workspace = await prepare({ name: 'Kept' });
    const etag = (await workspace.get(REPORT)).headers.get('etag') ?? '';
    const headers = { authorization: `Bearer ${workspace.token}`, 'if-none-match': etag };
    expect((await fetch(world.url + REPORT, { headers })).status).toBe(304);
    await workspace.load('touchpoints', [said('new', 'fay', '06-20')]);
    expect((await fetch(world.url + REPORT, { headers })).status).toBe(200);
  });
});

describe('access', () => {
  test('needs the scope read', async () => {
    const workspace = await TestWorkspace.make();
    const { body } = await workspace.post('/v1/keys', { name: 'k', scopes: ['ingest', 'admin'] });
    expectProblem(await ask('GET', REPORT, { token: body.token }), 403, 'forbidden');
    expectProblem(await ask('GET', REPORT), 401, 'unauthenticated');
  });

  test('is to the own workspace: the same people, goals and ids elsewhere change nothing', async () => {
    const workspace = await prepare();
    const before = (await workspace.get(REPORT)).body;
    const other = await prepare();
    await other.load('touchpoints', [said('x1', 'dan', '06-05', { referred_by: { user_id: 'ann' } })]);
    await other.post('/v1/conversions/s1/adjustments', { kind: 'retraction' });
    expect((await workspace.get(REPORT)).body).toEqual(before);
    expect((await other.get(REPORT)).body).not.toEqual(before);
  });
});
