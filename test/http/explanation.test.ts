import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { creditsOf, daysBefore, SOLD_AT, sale, touch } from './items.ts';

/** The sum of the explanations of all conversions equals the report, and both have an ETag of their content. */

needWorld();

const RANGE = '/v1/reports/attribution?goal=purchase&from=2025-05-01&to=2025-07-01';
const MODELS = [
  'first_touch',
  'last_touch',
  'last_non_direct',
  'linear',
  'time_decay',
  'position_based',
  'j_shaped',
  'inverse_j_shaped',
  'custom',
  'w_shaped',
  'full_path',
];

/** Pseudo-random numbers below `n`, the same in every run. */
function sequence(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

/** 5 people, 80 touches, 25 sales, 15 milestones on few days, so that there are ties; some voided, restated, retracted. */
async function randomWorkspace(seed: number): Promise<TestWorkspace> {
  const next = sequence(seed);
  const person = () => ({ user_id: `u${next(5)}` });
  const pick = (values: Json[]) => values[next(values.length)];
  const touches = Array.from({ length: 80 }, (_, i) =>
    touch(`t${i}`, {
      person: person(),
      occurred_at: daysBefore(next(60)),
      channel: pick(['x', 'email', 'direct']),
      campaign: pick([null, 'spring']),
      kind: pick(['mention', 'visit', 'view']),
    }),
  );
  const sales = Array.from({ length: 25 }, (_, i) =>
    sale(`s${i}`, { person: person(), occurred_at: daysBefore(next(30)), value: next(10_000) / 100 }),
  );
  const steps = Array.from({ length: 15 }, (_, i) =>
    sale(`m${i}`, {
      person: person(),
      occurred_at: daysBefore(next(60)),
      goal: pick(['lead', 'opportunity']),
    }),
  );
  const workspace = await TestWorkspace.make();
  for (const goal of ['purchase', 'lead', 'opportunity']) await workspace.goal(goal);
  await workspace.load('touchpoints', touches);
  await workspace.load('conversions', [...sales, ...steps]);
  for (const i of [3, 13]) await workspace.ask('DELETE', `/v1/touchpoints/t${i}`);
  for (const id of ['s2', 's7', 'm0', 'm1'])
    await workspace.post(`/v1/conversions/${id}/adjustments`, { kind: 'retraction' });
  for (const i of [4, 9])
    await workspace.post(`/v1/conversions/s${i}/adjustments`, { kind: 'restatement', value: next(50) });
  return workspace;
}

describe('the sum of the credits of all explanations is the report,', () => {
  test.for([
    ['', 11],
    ['&journey=reset', 12],
    ['&lookback_days=7&half_life_days=1.5', 13],
    ['&where[campaign]=spring', 14],
    ['&where[campaign]=%5C0&journey=reset', 15],
    ['&where[kind]=view&lookback_days=30', 16],
    ['&group_by=channel,campaign,kind', 17],
  ] as const)('for every model and group, asked with "%s" (log %i)', async ([query, seed]) => {
    const workspace = await randomWorkspace(seed);
    const asked = `models=${MODELS.join(',')}&weights=3,1,2&milestones=lead,opportunity${query}`;
    const report = (await workspace.get(`${RANGE}&${asked}`)).body;
    const sums = new Map<string, number>();
    for (let i = 0; i < 25; i++) {
      const { considered, conversion } = (await workspace.get(`/v1/conversions/s${i}/explanation?${asked}`))
        .body;
      if (conversion.retracted) continue;
      for (const { group, credits } of considered) {
        for (const model of MODELS) {
          const key = `${model} ${Object.values(group).join(' ')}`;
          sums.set(key, (sums.get(key) ?? 0) + credits[model]);
        }
      }
    }
    const reported = MODELS.flatMap((model) =>
      Object.entries(creditsOf(report, model)).map(([group, value]) => [`${model} ${group}`, value] as const),
    );
    expect(reported.length).toBeGreaterThanOrEqual(MODELS.length);
    expect(reported.map(([key]) => key).sort()).toEqual([...sums.keys()].sort());
    for (const [key, value] of reported) expect(value, key).toBeCloseTo(sums.get(key) ?? Number.NaN, 6);
    const linear = report.data.reduce((total: number, row: Json) => total + row.credit.linear.value, 0);
    expect(linear + report.totals.unattributed.value).toBeCloseTo(report.totals.value, 6);
  });
});

test('the explanation of a retracted conversion credits nothing, and says that it does not count', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.touchpoints(touch('t', { occurred_at: daysBefore(1) }));
  await workspace.conversions(sale('s', { occurred_at: daysBefore(0) }));
  await workspace.post('/v1/conversions/s/adjustments', { id: 'r', kind: 'retraction' });
  const { conversion, considered } = (await workspace.get('/v1/conversions/s/explanation')).body;
  expect(conversion).toMatchObject({ value: 100, net_value: 0, retracted: true, counted: false });
  expect(considered).toMatchObject([{ id: 't', weights: { linear: 1 }, credits: { linear: 0 } }]);
});

describe('ETag:', () => {
  const prepare = async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(touch('t', { occurred_at: daysBefore(1) }));
    await workspace.conversions(sale('s', { occurred_at: daysBefore(0) }));
    return workspace;
  };

  test.for([RANGE, `${RANGE}&format=csv`, '/v1/conversions/s/explanation'])(
    '%s is 304 while nothing changed, 200 after',
    async (path) => {
      const workspace = await prepare();
      const first = await workspace.get(path);
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^W\/".+"$/);
      expect(first.headers.get('cache-control')).toContain('private');
      const headers = (tag: string) => ({ authorization: `Bearer ${workspace.token}`, 'if-none-match': tag });
      const ask = (tag: string) => fetch(world.url + path, { headers: headers(tag) });
      for (const tag of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
        const answer = await ask(tag);
        expect([answer.status, await answer.text()], tag).toEqual([304, '']);
        expect(answer.headers.get('etag')).toBe(etag);
      }
      expect((await ask('W/"other"')).status).toBe(200);
      await workspace.touchpoints(touch('new', { occurred_at: daysBefore(2), channel: 'email' }));
      const after = await ask(etag);
      expect(after.status).toBe(200);
      expect(after.headers.get('etag')).not.toBe(etag);
    },
  );

  test('another question, format or workspace has another tag', async () => {
    const [workspace, other] = await Promise.all([prepare(), prepare()]);
    await other.conversions(sale('s2', { occurred_at: daysBefore(0) }));
    const tagOf = async (w: TestWorkspace, query: string) => (await w.get(RANGE + query)).headers.get('etag');
    const tags = [
      await tagOf(workspace, ''),
      await tagOf(workspace, '&models=last_touch'),
      await tagOf(workspace, '&format=csv'),
      await tagOf(other, ''),
    ];
    expect(new Set(tags).size).toBe(4);
  });

  test('a problem is never 304', async () => {
    const workspace = await prepare();
    const answer = await workspace.ask('GET', `${RANGE}&limit=0`, { headers: { 'if-none-match': '*' } });
    expect(answer.status).toBe(422);
  });
});

test('without from and to the report is the last 30 days; range=7d the last 7, today included', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  await workspace.conversions(
    ...[0, 5, 8, 28, 32].map((days, i) => sale(`s${i}`, { occurred_at: ago(days), value: 10 ** i })),
  );
  const worth = async (query: string) =>
    (await workspace.get(`/v1/reports/attribution?goal=purchase${query}`)).body.totals.value;
  expect(await worth('')).toBe(1111);
  expect(await worth('&range=30d')).toBe(1111);
  expect(await worth('&range=7d')).toBe(11);
  expect(await worth('&range=90d')).toBe(11_111);
  expect(await worth('&range=12mo')).toBe(11_111);
});

test('of a journey of 1,500 touchpoints shows the first and the last 500, with the weights of the whole', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const count = 1500;
  await workspace.load(
    'touchpoints',
    Array.from({ length: count }, (_, i) =>
      touch(`t${String(i).padStart(4, '0')}`, {
        channel: i % 2 === 0 ? 'direct' : 'x',
        occurred_at: daysBefore(1, i * 1000),
      }),
    ),
  );
  await workspace.load('conversions', [sale('s', { occurred_at: SOLD_AT, value: 1500 })]);
  const models = 'first_touch,linear,time_decay,last_non_direct,position_based';
  const { body } = await workspace.get(`/v1/conversions/s/explanation?models=${models}`);
  expect(body.considered_count).toBe(count);
  expect(body.considered.map(({ id }: Json) => id)).toEqual(
    Array.from({ length: count }, (_, i) => `t${String(i).padStart(4, '0')}`).filter(
      (_, i) => i < 500 || i >= 1000,
    ),
  );
  expect(body.considered[0].weights).toMatchObject({
    first_touch: 1,
    linear: 1 / count,
    position_based: 0.4,
  });
  expect(body.considered[1].weights.position_based).toBeCloseTo(0.2 / (count - 2), 12);
  expect(body.considered.at(-1).weights).toMatchObject({ last_non_direct: 1, position_based: 0.4 });
  // Half-life 7 days: two touches a second apart differ by a factor of 2^(1 s / 7 d).
  const [one, two] = body.considered.map(({ weights }: Json) => weights.time_decay);
  expect(two / one).toBeCloseTo(2 ** (1 / (7 * 86_400)), 9);
});
