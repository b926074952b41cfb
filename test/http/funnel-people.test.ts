import papaparse from 'papaparse';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { sale, touch } from './items.ts';

/** The people behind the numbers of a funnel, under both scopes, and funnels by interval. */

needWorld();

const FUNNEL = {
  from: '2025-06-01',
  to: '2025-06-08',
  steps: [{ touchpoint: { kind: ['mention'] } }, { conversion: { goal: ['purchase'] } }],
  window_seconds: 604_800,
};

const by = (user_id: string, day: number) => ({
  person: { user_id },
  occurred_at: `2025-06-0${day}T00:00:00Z`,
});
const mentioned = (who: string, day = 1) => touch(`m-${who}-${day}`, by(who, day));
const bought = (who: string, day = 2) => sale(`s-${who}-${day}`, by(who, day));

async function idOf(workspace: TestWorkspace, user_id: string): Promise<string> {
  return (await workspace.post('/v1/people/lookup', { person: { user_id } })).body.id;
}

const people = (workspace: TestWorkspace, changes: Json, query = '') =>
  workspace.post(`/v1/reports/funnel/people${query}`, { ...FUNNEL, ...changes });

async function entitiesOf(workspace: TestWorkspace, changes: Json, limit = 1000): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body, status, text } = await people(workspace, changes, `?limit=${limit}${next}`);
    expect(status, text).toBe(200);
    expect(body.data.length).toBeLessThanOrEqual(limit);
    ids.push(...body.data.map(({ person_id, account_id }: Json) => account_id ?? person_id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  return ids;
}

/** Ann and Bob buy, Cat, Dan and Fay do not; Eve buys without a mention. */
let log: TestWorkspace;
const id: Record<string, string> = {};
beforeAll(async () => {
  if (world.missing !== null) return;
  log = await TestWorkspace.make();
  await log.goal('purchase');
  await log.touchpoints(...['ann', 'bob', 'cat', 'dan', 'fay'].map((who) => mentioned(who)));
  await log.conversions(...['ann', 'bob', 'eve'].map((who) => bought(who)));
  for (const who of ['ann', 'bob', 'cat', 'dan', 'eve', 'fay']) id[who] = await idOf(log, who);
});
const idsOf = (...names: string[]) => names.map((name) => id[name] ?? '').sort();

describe('the list of people', () => {
  test.for<[number, string, string[]]>([
    [1, 'reached', ['ann', 'bob', 'cat', 'dan', 'fay']],
    [2, 'reached', ['ann', 'bob']],
    [2, 'dropped', ['cat', 'dan', 'fay']],
  ])('has who of step %i %s, by id', async ([step, state, names]) => {
    expect(await entitiesOf(log, { step, state })).toEqual(idsOf(...names));
    const { data } = (await log.post('/v1/reports/funnel', FUNNEL)).body;
    const before = step === 1 ? 0 : data[step - 2].count;
    const here = data[step - 1].count;
    expect(names).toHaveLength(state === 'reached' ? here : before - here);
  });

  test.for([1, 2, 4, 5])('is the same in pages of %i', async (limit) => {
    const whole = idsOf('ann', 'bob', 'cat', 'dan', 'fay');
    expect(await entitiesOf(log, { step: 1, state: 'reached' }, limit)).toEqual(whole);
  });

  test('says whether there is more, and links to it', async () => {
    const asked = { step: 2, state: 'reached' };
    const first = await people(log, asked, '?limit=1');
    expect(first.body).toMatchObject({ has_more: true, data: [{ account_id: null }] });
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await log.post(next, { ...FUNNEL, ...asked });
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
    expect([...first.body.data, ...second.body.data].map(({ person_id }) => person_id)).toEqual(
      idsOf('ann', 'bob'),
    );
    expect((await people(log, asked, '?limit=2')).body).toMatchObject({ has_more: false, next_cursor: null });
  });

  test('takes the body of the report as it is', async () => {
    const whole = {
      step: 2,
      state: 'reached',
      count: 'completions',
      breakdown: { by: ['channel'], at_step: 1 },
      currency: 'EUR',
      compare: 'previous_period',
    };
    expect(await entitiesOf(log, whole)).toEqual(idsOf('ann', 'bob'));
  });

  test('comes as CSV', async () => {
    const { text } = await people(log, { step: 2, state: 'reached' }, '?format=csv');
    const { data } = papaparse.parse<Json>(text.trimEnd(), { header: true });
    expect(data).toEqual(idsOf('ann', 'bob').map((person_id) => ({ person_id, account_id: '' })));
  });
});

describe('with the scope of accounts', () => {
  let company: TestWorkspace;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    if (world.missing !== null) return;
    company = await TestWorkspace.make();
    await company.goal('purchase');
    const account = (id: string) => ({ account: { id } });
    await company.touchpoints(
      { ...mentioned('ann'), ...account('acme') },
      { ...mentioned('lee'), ...account('Zeta') },
      mentioned('solo'),
    );
    await company.conversions({ ...bought('bob'), ...account('acme') }, bought('solo', 3));
    ids.solo = await idOf(company, 'solo');
  });
  const countsOf = async (scope: string) =>
    (await company.post('/v1/reports/funnel', { ...FUNNEL, scope })).body.data.map(
      ({ count }: Json) => count,
    );

  test('what a colleague did counts, and who has no account is alone', async () => {
    expect(await countsOf('person')).toEqual([3, 1]);
    expect(await countsOf('account')).toEqual([3, 2]);
  });

  test.for([1, 10])('the list has accounts, and people without one, by id, in pages of %i', async (limit) => {
    const solo = ids.solo ?? '';
    const asked = { scope: 'account', step: 1, state: 'reached' };
    expect(await entitiesOf(company, asked, limit)).toEqual([solo, 'Zeta', 'acme'].sort());
    const { body } = await people(company, asked);
    expect(body.data).toContainEqual({ person_id: null, account_id: 'acme' });
    expect(body.data).toContainEqual({ person_id: solo, account_id: null });
    expect(await entitiesOf(company, { ...asked, step: 2, state: 'dropped' })).toEqual(['Zeta']);
  });
});

describe('a saved funnel by interval', () => {
  const rowsOf = async (workspace: TestWorkspace, query: string) => {
    const answer = await workspace.get(`/v1/funnels/main/report?${query}`);
    expect(answer.status, answer.text).toBe(200);
    const rows: Json[] = answer.body.data;
    const days = Map.groupBy(rows, ({ interval }) => interval);
    const { started, completed } = answer.body.totals;
    return {
      totals: [started, completed],
      counts: Object.fromEntries([...days].map(([day, steps]) => [day, steps.map(({ count }) => count)])),
    };
  };

  async function workspaceOf(touches: Json[], sales: Json[], settings: Json = {}): Promise<TestWorkspace> {
    const workspace = await TestWorkspace.make(settings);
    await workspace.goal('purchase');
    await workspace.touchpoints(...touches);
    if (sales.length > 0) await workspace.conversions(...sales);
    const { from: _from, to: _to, ...definition } = FUNNEL;
    await workspace.ask('PUT', '/v1/funnels/main', { body: { name: 'Main', ...definition } });
    return workspace;
  }

  test('has a chain where it begins, who begins twice in both, and days without any', async () => {
    const workspace = await workspaceOf(
      [mentioned('ann', 1), mentioned('bob', 1), mentioned('ann', 3)],
      [bought('ann', 4)],
    );
    expect(await rowsOf(workspace, 'from=2025-06-01&to=2025-06-05&interval=day')).toEqual({
      totals: [2, 1],
      counts: {
        '2025-06-01': [2, 1],
        '2025-06-02': [0, 0],
        '2025-06-03': [1, 1],
        '2025-06-04': [0, 0],
      },
    });
    // 1 June 2025 is a Sunday; the second of the two weeks is clipped to the range.
    expect((await rowsOf(workspace, 'from=2025-06-01&to=2025-06-04&interval=week')).counts).toEqual({
      '2025-05-26': [2, 1],
      '2025-06-02': [1, 1],
    });
    expect((await rowsOf(workspace, 'from=2025-06-02&to=2025-06-04&interval=month')).counts).toEqual({
      '2025-06-01': [1, 1],
    });
  });

  test('has local days, of 23 hours where the clocks go forward and of 25 where they go back', async () => {
    const at = (who: string, occurred_at: string) => touch(who, { person: { user_id: who }, occurred_at });
    const workspace = await workspaceOf(
      [
        at('before', '2025-03-29T22:59:59.999Z'),
        at('first', '2025-03-29T23:00:00Z'),
        at('last', '2025-03-30T21:59:59.999Z'),
        at('after', '2025-03-30T22:00:00Z'),
        at('autumn-first', '2025-10-25T22:00:00Z'),
        at('autumn-last', '2025-10-26T22:59:59.999Z'),
        at('autumn-after', '2025-10-26T23:00:00Z'),
      ],
      [],
      { timezone: 'Europe/Berlin' },
    );
    const spring = 'from=2025-03-29&to=2025-04-01&interval=day';
    expect((await rowsOf(workspace, spring)).counts).toEqual({
      '2025-03-29': [1, 0],
      '2025-03-30': [2, 0],
      '2025-03-31': [1, 0],
    });
    expect((await rowsOf(workspace, 'from=2025-10-26&to=2025-10-28&interval=day')).counts).toEqual({
      '2025-10-26': [2, 0],
      '2025-10-27': [1, 0],
    });
    expect((await rowsOf(workspace, `${spring}&timezone=UTC`)).counts).toEqual({
      '2025-03-29': [2, 0],
      '2025-03-30': [2, 0],
      '2025-03-31': [0, 0],
    });
  });

  test('comes as CSV, a line for each step of each interval', async () => {
    const workspace = await workspaceOf([mentioned('ann', 1)], []);
    const { text } = await workspace.get(
      '/v1/funnels/main/report?from=2025-06-01&to=2025-06-03&interval=day&format=csv',
    );
    const { data } = papaparse.parse<Json>(text.trimEnd(), { header: true });
    expect(data.map(({ interval, step, count }: Json) => [interval, step, count])).toEqual([
      ['2025-06-01', '1', '1'],
      ['2025-06-01', '2', '0'],
      ['2025-06-02', '1', '0'],
      ['2025-06-02', '2', '0'],
    ]);
  });
});
