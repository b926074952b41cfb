import { expect, test } from 'vitest';
import { runSchedule } from '../../src/schedule.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const idsOf = ({ body }: { body: Json }) => body.data.map((row: Json) => row.id).sort();

/** Conversions 29 and 31 days old, touchpoints 394 and 396 days old. */
async function filled(settings: Record<string, unknown>) {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  const person = { x: 'ann' };
  await workspace.load(
    'touchpoints',
    [394, 396].map((days) => ({
      id: `t${days}`,
      kind: 'visit',
      channel: 'x',
      person,
      occurred_at: daysAgo(days),
    })),
  );
  await workspace.load(
    'conversions',
    [29, 31].map((days) => ({
      id: `c${days}`,
      goal: 'purchase',
      value: 1,
      person,
      occurred_at: daysAgo(days),
    })),
  );
  for (const id of ['c29', 'c31'])
    await workspace.post(`/v1/conversions/${id}/adjustments`, {
      id: `a-${id}`,
      kind: 'restatement',
      value: 2,
    });
  return workspace;
}

test('with retention_days 30, conversions go after 30 days with their adjustments, touchpoints after 395; without, nothing goes', async () => {
  const [kept30, keptAll] = [await filled({ retention_days: 30 }), await filled({})];
  const config = { database_url: world.connectionString, root_key: '', identity_secret: '' };
  await runSchedule(config, undefined, 5000);
  await runSchedule(config, undefined, 5000);
  expect(idsOf(await kept30.get('/v1/conversions'))).toEqual(['c29']);
  expect(idsOf(await kept30.get('/v1/touchpoints'))).toEqual(['t394']);
  expect(await rowsOf('select id from adjustments where workspace_id = $1', [kept30.id])).toEqual([
    { id: 'a-c29' },
  ]);
  expect(idsOf(await keptAll.get('/v1/conversions'))).toEqual(['c29', 'c31']);
  expect(idsOf(await keptAll.get('/v1/touchpoints'))).toEqual(['t394', 't396']);
});

test('replaced items of pages go with rows of their kind, and what keys recorded goes after a day', async () => {
  const { id } = await filled({ retention_days: 30 });
  await rowsOf(
    `insert into replaced_items (workspace_id, resource, id, occurred_at, was)
    select $1, kind, kind || days, now() - make_interval(days => days), '{}'
    from unnest(array['conversions', 'touchpoints', 'people']) kind, unnest(array[29, 31, 394, 396]) days`,
    [id],
  );
  await rowsOf(
    `insert into key_usage (workspace_id, key_id, day, slot)
    select $1, 'k', (now() at time zone 'UTC')::date - age, 1 from unnest(array[0, 1, 2]) age`,
    [id],
  );
  await runSchedule(
    { database_url: world.connectionString, root_key: '', identity_secret: '' },
    undefined,
    5000,
  );
  const kept = await rowsOf('select id from replaced_items where workspace_id = $1 order by id', [id]);
  expect(kept.map((row) => row.id)).toEqual([
    'conversions29',
    ...['people29', 'people31', 'people394'],
    ...['touchpoints29', 'touchpoints31', 'touchpoints394'],
  ]);
  expect(await rowsOf('select day from key_usage where workspace_id = $1', [id])).toHaveLength(2);
});

test('a report that reaches further back than the retention says so; one that does not is silent', async () => {
  const workspace = await filled({});
  const warningsOf = async (from: string) => {
    const path = `/v1/reports/attribution?goal=purchase&from=${from}&to=${daysAgo(0)}`;
    return (await workspace.get(path)).body.warnings.map((warning: Json) => warning.code);
  };
  expect(await warningsOf(daysAgo(40))).toEqual([]);
  expect(
    (await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: 30 } })).body.retention_days,
  ).toBe(30);
  expect(await warningsOf(daysAgo(40))).toEqual(['outside_retention']);
  expect(await warningsOf(daysAgo(20))).toEqual([]);
  expect(
    (await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: null } })).body.retention_days,
  ).toBeNull();
  expect(await warningsOf(daysAgo(40))).toEqual([]);
});

test.for([0, -1, 1.5, 40_000, '30'])('retention_days %j is refused', async (retention_days) => {
  const workspace = await TestWorkspace.make();
  const { status, body } = await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days } });
  expect([status, body.errors[0].pointer]).toEqual([422, '/retention_days']);
});
