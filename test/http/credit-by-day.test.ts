import { expect, test, vi } from 'vitest';
import { openDatabases } from '../../src/db/client.ts';
import { settleCredit } from '../../src/stats/kept/settle-credit.ts';
import { type Answer, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { readToken, readWith } from './tokens.ts';

needWorld();

const MODELS =
  'first_touch,last_touch,last_non_direct,linear,time_decay,position_based,j_shaped,inverse_j_shaped';
const JUNE = `/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01&models=${MODELS}`;

/** The days that a response read from sums, the open ones, and the conversions that it computed. */
function timingOf({ headers }: Answer) {
  const timing = headers.get('server-timing') ?? '';
  const [, calls] = /desc="calls=(\d+)"/.exec(timing) ?? [];
  const part = (name: string) => Number(new RegExp(`${name};desc="(\\d+)"`).exec(timing)?.[1]);
  return { calls: Number(calls), kept: part('kept'), open: part('open'), raw: part('raw') };
}

/** The response of a report once its sums are kept, and how it was made. */
async function keptReport(workspace: TestWorkspace, path: string, kept: number) {
  return vi.waitFor(
    async () => {
      const answer = await workspace.get(path);
      expect(timingOf(answer)).toMatchObject({ kept });
      return answer;
    },
    { timeout: 20_000, interval: 100 },
  );
}

const ann = { user_id: 'ann' };

/** Two purchases of Ann in June, with two touchpoints before the first one and one more before the second. */
async function filled(settings: Record<string, unknown> = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase', { lookback_days: 30 });
  await workspace.touchpoints(
    { id: 't1', kind: 'visit', channel: 'x', occurred_at: '2025-06-01T10:00:00Z', person: ann },
    { id: 't2', kind: 'visit', channel: 'email', occurred_at: '2025-06-09T10:00:00Z', person: ann },
    { id: 't3', kind: 'visit', channel: 'x', occurred_at: '2025-06-19T10:00:00Z', person: ann },
  );
  await workspace.conversions(
    { id: 'c1', goal: 'purchase', occurred_at: '2025-06-10T10:00:00Z', person: ann, value: 100 },
    { id: 'c2', goal: 'purchase', occurred_at: '2025-06-20T10:00:00Z', person: ann, value: 60 },
  );
  return workspace;
}

test('a report that is asked again is read from sums, in one call to the database, and says so', async () => {
  const workspace = await filled();
  const first = await workspace.get(JUNE);
  expect(timingOf(first)).toMatchObject({ calls: 1, kept: 0, open: 0, raw: 2 });
  expect(timingOf(await workspace.get(JUNE))).toMatchObject({ calls: 1, kept: 0, raw: 2 });

  const kept = await keptReport(workspace, JUNE, 30);
  expect(timingOf(kept)).toMatchObject({ calls: 1, open: 0, raw: 0 });
  expect(kept.body).toEqual(first.body);
  expect(kept.body.data).toMatchObject([
    { group: { channel: 'x' }, touchpoints: 2, influenced_conversions: 2, assisted_conversions: 1 },
    { group: { channel: 'email' }, touchpoints: 1, influenced_conversions: 2, assisted_conversions: 1 },
  ]);
  expect(kept.headers.get('etag')).toBe(first.headers.get('etag'));

  // Fewer models, another currency and each interval are of the same sums.
  const others = ['&models=linear', '&currency=EUR', '&interval=week', '&interval=day', '&interval=month'];
  for (const other of others)
    expect(timingOf(await workspace.get(JUNE.replace(/&models=.*/, '') + other))).toMatchObject({
      kept: 30,
      raw: 0,
    });
});

test('a new conversion leaves the sums of its day good; a late touchpoint opens a day, which is settled after', async () => {
  const workspace = await filled();
  await workspace.get(JUNE);
  await workspace.get(JUNE);
  await keptReport(workspace, JUNE, 30);

  await workspace.conversions({
    id: 'c3',
    goal: 'purchase',
    occurred_at: '2025-06-20T12:00:00Z',
    person: ann,
    value: 10,
  });
  const added = await workspace.get(JUNE);
  expect(timingOf(added)).toMatchObject({ kept: 30, open: 0, raw: 1 });
  expect(added.body.totals).toMatchObject({ conversions: 3, value: 170 });
  // The new conversion has the same touchpoints as the one of the same day.
  expect(added.body.data).toMatchObject([
    { group: { channel: 'x' }, touchpoints: 2, influenced_conversions: 3 },
    { group: { channel: 'email' }, touchpoints: 1, influenced_conversions: 3 },
  ]);

  await workspace.touchpoints({
    id: 'late',
    kind: 'visit',
    channel: 'email',
    occurred_at: '2025-06-05T10:00:00Z',
    person: ann,
  });
  const late = await workspace.get(JUNE);
  expect(timingOf(late)).toMatchObject({ kept: 28, open: 2, raw: 3 });
  expect(late.body.data).toMatchObject([
    { group: { channel: 'x' }, touchpoints: 2, credit: { linear: { conversions: 1.333333333 } } },
    { group: { channel: 'email' }, touchpoints: 2, credit: { linear: { conversions: 1.666666667 } } },
  ]);
});

test('a touchpoint that records a conversion leaves the sums of its day good', async () => {
  const workspace = await filled();
  await workspace.goal('purchase', { lookback_days: 30, match: { touchpoints: [{ kind: ['demo'] }] } });
  for (let time = 0; time < 2; time++) await workspace.get(JUNE);
  await keptReport(workspace, JUNE, 30);
  const bob = { user_id: 'bob' };
  await workspace.touchpoints({
    id: 'd',
    kind: 'demo',
    channel: 'x',
    occurred_at: '2025-06-12T10:00:00Z',
    person: bob,
  });
  const recorded = await workspace.get(JUNE);
  expect(timingOf(recorded)).toMatchObject({ kept: 30, open: 0, raw: 1 });
  expect(recorded.body.totals).toMatchObject({ conversions: 3, attributed: { conversions: 2 } });
});

test('what another range, zone or policy cannot take from sums is computed', async () => {
  const workspace = await filled();
  for (let time = 0; time < 2; time++) await workspace.get(JUNE);
  await keptReport(workspace, JUNE, 30);
  const models = `&models=${MODELS}`;
  const asked = {
    '&from=2025-06-01&to=2025-06-20T11:00:00Z': { kept: 19, raw: 1 },
    '&from=2025-06-10T09:00:00Z&to=2025-07-01': { kept: 0, raw: 2 },
    '&from=2025-06-01&to=2025-07-01&timezone=Asia/Tokyo': { kept: Number.NaN },
    '&from=2025-06-01&to=2025-07-01&journey=reset': { kept: Number.NaN },
    '&from=2025-06-01&to=2025-07-01&where[channel]=x': { kept: 0, raw: 2 },
    '&from=2025-06-01&to=2025-07-01&lookback_days=5': { kept: 0, raw: 2 },
  };
  for (const [query, timing] of Object.entries(asked)) {
    const answer = await workspace.get(`/v1/reports/attribution?goal=purchase${query}${models}`);
    expect({ query, ...timingOf(answer) }).toMatchObject({ query, ...timing });
    expect(answer.body.totals.conversions).toBe(2);
  }
});

test('a narrowed read token learns of no conversion that it does not show, from sums or rows', async () => {
  const workspace = await filled();
  await workspace.conversions({
    id: 'hidden',
    goal: 'purchase',
    occurred_at: '2025-06-15T10:00:00Z',
    person: { user_id: 'bob' },
    value: 5,
  });
  const token = await readToken(workspace, { reports: ['attribution'], where: { channel: ['email'] } });
  const first = await readWith(token, 'GET', JUNE);
  expect(first.body.totals).toMatchObject({ conversions: 2 });
  expect(timingOf(first)).toMatchObject({ kept: 0, raw: 2 });
  await readWith(token, 'GET', JUNE);
  const kept = await vi.waitFor(
    async () => {
      const answer = await readWith(token, 'GET', JUNE);
      expect(timingOf(answer)).toMatchObject({ kept: 30, raw: 0 });
      return answer;
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(kept.body).toEqual(first.body);
});

test('groups beyond the limit are one row with exact figures, whatever the sums', async () => {
  const workspace = await filled();
  for (let time = 0; time < 2; time++) await workspace.get(JUNE);
  const [first, folded] = (await keptReport(workspace, JUNE, 30)).body.data;
  const limited = await workspace.get(`${JUNE}&limit=1`);
  expect(timingOf(limited)).toMatchObject({ kept: 0, raw: 2 });
  expect(limited.body.data).toEqual([first, { ...folded, group: null, other: true }]);
});

test('a changed lookback is in the next report, and is settled again', async () => {
  const workspace = await filled();
  for (let time = 0; time < 2; time++) await workspace.get(JUNE);
  await keptReport(workspace, JUNE, 30);
  await workspace.goal('purchase', { lookback_days: 5 });
  const shorter = await workspace.get(JUNE);
  expect(timingOf(shorter)).toMatchObject({ kept: 0, raw: 2 });
  expect(shorter.body.data).toMatchObject([
    { group: { channel: 'email' }, touchpoints: 1, influenced_conversions: 1 },
    { group: { channel: 'x' }, touchpoints: 1, influenced_conversions: 1 },
  ]);
  // Few conversions are settled by the hourly trigger, and only one step of a workspace runs at a time.
  const database = openDatabases(world.connectionString).inWorkspace(workspace.id);
  const settled = await vi.waitFor(
    async () => {
      await settleCredit(database, workspace.id, { question_id: null, min_age_seconds: 0 }, 20_000);
      const answer = await workspace.get(JUNE);
      expect(timingOf(answer)).toMatchObject({ kept: 30, raw: 0 });
      return answer;
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(settled.body).toEqual(shorter.body);
});

test('a deleted workspace leaves no sums', async () => {
  const workspace = await filled();
  for (let time = 0; time < 2; time++) await workspace.get(JUNE);
  await keptReport(workspace, JUNE, 30);
  const { status } = await fetch(`${world.url}/v1/workspaces/${workspace.id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${world.rootKey}` },
  });
  expect(status).toBe(200);
  for (const table of ['horizons', 'questions', 'days', 'months', 'totals', 'cells', 'marks'])
    expect(await rowsOf(`select from credit_${table} where workspace_id = $1`, [workspace.id])).toEqual([]);
});
