import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, sale, touch } from './items.ts';

/** The advocacy report from outside: counts, merges and erasures, formats, and rejected queries. */

needWorld();

const REPORT = '/v1/reports/advocacy?goal=purchase&from=2025-06-01&to=2025-07-01';
const on = (day: string) => `2025-${day}T12:00:00Z`;
const told = (id: string, user_id: string, advocate: string, day: string, changes: Json = {}) =>
  touch(id, { person: { user_id }, referred_by: { user_id: advocate }, occurred_at: on(day), ...changes });
const bought = (id: string, user_id: string, day: string, changes: Json = {}) =>
  sale(id, { person: { user_id }, occurred_at: on(day), ...changes });

/**
 * Dan refers Ann and Bob in June, and Eve refers Bob as well; Ann refers Cleo later. Ann buys for 30 in June and for
 * 20 in August, Bob for 50 before Dan referred him, and Zoe, whom nobody referred, for 20.
 */
async function prepare(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [
    told('a', 'ann', 'dan', '06-05'),
    told('b', 'bob', 'dan', '06-10'),
    told('e', 'bob', 'eve', '06-20', { kind: 'other' }),
    told('c', 'cleo', 'ann', '07-20'),
  ]);
  await workspace.load('conversions', [
    bought('s1', 'ann', '06-06', { value: 30 }),
    bought('s2', 'ann', '08-06', { value: 20 }),
    bought('s3', 'bob', '06-02', { value: 50 }),
    bought('s4', 'zoe', '06-03', { value: 20 }),
  ]);
  return workspace;
}

const idOf = async (workspace: TestWorkspace, user_id: string) =>
  (await workspace.post('/v1/people/lookup', { person: { user_id } })).body.id;
/** `referred, converted, value, second order` of each row. */
const countsIn = ({ data }: Json) =>
  data.map((row: Json) => [row.referred_people, row.converted_people, row.value, row.second_order_people]);

test('the report says who referred whom, what they brought, and the share of word of mouth', async () => {
  const workspace = await prepare();
  const { body, status } = await workspace.get(REPORT);
  expect(status).toBe(200);
  const [dan, eve] = [await idOf(workspace, 'dan'), await idOf(workspace, 'eve')];
  expect(body).toEqual({
    query: {
      goal: ['purchase'],
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-07-01T00:00:00.000Z',
      timezone: 'UTC',
      currency: 'USD',
      limit: 100,
    },
    observational: true,
    totals: {
      advocates: 2,
      referred_people: 2,
      converted_people: 1,
      value: 50,
      second_order_people: 1,
      currency: 'USD',
      all: { conversions: 3, value: 100 },
      word_of_mouth: { conversions: 1, value: 30 },
      share_of_conversions: 1 / 3,
      share_of_value: 0.3,
    },
    data: [
      { person_id: dan, referred_people: 2, converted_people: 1, value: 50, second_order_people: 1 },
      { person_id: eve, referred_people: 1, converted_people: 0, value: 0, second_order_people: 0 },
    ],
    warnings: [],
  });
});

test('the range has its start and not its end; only the first referral of two people is one', async () => {
  const workspace = await prepare();
  const from = (start: string, end: string) =>
    workspace.get(`/v1/reports/advocacy?goal=purchase&from=${on(start)}&to=${on(end)}`);
  await workspace.load('touchpoints', [told('a2', 'ann', 'dan', '06-15')]);
  expect(countsIn((await from('06-05', '06-10')).body)).toEqual([[1, 1, 50, 1]]);
  expect(countsIn((await from('06-10', '06-20')).body)).toEqual([[1, 0, 0, 0]]);
});

test('a limit cuts the rows, and no total', async () => {
  const workspace = await prepare();
  const { totals } = (await workspace.get(REPORT)).body;
  const { body } = await workspace.get(`${REPORT}&limit=1`);
  expect(countsIn(body)).toEqual([[2, 1, 50, 1]]);
  expect(body.totals).toEqual(totals);
});

test('two who refer each other are advocates of one each, without a second order', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [told('1', 'ann', 'bob', '06-05'), told('2', 'bob', 'ann', '06-05')]);
  const { body } = await workspace.get(REPORT);
  expect(countsIn(body)).toEqual([
    [1, 0, 0, 0],
    [1, 0, 0, 0],
  ]);
  const ids = body.data.map(({ person_id }: Json) => person_id);
  expect(ids).toEqual(ids.toSorted());
});

describe('an advocate', () => {
  test('who turns out to be two is one; who turns out to be the person referred is none', async () => {
    const workspace = await prepare();
    await workspace.load('people', [{ id: 'h', person: { handle: 'dan-e', email: 'd@d.example' } }]);
    await workspace.load('touchpoints', [
      touch('z', { person: { user_id: 'zoe' }, occurred_at: on('06-01'), referred_by: { handle: 'dan-e' } }),
    ]);
    expect(countsIn((await workspace.get(REPORT)).body)).toHaveLength(3);
    await workspace.load('people', [{ id: 'l', person: { user_id: 'dan', email: 'd@d.example' } }]);
    expect(countsIn((await workspace.get(REPORT)).body)).toEqual([
      [3, 2, 70, 1],
      [1, 0, 0, 0],
    ]);
    const other = await prepare();
    await other.load('touchpoints', [
      touch('y', { person: { user_id: 'zoe' }, occurred_at: on('06-01'), referred_by: { handle: 'zoe2' } }),
    ]);
    expect((await other.get(REPORT)).body.totals.advocates).toBe(3);
    await other.load('people', [{ id: 'l', person: { user_id: 'zoe', handle: 'zoe2' } }]);
    expect((await other.get(REPORT)).body.totals).toMatchObject({
      advocates: 2,
      word_of_mouth: { conversions: 1, value: 30 },
    });
  });

  test.for(['dan', 'eve', 'ann'])(
    'who is erased (%s) stays one nameless advocate: no number moves',
    async (who) => {
      const workspace = await prepare();
      const before = (await workspace.get(REPORT)).body;
      const id = await idOf(workspace, who);
      await workspace.ask('DELETE', `/v1/people/${id}`);
      const after = (await workspace.get(REPORT)).body;
      expect({ totals: after.totals, counts: countsIn(after) }).toEqual({
        totals: before.totals,
        counts: countsIn(before),
      });
      const ids = after.data.map((row: Json) => row.person_id);
      expect(ids).not.toContain(id);
      for (const one of ids) {
        const { body } = await workspace.get(`/v1/people/${one}`);
        expect(
          body.identities.map(({ namespace }: Json) => namespace).filter((n: string) => n !== 'user_id'),
        ).toEqual([]);
      }
    },
  );

  test('who is erased twice is still one nameless advocate', async () => {
    const workspace = await prepare();
    const before = (await workspace.get(REPORT)).body;
    await workspace.ask('DELETE', `/v1/people/${await idOf(workspace, 'dan')}`);
    const nameless = (await workspace.get(REPORT)).body.data[0].person_id;
    expect((await workspace.ask('DELETE', `/v1/people/${nameless}`)).status).toBe(200);
    const after = (await workspace.get(REPORT)).body;
    expect(after.totals).toEqual(before.totals);
    expect(after.data[0].person_id).not.toBe(nameless);
  });
});

test('a voided referral and a retracted conversion never happened; a restated one is worth what it says', async () => {
  const workspace = await prepare();
  await workspace.ask('DELETE', '/v1/touchpoints/e');
  await workspace.post('/v1/conversions/s2/adjustments', { kind: 'retraction' });
  await workspace.post('/v1/conversions/s1/adjustments', { kind: 'restatement', value: 12.5 });
  const { body } = await workspace.get(REPORT);
  expect(countsIn(body)).toEqual([[2, 1, 12.5, 1]]);
  expect(body.totals.all).toEqual({ conversions: 3, value: 82.5 });
});

test('values are in the currency asked; one without a rate is said, and counts', async () => {
  const workspace = await prepare();
  await workspace.load('conversions', [
    bought('e1', 'bob', '06-25', { value: 10, currency: 'EUR' }),
    bought('e2', 'bob', '09-25', { value: 10, currency: 'EUR' }),
  ]);
  await rowsOf(
    `insert into fx_rates (workspace_id, date, "from", "to", rate) values ($1, '2025-06-25', 'EUR', 'USD', 2)`,
    [workspace.id],
  );
  const { body } = await workspace.get(REPORT);
  expect(body.totals).toMatchObject({ converted_people: 2, value: 70, all: { conversions: 4, value: 120 } });
  expect(body.warnings).toEqual([
    { code: 'missing_fx_rate', detail: expect.stringMatching(/^1 conversions/) },
  ]);
});

test('without any conversion there is no share, and without any referral no row', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const { body, text } = await workspace.get(REPORT);
  expect(body.data).toEqual([]);
  expect(body.totals).toMatchObject({ advocates: 0, share_of_conversions: null, share_of_value: null });
  expect(text).not.toContain('NaN');
});

test('conversions that are worth nothing have a share, and no share of value', async () => {
  const workspace = await prepare();
  await workspace.goal('lead');
  await workspace.load('conversions', [bought('l', 'ann', '06-07', { goal: 'lead', value: 0 })]);
  const { totals } = (await workspace.get(REPORT.replace('purchase', 'lead'))).body;
  expect(totals).toMatchObject({ share_of_conversions: 1, share_of_value: null });
  const both = (await workspace.get(REPORT.replace('purchase', 'lead,purchase'))).body.totals;
  expect(both.all.conversions).toBe(4);
});

test('where what is old is deleted, a warning says so', async () => {
  const workspace = await prepare();
  await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: 3650 } });
  expect((await workspace.get(REPORT)).body.warnings).toMatchObject([{ code: 'outside_retention' }]);
});

test('CSV and NDJSON hold the advocates; an answer is 304 while nothing changed', async () => {
  const workspace = await prepare();
  const lines = (await workspace.get(`${REPORT}&format=csv`)).text.split('\r\n');
  expect(lines[0]).toBe('person_id,referred_people,converted_people,value,second_order_people');
  expect(lines[1]).toBe(`${await idOf(workspace, 'dan')},2,1,50,1`);
  const { text } = await workspace.get(`${REPORT}&format=ndjson`);
  expect(text.trimEnd().split('\n')).toHaveLength(2);
  const etag = (await workspace.get(REPORT)).headers.get('etag') ?? '';
  const headers = { authorization: `Bearer ${workspace.token}`, 'if-none-match': etag };
  expect((await fetch(world.url + REPORT, { headers })).status).toBe(304);
});

describe('refused is', () => {
  test.for([
    ['limit=0', '?limit'],
    ['limit=1001', '?limit'],
    ['group_by=channel', '?group_by'],
    ['currency=ZZZ', '?currency'],
    ['range=7d', '?range'],
    ['goal=', '?goal'],
  ] as const)('%s', async ([query, pointer]) => {
    const workspace = await prepare();
    expectProblem(await workspace.get(`${REPORT}&${query}`), 422, 'invalid_request', [pointer]);
  });

  test('a goal that does not exist', async () => {
    const workspace = await prepare();
    expectProblem(await workspace.get(`${REPORT}&goal=nowhere`), 422, 'unknown_goal', ['?goal']);
  });

  test('a caller without the scope read; and another workspace changes nothing', async () => {
    const workspace = await prepare();
    const { body } = await workspace.post('/v1/keys', { name: 'k', scopes: ['ingest', 'admin'] });
    expectProblem(await ask('GET', REPORT, { token: body.token }), 403, 'forbidden');
    const before = (await workspace.get(REPORT)).body;
    const other = await prepare();
    await other.load('touchpoints', [told('x', 'zoe', 'ann', '06-01')]);
    await other.post('/v1/conversions/s1/adjustments', { kind: 'retraction' });
    expect((await workspace.get(REPORT)).body).toEqual(before);
    expect((await other.get(REPORT)).body.totals).not.toEqual(before.totals);
  });
});
