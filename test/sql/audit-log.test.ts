import { beforeAll, describe, expect, test } from 'vitest';
import { ask, needWorld, TestWorkspace, world } from '../support/api.ts';
import { codeOf, rowsOf, under } from '../support/tables.ts';

/** What requests can do to the audit log: insert and read. */

needWorld();

let ours: TestWorkspace;
let theirs: TestWorkspace;

beforeAll(async () => {
  if (world.missing !== null) return;
  [ours, theirs] = [await TestWorkspace.make(), await TestWorkspace.make()];
  for (const workspace of [ours, theirs]) await workspace.goal('purchase');
});

const entriesOf = ({ id }: TestWorkspace) =>
  rowsOf('select id, action from audit_log where workspace_id = $1 order by id', [id]);
const insertInto = (workspaceId: string): [string, unknown[]] => [
  `insert into audit_log (workspace_id, id, occurred_at, key_id, action) values ($1, 'au_x', now(), 'key_x', 'goal.put')
   on conflict (workspace_id, id) do nothing returning id`,
  [workspaceId],
];

describe('a request of one workspace', () => {
  const reach = () => ({ workspace_id: ours.id });

  test.for([
    `update audit_log set key_id = 'another'`,
    'update audit_log set occurred_at = now() where false',
    'delete from audit_log',
    'delete from audit_log where false',
    'truncate audit_log',
    `insert into audit_log (workspace_id, id, occurred_at, key_id, action) select workspace_id, id, now(), 'x', action
     from audit_log on conflict (workspace_id, id) do update set key_id = 'another'`,
  ])('is refused: %s', async (statement) => {
    const before = await entriesOf(ours);
    expect(before.length).toBeGreaterThan(0);
    expect(await codeOf(under(reach(), [statement]))).toBe('42501');
    expect(await entriesOf(ours)).toEqual(before);
  });

  test('inserts into its own log and reads it, and does neither in another', async () => {
    expect(await under(reach(), insertInto(ours.id))).toEqual([{ id: 'au_x' }]);
    expect(await codeOf(under(reach(), insertInto(theirs.id)))).toBe('42501');
    const read = await under(reach(), ['select distinct workspace_id::text from audit_log']);
    expect(read).toEqual([{ workspace_id: ours.id }]);
  });
});

test('deleting a workspace deletes its entries by the cascade, and no others', async () => {
  const gone = await TestWorkspace.make();
  await gone.goal('purchase');
  const before = await entriesOf(theirs);
  expect(await entriesOf(gone)).toHaveLength(2);
  const answer = await ask('DELETE', `/v1/workspaces/${gone.id}`, { token: world.rootKey });
  expect(answer.status, answer.text).toBe(200);
  expect([await entriesOf(gone), await entriesOf(theirs)]).toEqual([[], before]);
});
