import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { creditsOf, daysBefore, expectProblem, SOLD_AT, sale, touch } from './items.ts';
import { REPORT_PATHS, readToken, readWith } from './tokens.ts';

/** A read token narrows every report that it opens, whatever the query, and shows nothing outside. */

needWorld();

const RANGE = 'from=2025-06-01&to=2025-07-01';
const ATTRIBUTION = `/v1/reports/attribution?goal=purchase&${RANGE}`;
const JOURNEYS = `/v1/reports/journeys?goal=purchase&${RANGE}`;
const ROI = `/v1/reports/roi?goal=purchase&${RANGE}`;
const ALL = Object.keys(REPORT_PATHS);

const by = (user: string) => ({ person: { user_id: user } });
const seen = (id: string, user: string, days: number, changes: Json = {}) =>
  touch(id, { ...by(user), occurred_at: daysBefore(days), ...changes });
const bought = (id: string, value: number, plan: string) =>
  sale(id, { ...by(id), occurred_at: SOLD_AT, value, properties: { plan } });

const SENT = { kind: 'message', direction: 'outbound' };

/**
 * Ann came by x and e-mail, bob by e-mail, cid without a touchpoint; dan by x, retracted; eve by x, without a
 * purchase.
 */
async function prepare(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make({ currency: 'EUR' });
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [
    seen('ann-x', 'ann', 5, { conversation: { id: 'c1' }, direction: 'inbound' }),
    seen('ann-mail', 'ann', 3, { channel: 'email', ...SENT }),
    seen('ann-x-sent', 'ann', 2, SENT),
    seen('ann-old-mail', 'ann', 300, { channel: 'email' }),
    seen('bob-mail', 'bob', 4, { channel: 'email', conversation: { id: 'c2' }, direction: 'inbound' }),
    seen('dan-x', 'dan', 4),
    seen('eve-x', 'eve', 2),
  ]);
  await workspace.load('conversions', [
    bought('ann', 100, 'pro'),
    bought('bob', 40, 'free'),
    bought('cid', 7, 'pro'),
    bought('dan', 20, 'pro'),
  ]);
  await workspace.post('/v1/conversions/dan/adjustments', { id: 'a', kind: 'retraction' });
  await workspace.load('spend', [
    { id: 'sx', from: '2025-06-01', to: '2025-06-01', channel: 'x', amount: 10 },
    { id: 'sm', from: '2025-06-01', to: '2025-06-01', channel: 'email', amount: 90 },
  ]);
  return workspace;
}

const X_ONLY = { reports: ALL, where: { channel: ['x'] } };
const get = async (token: string, path: string): Promise<Json> => {
  const answer = await readWith(token, 'GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};

describe('where: x alone', () => {
  test('attribution holds conversions with x in their journey: 1 of 3, 100 of 147, gross 100 + 20', async () => {
    const workspace = await prepare();
    expect((await workspace.get(ATTRIBUTION)).body.totals).toMatchObject({ conversions: 3, value: 147 });
    const token = await readToken(workspace, X_ONLY);
    const report = await get(token, `${ATTRIBUTION}&interval=month`);
    const totals = {
      conversions: 1,
      value: 100,
      gross_conversions: 2,
      gross_value: 120,
      attributed: { conversions: 1, value: 100 },
    };
    const { by_interval, currency, ...rest } = report.totals;
    expect(rest).toEqual(totals);
    expect(by_interval).toEqual([{ interval: '2025-06-01', ...totals }]);
    expect(creditsOf(report)).toEqual({ x: 100 });
    expect(report.query.where).toEqual({ channel: ['x'] });
  });

  test.for([
    ['where[channel]=email', 0],
    ['where[channel]=email,x', 1],
    ['where[channel]=', 0],
    ['where[kind]=mention', 1],
    ['where[kind]=reply', 0],
  ] as const)('and asked with %s: %i conversions', async ([asked, conversions]) => {
    const token = await readToken(await prepare(), X_ONLY);
    const report = await get(token, `${ATTRIBUTION}&${asked}`);
    expect(report.totals).toMatchObject({ conversions, value: conversions * 100 });
    expect(Object.keys(creditsOf(report))).toEqual(conversions === 0 ? [] : ['x']);
  });

  test('agrees with what the key sees as attributed, under every scope, policy and model', async () => {
    const workspace = await prepare();
    const token = await readToken(workspace, X_ONLY);
    for (const more of [
      '',
      '&scope=account',
      '&journey=reset',
      '&lookback_days=1',
      '&models=time_decay,j_shaped',
    ]) {
      const path = ATTRIBUTION + more;
      const { body } = await workspace.get(`${path}&where[channel]=x`);
      const report = await get(token, path);
      expect(report.totals.attributed).toEqual(body.totals.attributed);
      expect(report.totals.conversions).toBe(body.totals.attributed.conversions);
      expect(report.data).toEqual(body.data);
    }
  });

  test('journeys: one path [x], 1 converted, dan and eve not', async () => {
    const token = await readToken(await prepare(), X_ONLY);
    const report = await get(token, JOURNEYS);
    expect(report.totals).toEqual({
      conversions: 1,
      value: 100,
      currency: 'EUR',
      attributed: { conversions: 1, value: 100 },
      not_converted: 2,
    });
    expect(report.data).toEqual([{ path: ['x'], converted: 1, not_converted: 2, value: 100 }]);
  });

  test('return on spend: the 10 of x, and nothing of the 90 of e-mail', async () => {
    const token = await readToken(await prepare(), X_ONLY);
    const report = await get(token, ROI);
    expect(report.totals).toMatchObject({
      spend: 10,
      conversions: 1,
      value: 100,
      gross_value: 120,
      roas: 10,
    });
    expect(report.totals).not.toHaveProperty('unattributed');
    expect(report.data.map((row: Json) => row.group.channel)).toEqual(['x']);
  });

  test('an explanation tells of x alone, and a conversion without x is not there', async () => {
    const workspace = await prepare();
    const whole = (await workspace.get('/v1/conversions/ann/explanation?where[channel]=x')).body;
    expect(whole.left_out_counts).toEqual({ filtered: 1, outside_lookback: 1 });
    const token = await readToken(workspace, X_ONLY);
    const report = await get(token, '/v1/conversions/ann/explanation');
    expect(report.considered.map(({ id }: Json) => id)).toEqual(['ann-x', 'ann-x-sent']);
    expect([report.left_out, report.left_out_counts]).toEqual([[], {}]);
    for (const id of ['bob', 'cid', 'nobody']) {
      expectProblem(await readWith(token, 'GET', `/v1/conversions/${id}/explanation`), 404, 'not_found');
    }
  });

  test('conversations: those that x opened', async () => {
    const workspace = await prepare();
    const path = `/v1/reports/conversations?${RANGE}`;
    expect((await workspace.get(path)).body.totals.conversations).toBe(2);
    const token = await readToken(workspace, X_ONLY);
    expect((await get(token, path)).totals.conversations).toBe(1);
    expect((await get(token, `${path}&where[channel]=email`)).totals.conversations).toBe(0);
  });
});

test('CSV and NDJSON are narrowed too, and the ETag of one narrowing is none of another', async () => {
  const workspace = await prepare();
  const [narrow, wide] = [await readToken(workspace, X_ONLY), await readToken(workspace, { reports: ALL })];
  for (const format of ['csv', 'ndjson']) {
    const { text } = await readWith(narrow, 'GET', `${ATTRIBUTION}&format=${format}`);
    expect(text).toContain('x');
    expect(text).not.toContain('email');
  }
  const etag = (await readWith(wide, 'GET', ATTRIBUTION)).headers.get('etag') ?? '';
  const status = async (token: string) =>
    (await readWith(token, 'GET', ATTRIBUTION, undefined, { 'if-none-match': etag })).status;
  expect([await status(wide), await status(narrow)]).toEqual([304, 200]);
});

test('an explanation tells who converted only where the narrowing does not hide it', async () => {
  const workspace = await TestWorkspace.make({ currency: 'EUR' });
  await workspace.goal('purchase');
  const account = { domain: 'acme.example' };
  // The account of ann is known from an e-mail alone, and is the reason why eve's touchpoint counts for her purchase.
  await workspace.load('touchpoints', [
    seen('ann-mail', 'ann', 9, { channel: 'email', account }),
    seen('eve-mail', 'eve', 9, { channel: 'email', account }),
    seen('ann-x', 'ann', 5),
    seen('eve-x', 'eve', 4),
  ]);
  await workspace.load('conversions', [bought('ann', 100, 'pro')]);
  const path = '/v1/conversions/ann/explanation';
  const whole = (await workspace.get(path)).body;
  const ids = { person_id: expect.any(String), account_id: 'acme.example' };
  expect(whole.conversion).toMatchObject(ids);
  expect(whole.left_out_counts).toEqual({ other_person_of_account: 2 });
  const cases: [narrowing: Json, shown: string[], colleagues: number][] = [
    [{}, ['person_id', 'account_id'], 2],
    [{ where: { channel: ['x'] } }, [], 1],
    [{ where_conversion: { 'properties.plan': ['pro'] } }, [], 2],
    [{ scope: 'person' }, ['person_id'], 0],
    [{ scope: 'account' }, ['account_id'], 0],
    [{ where: { channel: ['x'] }, scope: 'person' }, [], 0],
  ];
  for (const [narrowing, shown, colleagues] of cases) {
    const { conversion, left_out } = await get(
      await readToken(workspace, { reports: ALL, ...narrowing }),
      path,
    );
    expect([narrowing, Object.keys(ids).filter((name) => name in conversion)]).toEqual([narrowing, shown]);
    expect([narrowing, left_out.length]).toEqual([narrowing, colleagues]);
  }
  // Every other report that a narrowed token opens tells of groups alone.
  const token = await readToken(workspace, X_ONLY);
  for (const [method, report, body] of Object.values(REPORT_PATHS)) {
    const { text } = await readWith(token, method, report, body);
    expect([report, text.includes(whole.conversion.person_id), text.includes('acme.example')]).toEqual([
      report,
      false,
      false,
    ]);
  }
});

test('where_conversion: pro alone, whatever is asked; the conversion of another plan is not there', async () => {
  const workspace = await prepare();
  const where_conversion = { 'properties.plan': ['pro'] };
  const token = await readToken(workspace, { reports: ALL, where_conversion });
  // Cid has the plan pro too, and no journey.
  for (const path of [ATTRIBUTION, JOURNEYS, ROI]) {
    expect((await get(token, path)).totals).toMatchObject({ conversions: 1, value: 100 });
    const free = await get(token, `${path}&where_conversion[properties.plan]=free`);
    expect(free.totals).toMatchObject({ conversions: 0, value: 0 });
  }
  await get(token, '/v1/conversions/ann/explanation');
  expectProblem(await readWith(token, 'GET', '/v1/conversions/bob/explanation'), 404, 'not_found');
});

test('scope is what the token says, whatever is asked', async () => {
  const workspace = await prepare();
  const token = await readToken(workspace, { reports: ALL, scope: 'account' });
  for (const path of [ATTRIBUTION, JOURNEYS, ROI])
    expect((await get(token, `${path}&scope=person`)).query.scope).toBe('account');
  const explained = await get(token, '/v1/conversions/ann/explanation?scope=person');
  expect(explained.settings.scope).toBe('account');
  expectProblem(await readWith(token, 'GET', `/v1/reports/lifecycle?${RANGE}`), 403, 'forbidden');
  const people = await readToken(workspace, { reports: ALL, scope: 'person' });
  await get(people, `/v1/reports/lifecycle?${RANGE}`);
  expect((await get(people, `${ATTRIBUTION}&scope=account`)).query.scope).toBe('person');
});

describe('a report that cannot be narrowed so is 403 and says so:', () => {
  test.for<[Json, string[]]>([
    [{ where: { channel: ['x'] } }, ['lifecycle', 'cultivation', 'advocacy', 'overview']],
    [{ where: { kind: ['mention'] } }, ['lifecycle', 'cultivation', 'advocacy', 'overview', 'roi']],
    [
      { where_conversion: { currency: ['EUR'] } },
      ['funnel', 'lifecycle', 'conversations', 'cultivation', 'advocacy', 'overview'],
    ],
    [{ scope: 'account' }, ['lifecycle', 'conversations', 'cultivation', 'advocacy', 'overview']],
  ])('%j: %j', async ([narrowing, refused]) => {
    const workspace = await prepare();
    await workspace.conversions(sale('s', { ...by('ann'), occurred_at: SOLD_AT }));
    const token = await readToken(workspace, { reports: ALL, ...narrowing });
    for (const [report, [method, path, body]] of Object.entries(REPORT_PATHS)) {
      const answer = await readWith(token, method, path, body);
      if (!refused.includes(report)) expect(answer.status, answer.text).toBe(200);
      else {
        expectProblem(answer, 403, 'forbidden');
        expect(answer.body.detail).toContain(Object.keys(narrowing)[0]);
      }
    }
  });
});
