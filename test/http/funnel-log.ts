import { expect } from 'vitest';
import { type Json, TestWorkspace } from '../support/api.ts';
import { sale, touch } from './items.ts';

/** A funnel, its steps, and a log small enough to work out by hand. */

export const HOUR = 3600;
export const mention = { touchpoint: { kind: ['mention'] } };
export const reply = { touchpoint: { kind: ['reply'], direction: ['outbound'] } };
export const purchase = { conversion: { goal: ['purchase'] } };
export const FUNNEL = {
  from: '2025-06-01',
  to: '2025-06-08',
  steps: [{ ...mention, name: 'Mentioned us' }, reply, purchase],
  window_seconds: 7 * 24 * HOUR,
};

export const by = (user_id: string, occurred_at: string, changes: Json = {}) => ({
  person: { user_id },
  occurred_at,
  ...changes,
});
export const mentioned = (who: string, at: string, changes: Json = {}) =>
  touch(`m-${who}-${at}`, by(who, at, changes));
export const replied = (who: string, at: string, changes: Json = {}) =>
  touch(`r-${who}-${at}`, by(who, at, { kind: 'reply', direction: 'outbound', ...changes }));
export const bought = (who: string, at: string, changes: Json = {}) =>
  sale(`s-${who}-${at}`, by(who, at, changes));

export async function workspaceWith(
  touches: Json[],
  sales: Json[] = [],
  settings: Json = {},
): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  await workspace.load('touchpoints', touches);
  if (sales.length > 0) await workspace.load('conversions', sales);
  return workspace;
}

export async function reportOf(workspace: TestWorkspace, changes: Json = {}): Promise<Json> {
  const answer = await workspace.post('/v1/reports/funnel', { ...FUNNEL, ...changes });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

export const countsOf = (rows: Json[]) => rows.map(({ count }) => count);

/**
 * Ann gets a reply after 1 h and buys a day later. Bob gets a reply after 3 h and buys exactly 7 days after his
 * mention. Cat gets a reply after 2 h and buys a millisecond too late. Dan gets no reply. Fay got a reply before she
 * mentioned us. Eve mentions us after the range.
 */
export const TOUCHES = [
  mentioned('ann', '2025-06-01T00:00:00Z', { channel: 'x' }),
  replied('ann', '2025-06-01T01:00:00Z', { channel: 'x' }),
  mentioned('bob', '2025-06-01T00:00:00Z', { channel: 'linkedin' }),
  replied('bob', '2025-06-01T03:00:00Z', { channel: 'linkedin' }),
  mentioned('cat', '2025-06-02T00:00:00Z', { channel: 'x' }),
  replied('cat', '2025-06-02T02:00:00Z', { channel: 'email' }),
  mentioned('dan', '2025-06-03T00:00:00Z', { channel: 'x' }),
  replied('fay', '2025-06-03T00:00:00Z', { channel: 'email' }),
  mentioned('fay', '2025-06-04T00:00:00Z', { channel: 'email' }),
  mentioned('eve', '2025-06-08T00:00:00Z', { channel: 'x' }),
];
export const SALES = [
  bought('ann', '2025-06-02T01:00:00Z', { value: 100 }),
  bought('bob', '2025-06-08T00:00:00Z', { value: '50.10' }),
  bought('cat', '2025-06-09T00:00:00.001Z'),
];
