import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fault, firstTimes } from '../../local/faults.ts';
import { asRoot, CASES, prepare } from '../http/audit-cases.ts';
import { needWorld, world } from '../support/api.ts';
import { type Stand, startStand } from './stand.ts';

/**
 * Operations of admin keys when the response of the database is lost: they are done once, logged once, and answered as
 * usual. Operations that are not idempotent, or whose second run would be answered wrongly, get 503 at once.
 */

needWorld();

let stand: Stand;
beforeAll(async () => {
  if (world.missing === null) stand = await startStand();
});
afterAll(() => stand?.remove());

/** A second run would create another key, or find nothing. */
const ONCE = ['createKey', 'createKeyOfWorkspace', 'rotateKey', 'deleteKey', 'deleteFunnel', 'unlinkPerson'];

const LOST: [Fault, happened: boolean][] = [
  ['drop_after_commit', true],
  ['drop_before', false],
  ['rollback_and_drop', false],
];

const idsOf = async (table: 'audit_log' | 'keys', workspaceId: string): Promise<string[]> => {
  const rows = await stand.rows<{ id: string }>(`select id from ${table} where workspace_id = $1`, [
    workspaceId,
  ]);
  return rows.map(({ id }) => id);
};

describe.for(LOST)('under %s', ([fault, happened]) => {
  test.for(CASES.map((each) => [each.operation, each] as const))('%s', async ([operation, { act }]) => {
    const made = await prepare();
    const before = await idsOf('audit_log', made.workspace.id);
    stand.setFaults(firstTimes(1, fault));
    const answer = await act(made);
    stand.setFaults(null);
    const isOnce = ONCE.includes(operation);
    if (isOnce) {
      expect(answer.status, answer.text).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    } else expect(answer.status, answer.text).toBeLessThan(300);
    const logged = (await idsOf('audit_log', made.workspace.id)).filter((id) => !before.includes(id));
    expect(logged).toHaveLength(isOnce && !happened ? 0 : 1);
  });

  test('createWorkspace: one workspace at most', async () => {
    const name = `under ${fault}`;
    stand.setFaults(firstTimes(1, fault));
    const answer = await asRoot('POST', '/v1/workspaces', { name });
    stand.setFaults(null);
    expect(answer.status).toBe(503);
    const rows = await stand.rows('select id from workspaces where name = $1', [name]);
    expect(rows).toHaveLength(happened ? 1 : 0);
  });

  test('deleteWorkspace', async () => {
    const { workspace } = await prepare();
    stand.setFaults(firstTimes(1, fault));
    const answer = await asRoot('DELETE', `/v1/workspaces/${workspace.id}`);
    stand.setFaults(null);
    expect(answer.status).toBe(503);
    expect(await idsOf('keys', workspace.id)).toHaveLength(happened ? 0 : 2);
  });
});
