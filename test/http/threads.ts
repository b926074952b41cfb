import { type Json, TestWorkspace } from '../support/api.ts';
import { touch } from './items.ts';

/** Short functions for tests of conversations. */

/** A number of minutes after noon of 1 June 2025. */
export const at = (minute: number) => new Date(Date.UTC(2025, 5, 1, 12, minute)).toISOString();

export const said = (id: string, thread: string, minute: number, changes: Json = {}) =>
  touch(id, { conversation: { id: thread }, direction: 'inbound', occurred_at: at(minute), ...changes });

export const answered = (id: string, thread: string, minute: number, changes: Json = {}) =>
  said(id, thread, minute, { direction: 'outbound', kind: 'reply', ...changes });

export const by = (user_id: string) => ({ person: { user_id } });

export async function workspaceWith(
  touchpoints: readonly Json[],
  settings: Json = {},
): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.load('touchpoints', touchpoints);
  return workspace;
}
