import papaparse from 'papaparse';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { daysBefore, expectProblem, pointersOf, sale, touch } from './items.ts';

/** The journeys report compared with the attribution report of the same query, and its parameters. */

needWorld();

const RANGE = 'goal=purchase&from=2025-06-01&to=2025-07-01';
const REPORT = `/v1/reports/journeys?${RANGE}`;

/** Pseudo-random numbers below `n`, the same in every run. */
function sequence(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

/** 9 people at 2 accounts or none, 120 touches, 40 sales and leads; some voided, restated, retracted, in euros. */
async function fill(workspace: TestWorkspace): Promise<void> {
  const next = sequence(7);
  const pick = (values: Json[]) => values[next(values.length)];
  const who = () => {
    const user = next(9);
    return {
      person: { user_id: `u${user}` },
      ...(user % 3 > 0 && { account: { id: `account-${user % 3}` } }),
    };
  };
  for (const goal of ['purchase', 'lead']) await workspace.goal(goal);
  const touches = Array.from({ length: 120 }, (_, i) =>
    touch(`t${i}`, {
      ...who(),
      occurred_at: daysBefore(next(60)),
      channel: pick(['x', 'email', 'direct', 'call']),
      campaign: pick([null, 'spring']),
      kind: pick(['mention', 'visit', 'reply', 'view']),
    }),
  );
  const sales = Array.from({ length: 40 }, (_, i) =>
    sale(`s${i}`, {
      ...who(),
      occurred_at: daysBefore(next(50)),
      goal: pick(['purchase', 'purchase', 'lead']),
      value: next(10_000) / 100,
      currency: pick(['USD', 'USD', 'USD', 'EUR']),
      properties: { plan: pick(['pro', 'free']) },
    }),
  );
  await workspace.load('touchpoints', touches);
  await workspace.load('conversions', sales);
  for (const id of ['t3', 't50']) await workspace.ask('DELETE', `/v1/touchpoints/${id}`);
  for (const id of ['s1', 's9', 's20', 's31'])
    await workspace.post(`/v1/conversions/${id}/adjustments`, { kind: 'retraction' });
  for (const id of ['s2', 's12', 's22'])
    await workspace.post(`/v1/conversions/${id}/adjustments`, { kind: 'restatement', value: 3.21 });
}

let workspace: TestWorkspace;
beforeAll(async () => {
  if (world.missing !== null) return;
  workspace = await TestWorkspace.make();
  await fill(workspace);
});

const sum = (rows: Json[], of: (row: Json) => number) => rows.reduce((total, row) => total + of(row), 0);

describe('every conversion of the attribution report is in exactly one path', () => {
  test.for([
    '',
    '&collapse=false',
    '&group_by=channel,campaign',
    '&group_by=campaign&collapse=false&limit=2',
    '&scope=account&group_by=channel,kind,campaign',
    '&scope=account&journey=reset&lookback_days=10',
    '&journey=reset',
    '&lookback_days=1',
    '&where[channel]=x,email',
    '&where[kind]=view',
    '&where_conversion[properties.plan]=pro',
    '&goal=lead&currency=EUR',
  ])('with "%s"', async (query) => {
    const asked = `${RANGE}${query}`;
    const report = (await workspace.get(`/v1/reports/journeys?${asked}`)).body;
    const same = asked.replace(/&(collapse|limit)=\w+/g, '');
    const models = 'first_touch,last_touch';
    const attribution = (await workspace.get(`/v1/reports/attribution?${same}&models=${models}`)).body;
    const { conversions, value, attributed, unattributed, currency } = attribution.totals;
    expect(conversions).toBeGreaterThan(0);
    expect(report.totals).toMatchObject({ conversions, value, attributed, unattributed, currency });
    expect(sum(report.data, (row) => row.converted)).toBe(conversions);
    expect(sum(report.data, (row) => row.value)).toBeCloseTo(value, 6);
    expect(sum(report.data, (row) => row.not_converted)).toBe(report.totals.not_converted);
    const measured = sum(report.path_length.buckets, (bucket) => bucket.journeys);
    expect(measured).toBe(attributed.conversions);
    if (query.includes('limit')) return;
    const unseen = report.data.find((row: Json) => row.path?.length === 0);
    expect(unseen?.converted ?? 0).toBe(unattributed.conversions);
    expect(unseen?.value ?? 0).toBeCloseTo(unattributed.value, 6);
    compareEnds(report, attribution);
  });
});

/**
 * First and last touch credit of a group is the number of paths that begin and end with it; influenced, that contain
 * it.
 */
function compareEnds(report: Json, attribution: Json): void {
  const { group_by } = attribution.query;
  for (const { group, influenced_conversions, credit } of attribution.data) {
    const values = group_by.map((dimension: string) => group[dimension]);
    const wanted = JSON.stringify(values.length === 1 ? values[0] : values);
    const converted = (is: (path: string[]) => boolean) =>
      sum(report.data, (row) =>
        is(row.path.map((value: Json) => JSON.stringify(value))) ? row.converted : 0,
      );
    expect(converted((path) => path[0] === wanted)).toBe(credit.first_touch.conversions);
    expect(converted((path) => path.at(-1) === wanted)).toBe(credit.last_touch.conversions);
    expect(converted((path) => path.includes(wanted))).toBe(influenced_conversions);
  }
}

test('sales without a rate count, their value does not, and a warning says how many', async () => {
  const { body } = await workspace.get(REPORT);
  expect(body.warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
});

test.for([
  ['?from=2025-06-01&to=2025-07-01', '?goal'],
  [`?${RANGE}&group_by=colour`, '?group_by'],
  [`?${RANGE}&group_by=channel,channel`, '?group_by'],
  [`?${RANGE}&group_by=channel,source,medium,kind`, '?group_by'],
  [`?${RANGE}&limit=0`, '?limit'],
  [`?${RANGE}&limit=10001`, '?limit'],
  [`?${RANGE}&min_touches=-1`, '?min_touches'],
  [`?${RANGE}&max_touches=-1`, '?max_touches'],
  [`?${RANGE}&max_touches=1.5`, '?max_touches'],
  [`?${RANGE}&max_touches=3000000000`, '?max_touches'],
  [`?${RANGE}&min_touches=3&max_touches=2`, '?max_touches'],
  [`?${RANGE}&collapse=yes`, '?collapse'],
  [`?${RANGE}&models=linear`, '?models'],
  [`?${RANGE}&lookback_days=0`, '?lookback_days'],
  [`?${RANGE}&scope=planet`, '?scope'],
  [`?${RANGE}&where[colour]=red`, '?where[colour]'],
  [`?${RANGE}&where_conversion[goal]=x`, '?where_conversion[goal]'],
] as const)('%s is 422 and names %s', async ([query, pointer]) => {
  const answer = await workspace.get(`/v1/reports/journeys${query}`);
  expectProblem(answer, 422, 'invalid_request');
  expect(pointersOf(answer.body.errors)).toContain(pointer);
});

test('an unknown goal is 422 unknown_goal, beside a known one too', async () => {
  const answer = await workspace.get(REPORT.replace('purchase', 'purchase,nowhere'));
  expectProblem(answer, 422, 'unknown_goal', ['?goal']);
});

test('CSV and NDJSON hold the rows of data; a path is one cell of JSON', async () => {
  const { data } = (await workspace.get(`${REPORT}&limit=2`)).body;
  const lines = (await workspace.get(`${REPORT}&limit=2&format=ndjson`)).text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(data);
  const { text } = await workspace.get(`${REPORT}&limit=2&format=csv`);
  const table = papaparse.parse<Record<string, string>>(text.trimEnd(), { header: true }).data;
  expect(table.map((row) => row.path)).toEqual(
    data.map(({ path }: Json) => (path === null ? '' : JSON.stringify(path))),
  );
  expect(table.map((row) => Number(row.converted))).toEqual(data.map((row: Json) => row.converted));
  expect(table.at(-1)).toMatchObject({ path: '', other: 'true' });
});

test('what has not changed is 304', async () => {
  const first = await workspace.get(REPORT);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^W\//);
  const again = (path: string) => workspace.ask('GET', path, { headers: { 'if-none-match': etag } });
  expect((await again(REPORT)).status).toBe(304);
  expect((await again(`${REPORT}&collapse=false`)).status).toBe(200);
});

test('a key without the scope read is refused, and another workspace sees nothing of this one', async () => {
  const made = await workspace.post('/v1/keys', { name: 'i', scopes: ['ingest'] });
  expectProblem(await ask('GET', REPORT, { token: made.body.token }), 403, 'forbidden');
  const other = await TestWorkspace.make();
  await other.goal('purchase');
  const { body } = await other.get(REPORT);
  expect(body).toMatchObject({ data: [], transitions: [], totals: { conversions: 0, not_converted: 0 } });
});

test('one round trip answers it, once the key is known', async () => {
  await workspace.get(REPORT);
  expect((await workspace.get(REPORT)).headers.get('server-timing')).toContain('calls=1"');
});
