import { type Json, TestWorkspace } from '../support/api.ts';
import { sale, touch } from './items.ts';

/** People and their events, for tests of the cultivation report. */

export const REPORT = '/v1/reports/cultivation?goal=purchase&from=2025-01-01&to=2025-02-01';
/** A number of days of 86,400 s after 1 January. */
export const on = (day: number) => new Date(Date.UTC(2025, 0, 1, 12) + day * 86_400_000).toISOString();
export const came = (user_id: string, day = 0, changes: Json = {}) =>
  touch(`t-${user_id}-${day}`, { person: { user_id }, occurred_at: on(day), ...changes });
export const did = (goal: string, user_id: string, day: number, changes: Json = {}) =>
  sale(`${goal}-${user_id}-${day}`, { goal, person: { user_id }, occurred_at: on(day), ...changes });

export async function prepare(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase');
  await workspace.goal('follow', { kind: 'cultivation' });
  await workspace.goal('join', { kind: 'cultivation' });
  return workspace;
}

/**
 * Ann and Bob follow within 14 days, Ann buys on day 20 for 30; Cleo joins and buys on day 24; Dan buys for 10 on day
 * 44, Eve does nothing; Fay buys at once; Gus follows too late.
 */
export async function prepareFull(settings: Json = {}): Promise<TestWorkspace> {
  const workspace = await prepare(settings);
  const channels = { cleo: 'email', dan: 'email' } as Json;
  const names = ['ann', 'bob', 'cleo', 'dan', 'eve', 'fay', 'gus'];
  await workspace.load(
    'touchpoints',
    names.map((name) => came(name, 0, { channel: channels[name] ?? 'x' })),
  );
  await workspace.load('conversions', [
    did('follow', 'ann', 3),
    did('follow', 'bob', 14),
    did('join', 'cleo', 5),
    did('follow', 'gus', 15),
    did('purchase', 'ann', 20, { value: 25 }),
    did('purchase', 'ann', 21, { value: 5 }),
    did('purchase', 'cleo', 24, { value: 20 }),
    did('purchase', 'dan', 44, { value: 10 }),
    did('purchase', 'fay', 1, { value: 500 }),
  ]);
  return workspace;
}

export const codes = ({ warnings }: Json) => warnings.map(({ code }: Json) => code);
export const sizesOf = ({ arms }: Json) =>
  [arms.cultivated, arms.uncultivated].map(({ people, converted }: Json) => [people, converted]);
