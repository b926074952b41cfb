import { expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { AT, sale, statusesOf, touch } from './items.ts';

/** Rows that release 0.1.0 stored have content hashes in its form. */

needWorld();

/** A workspace of release 0.1.0, before this release serves it. */
async function olderWorkspace(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await rowsOf('update workspaces set content_version = 1 where id = $1 returning id', [workspace.id]);
  return workspace;
}

/** The forms of these items are the same in both versions, so their hashes become those of 0.1.0. */
const toFirstVersion = (table: string, workspace: TestWorkspace) =>
  rowsOf(`update ${table} set content_version = 1 where workspace_id = $1 returning id`, [workspace.id]);

test.for([
  ['touchpoints', (more: Json) => touch('a', { person: { email: 'ann@acme.com' }, ...more })],
  ['conversions', (more: Json) => sale('a', { value: '10', currency: 'EUR', ...more })],
] as const)('%s sent again are compared in the form in which they were stored', async ([resource, make]) => {
  const workspace = await olderWorkspace();
  await workspace.goal('purchase');
  const send = async (more: Json = {}) =>
    statusesOf(await workspace.post(`/v1/${resource}`, { [resource]: [make(more)] }));
  expect(await send()).toEqual(['accepted']);
  // In the second version another spelling of the same instant is the same.
  const spelled = { occurred_at: AT.replace('.000Z', 'Z') };
  expect(await send(spelled)).toEqual(['duplicate']);
  await toFirstVersion(resource, workspace);
  expect(await send()).toEqual(['duplicate']);
  expect(await send(spelled)).toEqual(['conflict']);
  expect(await send({ properties: { a: 1 } })).toEqual(['conflict']);
});

test('a workspace of this release has no rows in the first form, and makes no hashes of it', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('a'));
  await toFirstVersion('touchpoints', workspace);
  expect(statusesOf(await workspace.touchpoints(touch('a')))).toEqual(['conflict']);
});
