import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, touch } from './items.ts';
import { readToken, readWith } from './tokens.ts';

/** Funnels under a read token: its `where` applies to every touchpoint step and exclusion, sent or saved. */

needWorld();

const RANGE = { from: '2025-06-01', to: '2025-07-01' };
const day = (n: number) => `2025-06-0${n}T12:00:00Z`;
const STEPS = [{ touchpoint: { kind: ['mention'] } }, { touchpoint: { kind: ['reply'] } }];
const FUNNEL = { steps: STEPS, window_seconds: 864_000 };

/** Ann and bob go from mention to reply on x, cid by e-mail; bob viewed a page by e-mail in between. */
async function prepare(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const at = (user: string, n: number, kind: string, channel: string) =>
    touch(`${user}-${n}`, { person: { user_id: user }, occurred_at: day(n), kind, channel });
  await workspace.load('touchpoints', [
    at('ann', 1, 'mention', 'x'),
    at('ann', 3, 'reply', 'x'),
    at('bob', 1, 'mention', 'x'),
    at('bob', 2, 'view', 'email'),
    at('bob', 3, 'reply', 'x'),
    at('cid', 1, 'mention', 'email'),
    at('cid', 3, 'reply', 'email'),
  ]);
  return workspace;
}

const tokenOf = (workspace: TestWorkspace, changes: Json = {}) =>
  readToken(workspace, { reports: ['funnel'], where: { channel: ['x'] }, ...changes });

const countsOf = (body: Json) => body.data.map((row: Json) => row.count);

async function sent(token: string, changes: Json = {}): Promise<Json> {
  const answer = await readWith(token, 'POST', '/v1/reports/funnel', { ...FUNNEL, ...RANGE, ...changes });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

describe('a funnel that is sent', () => {
  test('counts the 2 of x where a key counts 3, whatever channel it asks for', async () => {
    const workspace = await prepare();
    const { body } = await workspace.post('/v1/reports/funnel', { ...FUNNEL, ...RANGE });
    expect(countsOf(body)).toEqual([3, 3]);
    const token = await tokenOf(workspace);
    expect(countsOf(await sent(token))).toEqual([2, 2]);
    const asked = (channel: string[]) => ({
      steps: STEPS.map(({ touchpoint }) => ({ touchpoint: { ...touchpoint, channel } })),
    });
    expect(countsOf(await sent(token, asked(['email', 'x'])))).toEqual([2, 2]);
    const none = await sent(token, asked(['email']));
    expect(countsOf(none)).toEqual([0, 0]);
    expect(none.data[0].name).toBe('mention, channel nothing');
  });

  test('has its exclusions narrowed: what lies outside excludes nobody, and so tells nothing', async () => {
    const workspace = await prepare();
    const exclude = [{ touchpoint: { kind: ['view'] } }];
    const { body } = await workspace.post('/v1/reports/funnel', { ...FUNNEL, ...RANGE, exclude });
    expect(countsOf(body)).toEqual([3, 2]);
    expect(countsOf(await sent(await tokenOf(workspace), { exclude }))).toEqual([2, 2]);
  });

  test('has the scope of the token', async () => {
    const token = await tokenOf(await prepare(), { where: undefined, scope: 'account' });
    expect((await sent(token, { scope: 'person' })).query.scope).toBe('account');
  });

  test.for<[string, Json]>([
    ['strict, which looks at everything in between', { order: 'strict' }],
    ['beginning with a conversion', { steps: [{ conversion: { goal: ['purchase'] } }, ...STEPS] }],
    [
      'in any order with a conversion',
      { steps: [...STEPS, { conversion: { goal: ['purchase'] } }], order: 'any' },
    ],
  ])(
    'is 403 where a step could be reached without a touchpoint of the token: %s',
    async ([_what, changes]) => {
      const workspace = await prepare();
      const token = await tokenOf(workspace);
      const body = { ...FUNNEL, ...RANGE, ...changes };
      expectProblem(await readWith(token, 'POST', '/v1/reports/funnel', body), 403, 'forbidden');
      await workspace.ask('PUT', '/v1/funnels/kept', { body: { name: 'Kept', ...FUNNEL, ...changes } });
      const path = '/v1/funnels/kept/report?from=2025-06-01&to=2025-07-01';
      expectProblem(await readWith(token, 'GET', path), 403, 'forbidden');
      expect((await workspace.get(path)).status).toBe(200);
    },
  );
});

test('a saved funnel is narrowed too, also right after a key asked for all of it, and as CSV', async () => {
  const workspace = await prepare();
  await workspace.ask('PUT', '/v1/funnels/kept', { body: { name: 'Kept', ...FUNNEL } });
  const path = '/v1/funnels/kept/report?from=2025-06-01&to=2025-07-01';
  const token = await tokenOf(workspace);
  for (let i = 0; i < 2; i++) {
    expect(countsOf((await workspace.get(path)).body)).toEqual([3, 3]);
    expect(countsOf((await readWith(token, 'GET', path)).body)).toEqual([2, 2]);
  }
  const byDay = (await readWith(token, 'GET', `${path}&interval=month`)).body;
  expect(countsOf(byDay)).toEqual([2, 2]);
  const grouped = (await readWith(token, 'GET', `${path}&breakdown=channel`)).body;
  expect(grouped.breakdown.map((row: Json) => row.group)).toEqual([{ channel: 'x' }]);
  const { text } = await readWith(token, 'GET', `${path}&format=csv`);
  expect(text.split('\r\n')[1]).toContain(',2,');
});
