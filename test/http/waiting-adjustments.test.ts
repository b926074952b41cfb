import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { runSchedule } from '../../src/schedule.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, idsIn, sale, statusesOf } from './items.ts';

/** An adjustment may come before its conversion. It waits 30 days and counts from when the conversion is stored. */

needWorld();

const HALF = { id: 'a', kind: 'restatement', value: 50, occurred_at: '2025-06-02T00:00:00Z' };
const adjust = (workspace: TestWorkspace, body: Json = HALF, id = 's') =>
  workspace.post(`/v1/conversions/${id}/adjustments`, body);
const waiting = (workspace: TestWorkspace) =>
  rowsOf('select id from adjustments where workspace_id = $1 and waiting_since is not null order by id', [
    workspace.id,
  ]);
const stored = (workspace: TestWorkspace) =>
  rowsOf('select id from adjustments where workspace_id = $1 order by id', [workspace.id]);
const runHourly = () =>
  runSchedule({ database_url: world.connectionString, root_key: '', identity_secret: '' }, undefined, 5000);

async function withGoal() {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  return workspace;
}

describe('an adjustment whose conversion is not there yet', () => {
  test('is 404 that says how long it waits, a duplicate when sent again, and counts when the conversion comes', async () => {
    const workspace = await withGoal();
    const first = await adjust(workspace);
    expectProblem(first, 404, 'not_found');
    expect(first.body.detail).toContain('30 days');
    expect(statusesOf(await adjust(workspace))).toEqual(['duplicate']);
    expectProblem(await adjust(workspace, { ...HALF, value: 51 }), 422, 'no_item_accepted');
    expectProblem(await workspace.get('/v1/conversions/s/adjustments'), 404, 'not_found');
    expect(await idsIn(workspace, '/v1/rejections')).toHaveLength(1);
    await workspace.conversions(sale('s'));
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject({ value: 100, net_value: 50 });
    expect((await workspace.get('/v1/conversions/s/adjustments')).body.data).toMatchObject([
      { id: 'a', value: 50 },
    ]);
    const report = await workspace.get('/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-07-01');
    expect(report.body.totals).toMatchObject({ gross_value: 100, value: 50 });
  });

  test('is accepted by a replay, as in a batch, with a warning that has a code', async () => {
    const workspace = await withGoal();
    await adjust(workspace, { ...HALF, value: 51 });
    await adjust(workspace);
    // Release 0.1.0 kept such an adjustment as a rejection.
    await rowsOf('delete from adjustments where workspace_id = $1', [workspace.id]);
    const [id] = await idsIn(workspace, '/v1/rejections');
    const { status, body } = await workspace.post(`/v1/rejections/${id}/replay`, undefined);
    expect([status, body.results]).toEqual([
      200,
      [
        {
          index: 0,
          id: 'a',
          status: 'accepted',
          warnings: [
            {
              code: 'waiting_for_conversion',
              pointer: '/conversion_id',
              detail: expect.stringContaining('30 days'),
            },
          ],
        },
      ],
    ]);
    expect(await waiting(workspace)).toEqual([{ id: 'a' }]);
    expect(await idsIn(workspace, '/v1/rejections')).toEqual([]);
  });

  test('of a dry run is 404 too, and is not stored', async () => {
    const workspace = await withGoal();
    const answer = await workspace.post('/v1/conversions/s/adjustments?dry_run=true', HALF);
    expectProblem(answer, 404, 'not_found');
    expect(answer.body.detail).toContain('Without dry_run');
    expect(await stored(workspace)).toEqual([]);
  });

  test('whose id no conversion can have is 404 and is not stored', async () => {
    const workspace = await withGoal();
    expectProblem(await adjust(workspace, HALF, 'x'.repeat(256)), 404, 'not_found');
    expectProblem(await adjust(workspace, HALF, 'x'.repeat(255)), 404, 'not_found');
    expect(await stored(workspace)).toEqual([{ id: 'a' }]);
  });

  test('is deleted after 30 days, unless the conversion has come', async () => {
    const workspace = await withGoal();
    await adjust(workspace, { ...HALF, id: 'old' }, 'never');
    await adjust(workspace, { ...HALF, id: 'old but needed' }, 'late');
    await workspace.conversions(sale('late'), sale('there'));
    await adjust(workspace, { ...HALF, id: 'never waited' }, 'there');
    await rowsOf(
      "update adjustments set waiting_since = waiting_since - interval '30 days' where workspace_id = $1",
      [workspace.id],
    );
    await adjust(workspace, { ...HALF, id: 'young' }, 'never');
    await runHourly();
    expect(await stored(workspace)).toEqual([
      { id: 'never waited' },
      { id: 'old but needed' },
      { id: 'young' },
    ]);
    expect(await waiting(workspace)).toEqual([{ id: 'young' }]);
    expect((await workspace.get('/v1/conversions/late')).body.net_value).toBe(50);
  });
});

describe.runIf(world.database === 'postgres')('a conversion that is being stored meanwhile', () => {
  /** Runs `work` on a connection of its own in an open transaction, then `meanwhile`, then commits. */
  async function around(work: (client: pg.Client) => Promise<unknown>, meanwhile: () => Promise<void>) {
    const [row] = await rowsOf('select current_database()::text as name', []);
    const server = new URL(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres');
    server.pathname = `/${row?.name}`;
    const client = new pg.Client({ connectionString: server.href });
    await client.connect();
    try {
      await client.query('begin');
      await work(client);
      await meanwhile();
      await client.query('commit');
    } finally {
      await client.end();
    }
  }

  test('gets the adjustment that did not see it', async () => {
    const workspace = await withGoal();
    await workspace.conversions(sale('model'));
    const insert = (client: pg.Client) =>
      client.query(
        `insert into conversions (workspace_id, id, goal, person_id, identity_id, occurred_at, value, currency)
         select workspace_id, 's', goal, person_id, identity_id, occurred_at, value, currency
         from conversions where workspace_id = $1`,
        [workspace.id],
      );
    await around(insert, async () => expectProblem(await adjust(workspace), 404, 'not_found'));
    expect(await waiting(workspace)).toEqual([{ id: 'a' }]);
    expect((await workspace.get('/v1/conversions/s')).body.net_value).toBe(50);
  });

  test('gets the adjustment that it did not see', async () => {
    const workspace = await withGoal();
    const insert = (client: pg.Client) =>
      client.query(
        `insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash, waiting_since)
         values ($1, 'a', 's', 'retraction', now(), '', now())`,
        [workspace.id],
      );
    await around(insert, async () => {
      expect(statusesOf(await workspace.conversions(sale('s')))).toEqual(['accepted']);
    });
    expect((await workspace.get('/v1/conversions/s')).body).toMatchObject({ retracted: true, net_value: 0 });
  });
});
