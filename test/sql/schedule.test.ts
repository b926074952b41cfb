import { expect, test } from 'vitest';
import { runSchedule } from '../../src/schedule.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

test('rejections of 31 days ago are gone after the hourly run, those of 29 days ago stay', async () => {
  const config = { database_url: world.connectionString, root_key: '', identity_secret: '' };
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints({ id: 'old' }, { id: 'young' });
  const age = (id: string, days: number) =>
    rowsOf(
      'update rejections set received_at = now() - make_interval(days => $3::int) where workspace_id = $1 and item_id = $2',
      [workspace.id, id, days],
    );
  await age('old', 31);
  await age('young', 29);
  // An expired rejection is hidden even before the run.
  expect(
    (await workspace.get('/v1/rejections')).body.data.map((row: { item_id: string }) => row.item_id),
  ).toEqual(['young']);
  await runSchedule(config);
  const left = await rowsOf('select item_id from rejections where workspace_id = $1', [workspace.id]);
  expect(left).toEqual([{ item_id: 'young' }]);
});
