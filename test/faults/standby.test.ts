import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask, needWorld } from '../support/api.ts';
import { type Stand, startStand } from './stand.ts';
import { makeWorkspace } from './workload.ts';

/** A failover: the server that the Worker knows is a standby for a while. */

needWorld();

let stand: Stand | undefined;
afterEach(async () => {
  await stand?.remove();
  stand = undefined;
});

test('/ready is 503 on a standby, reads are served, writes are 503; after its promotion all is well', async () => {
  stand = await startStand();
  const { cluster, rows } = stand;
  const workspace = await makeWorkspace();
  const write = () => workspace.goal('purchase');
  expect((await ask('GET', '/ready')).body).toEqual({ status: 'ready', schema: 'current' });
  await cluster.kill();
  await writeFile(join(cluster.data, 'standby.signal'), '');
  await cluster.start();

  const { status, body } = await ask('GET', '/ready');
  expect({ status, code: body.code }).toEqual({ status: 503, code: 'database_read_only' });
  expect(body.detail).toContain('standby');
  expect((await workspace.get('/v1/goals')).status).toBe(200);
  const refused = await write();
  expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);

  await rows('select pg_promote()', []);
  expect((await ask('GET', '/ready')).status).toBe(200);
  expect((await write()).status).toBe(200);
});
