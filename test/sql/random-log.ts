import fc from 'fast-check';
import { accountAt } from '../../src/domain/accounts.ts';
import type { JourneySettings } from '../../src/domain/journey.ts';
import type { ReportScope } from '../../src/domain/settings.ts';
import type { TestWorkspace } from '../support/api.ts';

/** Random logs for comparing reports in SQL with their definitions: few people and few instants give many ties. */

const HOUR_MS = 3_600_000;
export const START = Date.UTC(2026, 0, 1);
export const GOALS = ['purchase', 'lead', 'opportunity'] as const;

/** The value of a restatement; see `netValueOf`. */
const RESTATED = 1.5;

/** Instants of six days; many touches are at the exact instant of a conversion. */
const instant = fc.integer({ min: 0, max: 24 }).map((hours) => START + hours * 6 * HOUR_MS);
const person = fc.constantFrom('a', 'a', 'b', 'c');
/** Named by some items. Person c never has an account, so that some people are alone under scope=account. */
const account = fc.constantFrom('acme', 'beta', null, null, null);
const touch = fc.record({
  person,
  account,
  occurred_at: instant,
  kind: fc.constantFrom('mention', 'reply', 'visit', 'event', 'view'),
  channel: fc.constantFrom('x', 'email', 'direct'),
  campaign: fc.constantFrom('spring', null),
});
const conversion = fc.record({
  person,
  account,
  goal: fc.constantFrom('purchase', ...GOALS),
  occurred_at: instant,
  value: fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
  adjustment: fc.constantFrom('none', 'none', 'none', 'retraction', 'restatement'),
});

/** The log and the scope of its journeys, to spread into a record. */
export const randomLog = {
  touches: fc.array(touch, { maxLength: 60, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 30, size: 'max' }),
  scope: fc.constantFrom<ReportScope>('person', 'account'),
};

/** With it, visits record purchases, which is the touchpoint that has no credit for its own conversion. */
export const recording = { records: fc.boolean() };

/** The same of one person with so many conversions that credit is swept. */
export const crowdedLog = {
  touches: fc.array(touch.map(ofOne), { minLength: 100, maxLength: 140, size: 'max' }),
  conversions: fc.array(conversion.map(ofOne), { minLength: 100, maxLength: 120, size: 'max' }),
  scope: fc.constant<ReportScope>('person'),
};

/** The same of one person with paths of about two hundred steps, few conversions or many. */
export const longLog = {
  touches: fc.array(touch.map(ofOne), { minLength: 560, maxLength: 640, size: 'max' }),
  conversions: fc.oneof(
    fc.array(conversion.map(ofOne), { minLength: 5, maxLength: 20, size: 'max' }),
    fc.array(conversion.map(ofOne), { minLength: 80, maxLength: 100, size: 'max' }),
  ),
  scope: fc.constantFrom<ReportScope>('person', 'account'),
};
function ofOne<T extends { person: string }>(item: T): T {
  return { ...item, person: 'a' };
}
type Sample<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type RandomLog = { [K in keyof typeof randomLog]: Sample<(typeof randomLog)[K]> } & {
  records?: boolean;
};

export function touchpointsOf({ touches }: RandomLog) {
  return touches.map((sample, i) => ({ ...sample, account: namedBy(sample), id: `t${i}` }));
}
export type SampleTouchpoint = ReturnType<typeof touchpointsOf>[number];

export function conversionsOf(sample: RandomLog) {
  const visits = touchpointsOf(sample).filter(({ kind }) => sample.records && kind === 'visit');
  const recorded = visits.map(({ person, account, occurred_at, id }) => ({
    ...{ person, account, occurred_at, goal: 'purchase' as const, value: 0, adjustment: 'none' as const },
    id: `tp.purchase:${id}`,
    touchpoint_id: id,
  }));
  return [...sentOf(sample), ...recorded];
}

function sentOf({ conversions }: RandomLog) {
  return conversions.map((sample, i) => {
    const touchpoint_id: string | null = null;
    return { ...sample, account: namedBy(sample), id: `c${i}`, touchpoint_id };
  });
}
export type SampleConversion = ReturnType<typeof conversionsOf>[number];

function namedBy(item: { person: string; account: string | null }): string | null {
  return item.person === 'c' ? null : item.account;
}

/** The net value of an unretracted conversion. */
export function netValueOf({ adjustment, value }: SampleConversion): number {
  return adjustment === 'restatement' ? RESTATED : value;
}

/** The entity of an item under the scope: the person, or the account at that time, which others may share. */
export function entitiesOf(
  sample: RandomLog,
): (item: { person: string; account: string | null; occurred_at: number }) => string {
  if (sample.scope === 'person') return (item) => item.person;
  const items = [...touchpointsOf(sample), ...conversionsOf(sample)];
  const known = new Map<string, string>();
  return (item) => {
    const key = JSON.stringify([item.person, item.account, item.occurred_at]);
    const entity = known.get(key) ?? entityOf(item);
    known.set(key, entity);
    return entity;
  };
  function entityOf(item: { person: string; account: string | null; occurred_at: number }): string {
    const facts = items
      .filter((other) => other.person === item.person && other.account !== null)
      .map(({ occurred_at, account: account_id }) => ({
        source: 'item' as const,
        occurred_at,
        account_id: account_id ?? '',
      }));
    return item.account ?? accountAt(facts, item.occurred_at) ?? item.person;
  }
}

/** @param more further fields of each conversion, by its position in the log */
export async function postLog(
  workspace: TestWorkspace,
  sample: RandomLog,
  more: (i: number) => Record<string, unknown> = () => ({}),
): Promise<void> {
  for (const goal of GOALS) await workspace.goal(goal);
  if (sample.records) await workspace.goal('purchase', { match: { touchpoints: [{ kind: ['visit'] }] } });
  const touchpoints = touchpointsOf(sample).map(({ person: user_id, occurred_at, account: id, ...rest }) => ({
    ...rest,
    ...(id !== null && { account: { id } }),
    person: { user_id },
    occurred_at: new Date(occurred_at).toISOString(),
  }));
  const conversions = sentOf(sample).map(
    ({ person: user_id, occurred_at, account: id, adjustment: _, touchpoint_id: __, ...rest }, i) => ({
      ...rest,
      ...more(i),
      ...(id !== null && { account: { id } }),
      person: { user_id },
      occurred_at: new Date(occurred_at).toISOString(),
    }),
  );
  if (touchpoints.length > 0) await workspace.load('touchpoints', touchpoints);
  if (conversions.length > 0) await workspace.load('conversions', conversions);
  for (const { id, adjustment } of sentOf(sample)) {
    if (adjustment === 'none') continue;
    const body = { kind: adjustment, ...(adjustment === 'restatement' && { value: RESTATED }) };
    await workspace.post(`/v1/conversions/${id}/adjustments`, body);
  }
}

/** `where` as parameters of a query string. */
export function filtersOf(where: JourneySettings['where']): string {
  return Object.entries(where)
    .map(([field, values]) => `&where[${field}]=${values.map((value) => value ?? '\\0').join()}`)
    .join('');
}
