import { beforeAll, expect, test } from 'vitest';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** A statement of merges that would read the whole workspace without its index, as in `migrations/functions`. */

needWorld();

const PEOPLE = 20_000;

let workspace: TestWorkspace;
beforeAll(async () => {
  if (world.missing !== null) return;
  workspace = await TestWorkspace.make();
  await rowsOf(
    'insert into people (workspace_id, id) select $1::uuid, gen_random_uuid() from generate_series(1, $2::int)',
    [workspace.id, String(PEOPLE)],
  );
});

test('who merged before is found by an index when the survivor merges too', async () => {
  const rows = await rowsOf(
    `explain
    update people p set merged_into = moved.survivor
    from unnest(array[gen_random_uuid()], array[gen_random_uuid()]) moved (loser, survivor)
    where p.workspace_id = (select $1::uuid) and (p.id = moved.loser or p.merged_into = moved.loser)`,
    [workspace.id],
  );
  const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
  expect(plan).toContain('people_merged');
  expect(plan).not.toContain('Seq Scan on people');
});
