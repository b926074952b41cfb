import { expect, test } from 'vitest';
import { runSchedule, type Step, takeTurns } from '../../src/schedule.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const config = { database_url: world.connectionString, root_key: '', identity_secret: '' };

test('rejections of 31 days ago are gone after the hourly run, those of 29 days ago stay', async () => {
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
  await runSchedule(config, undefined, 5000);
  const left = await rowsOf('select item_id from rejections where workspace_id = $1', [workspace.id]);
  expect(left).toEqual([{ item_id: 'young' }]);
});

test('a run goes on until everything is gone, of several workspaces and kinds', async () => {
  const workspaces = [await TestWorkspace.make(), await TestWorkspace.make()];
  for (const { id } of workspaces) {
    await rowsOf(
      `insert into rejections (workspace_id, id, resource, item_id, item_encrypted, errors, received_at)
       select $1, 'rj_' || n, 'touchpoints', n::text, '', '[]', now() - interval '31 days' from generate_series(1, 130) n`,
      [id],
    );
    await rowsOf(
      `insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash, waiting_since)
       select $1, 'a' || n, 'never', 'retraction', now(), '', now() - interval '31 days' from generate_series(1, 130) n`,
      [id],
    );
  }
  await runSchedule(config, 10, 5000);
  for (const table of ['rejections', 'adjustments']) {
    const ids = workspaces.map(({ id }) => id);
    const left = await rowsOf(`select id from ${table} where workspace_id = any ($1::uuid[])`, [ids]);
    expect([table, left]).toEqual([table, []]);
  }
});

/** A kind of work of so many steps, each of which says its name. */
function kindOf(name: string, steps: number, said: string[], failsAt = -1): Step {
  let done = 0;
  return async () => {
    said.push(name);
    await new Promise((resolve) => setTimeout(resolve, 1));
    done += 1;
    if (done === failsAt) throw new Error(`${name} failed`);
    return done < steps;
  };
}

test('kinds of work take turns', async () => {
  const said: string[] = [];
  await takeTurns([kindOf('a', 4, said), kindOf('b', 1, said), kindOf('c', 2, said)], 10_000);
  expect(said.join('')).toBe('abcacaa');
});

test('a kind that fails does not keep the others from their work, and the run fails in the end', async () => {
  const said: string[] = [];
  const turns = takeTurns([kindOf('a', 4, said, 2), kindOf('b', 3, said)], 10_000);
  await expect(turns).rejects.toThrow('a failed');
  expect(said.join('')).toBe('ababb');
});

test('when the time is over, every kind has had its turns', async () => {
  const said: string[] = [];
  await takeTurns([kindOf('a', 1e9, said), kindOf('b', 1e9, said)], 50);
  const [a, b] = ['a', 'b'].map((name) => said.filter((one) => one === name).length);
  expect(a).toBeGreaterThan(2);
  expect((a ?? 0) - (b ?? 0)).toBeLessThanOrEqual(1);
});
