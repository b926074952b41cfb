import fc from 'fast-check';
import { openDatabases } from '../../src/db/client.ts';
import { DAY_MS } from '../../src/domain/time.ts';
import { purgeConversions, purgeTouchpoints } from '../../src/workspaces/retention-sql.ts';
import { ORIGIN } from '../http/pages.ts';
import { type Answer, ask, type Json, TestWorkspace, world } from '../support/api.ts';
import { type Era, ZONES } from './credit-questions.ts';

/** Random histories of few people, few instants and every kind of change, which a workspace gets through the API. */

export interface Lived {
  workspace: TestWorkspace;
  era: Era;
  timezone: string;
  /** A publishable key. */
  page: string;
}

/** Items of the beginning. */
const TOUCHES = 40;
const CONVERSIONS = 20;

/** Hours of a day: two midnights, the DST changes of New York, and others. */
const HOURS = [0, 4, 5, 6, 7, 12, 18.5, 23];
const day = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 11 }) },
  { weight: 1, arbitrary: fc.constantFrom(-100, -41, -40, -30, -3) },
);
/** Milliseconds after the beginning of the history. */
const instant = fc
  .tuple(day, fc.constantFrom(...HOURS))
  .map(([days, hour]) => days * DAY_MS + hour * 3_600_000);
const person = fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c', 'd', 'e');
const account = fc.constantFrom('acme', 'beta', null, null, null);
const goal = fc.constantFrom('purchase', 'purchase', 'lead', 'opportunity');
/** Of items that come later, which follow those of the beginning, and may meet each other. */
const touchId = fc.integer({ min: TOUCHES, max: TOUCHES + 100 });
const conversionId = fc.integer({ min: CONVERSIONS, max: CONVERSIONS + 60 });
/** Of items that are changed, most of which are there. */
const anyTouch = fc.nat(TOUCHES + 20);
const anyConversion = fc.nat(CONVERSIONS + 15);

const touch = fc.record({
  id: touchId,
  person,
  account,
  at: instant,
  kind: fc.constantFrom('mention', 'mention', 'reply', 'visit', 'event'),
  channel: fc.constantFrom('x', 'email', 'direct'),
  campaign: fc.constantFrom('spring', null),
});
const conversion = fc.record({
  id: conversionId,
  person,
  account,
  goal,
  at: instant,
  value: fc.constantFrom(null, 0, 10, 33.33, 1234.5),
  currency: fc.constantFrom('EUR', 'EUR', 'USD', 'JPY'),
  plan: fc.constantFrom('pro', 'free', null),
});
type Sample<A> = A extends fc.Arbitrary<infer T> ? T : never;

/** Every kind of change, with what it needs. */
const CHANGES = {
  touchpoints: fc.array(touch, { minLength: 1, maxLength: 8 }),
  conversions: fc.array(conversion, { minLength: 1, maxLength: 5 }),
  adjustment: fc.record({
    id: anyConversion,
    isRetraction: fc.boolean(),
    value: fc.constantFrom(0, 7, 99.99),
    at: instant,
  }),
  void: anyTouch,
  link: fc.record({ a: person, b: person, at: instant }),
  unlink: fc.record({ a: person, b: person }),
  erasure: fc.constantFrom('b', 'c', 'd', 'e'),
  membership: fc.record({ person, account: fc.constantFrom('acme', 'beta', 'gamma'), at: instant }),
  goal: fc.record({ goal, lookback_days: fc.constantFrom(1, 3, 30, 90), isOnce: fc.boolean() }),
  rate: fc.record({ days: fc.integer({ min: -8, max: 12 }), rate: fc.constantFrom(0.5, 1.1, 1.3) }),
  timezone: fc.constantFrom(...ZONES),
  page_touchpoint: fc.record({ id: touchId, person, hours: fc.constantFrom(1, 3) }),
  page_conversion: fc.record({ id: conversionId, person, goal, hours: fc.constantFrom(1, 3) }),
  retention: fc.integer({ min: 0, max: 4 }),
  crowd: fc.record({ person, goal, day: fc.integer({ min: 0, max: 9 }), count: fc.constantFrom(20, 33, 45) }),
} as const;
export type Changes = { [K in keyof typeof CHANGES]: Sample<(typeof CHANGES)[K]> };
export type Change = { [K in keyof Changes]: { kind: K; of: Changes[K] } }[keyof Changes];

const WEIGHTS: Partial<Record<keyof Changes, number>> = {
  touchpoints: 12,
  conversions: 12,
  adjustment: 6,
  void: 4,
  link: 8,
  unlink: 4,
  membership: 4,
  goal: 2,
  page_touchpoint: 2,
  page_conversion: 2,
  crowd: 2,
};
export const change = fc.oneof(
  ...(Object.keys(CHANGES) as (keyof Changes)[]).map((kind) => ({
    weight: WEIGHTS[kind] ?? 1,
    arbitrary: CHANGES[kind as 'void'].map((of) => ({ kind, of }) as Change),
  })),
);

const VISITS = { touchpoints: [{ kind: ['visit'] }] };

/** The items of the beginning. */
export const beginning = fc.record({
  touches: fc.array(touch, { minLength: TOUCHES, maxLength: TOUCHES, size: 'max' }),
  conversions: fc.array(conversion, { minLength: CONVERSIONS, maxLength: CONVERSIONS, size: 'max' }),
});

/** A workspace whose visits record purchases and leads, with the goals of the questions and the items of the beginning. */
export async function beginHistory(
  era: Era,
  timezone: string,
  items: Sample<typeof beginning>,
): Promise<Lived> {
  const workspace = await TestWorkspace.make({ timezone, currency: 'EUR' });
  await workspace.goal('purchase', { match: VISITS, default_value: 30, currency: 'EUR' });
  await workspace.goal('lead', { match: VISITS, counting: 'once', lookback_days: 30 });
  await workspace.goal('opportunity');
  const key = {
    name: 'Page',
    kind: 'publishable',
    allowed_origins: [ORIGIN],
    goals: ['purchase', 'lead', 'opportunity'],
  };
  const { token } = (await workspace.post('/v1/keys', key)).body;
  const lived = { workspace, era, timezone, page: token };
  const numbered = <T>(list: readonly T[]) => list.map((item, id) => ({ ...item, id }));
  if (items.touches.length > 0) await APPLY.touchpoints(lived, numbered(items.touches));
  if (items.conversions.length > 0) await APPLY.conversions(lived, numbered(items.conversions));
  return lived;
}

const isoOf = ({ era }: Lived, ms: number) => new Date(Date.parse(`${era}T00:00:00Z`) + ms).toISOString();
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const accountOf = (id: string | null) => (id === null ? {} : { account: { id } });

const touchpointOf = (
  lived: Lived,
  { id, person: name, account: at_account, at, ...rest }: Sample<typeof touch>,
) => ({
  ...rest,
  ...accountOf(at_account),
  id: `t${id}`,
  person: identityOf(name),
  occurred_at: isoOf(lived, at),
});

const conversionOf = (lived: Lived, sample: Sample<typeof conversion>) => ({
  id: `c${sample.id}`,
  goal: sample.goal,
  ...accountOf(sample.account),
  person: identityOf(sample.person),
  occurred_at: isoOf(lived, sample.at),
  ...(sample.value !== null && { value: sample.value, currency: sample.currency }),
  ...(sample.plan !== null && { properties: { plan: sample.plan } }),
});

/** A batch whose items the API answered each; some, or all, may be duplicates or conflicts. */
function answered({ status, text }: Answer): void {
  if (![200, 207].includes(status) && !text.includes('no_item_accepted'))
    throw new Error(`${status} ${text.slice(0, 500)}`);
}

/** Two user_ids are never one person; everybody else can be linked. The domain of the address is an account. */
const IDENTITIES: Record<string, Record<string, string>> = {
  a: { user_id: 'a' },
  b: { x: 'b' },
  c: { github: 'c' },
  d: { email: 'd@acme.com' },
  e: { user_id: 'e' },
};
const identityOf = (name: string): Record<string, string> => IDENTITIES[name] ?? {};

const personIdOf = async ({ workspace }: Lived, name: string): Promise<string | null> =>
  (await workspace.post('/v1/people/lookup', { person: identityOf(name) })).body.id ?? null;

const asPage = ({ page }: Lived, resource: string, item: Json) =>
  ask('POST', `/v1/${resource}`, { body: { [resource]: [item] }, token: page, headers: { origin: ORIGIN } });

/** Each change, through the API. */
const APPLY: { [K in keyof Changes]: (lived: Lived, of: Changes[K]) => Promise<unknown> } = {
  touchpoints: async (lived, items) =>
    answered(await lived.workspace.touchpoints(...items.map((item) => touchpointOf(lived, item)))),
  conversions: async (lived, items) =>
    answered(await lived.workspace.conversions(...items.map((item) => conversionOf(lived, item)))),
  adjustment: (lived, { id, isRetraction, value, at }) =>
    lived.workspace.post(`/v1/conversions/c${id}/adjustments`, {
      occurred_at: isoOf(lived, at),
      ...(isRetraction ? { kind: 'retraction' } : { kind: 'restatement', value }),
    }),
  void: ({ workspace }, id) => workspace.ask('DELETE', `/v1/touchpoints/t${id}`),
  link: (lived, { a, b, at }) =>
    lived.workspace.post('/v1/people', {
      people: [{ person: { ...identityOf(a), ...identityOf(b) }, occurred_at: isoOf(lived, at) }],
    }),
  unlink: async (lived, { a, b }) => {
    const id = await personIdOf(lived, a);
    const person = { ...identityOf(a), ...identityOf(b) };
    if (id !== null) await lived.workspace.post(`/v1/people/${id}/unlink`, { person });
  },
  erasure: async (lived, name) => {
    const id = await personIdOf(lived, name);
    if (id !== null) await lived.workspace.ask('DELETE', `/v1/people/${id}`);
  },
  membership: async (lived, { person: name, account: id, at }) =>
    answered(
      await lived.workspace.post('/v1/people', {
        people: [{ person: identityOf(name), account: { id }, occurred_at: isoOf(lived, at) }],
      }),
    ),
  goal: ({ workspace }, { goal: key, lookback_days, isOnce }) =>
    workspace.goal(key, {
      lookback_days,
      counting: isOnce ? 'once' : 'every',
      ...(key === 'purchase' && { match: VISITS, default_value: 30, currency: 'EUR' }),
    }),
  rate: (lived, { days, rate }) =>
    lived.workspace.ask('PUT', '/v1/fx-rates', {
      body: { rates: [{ date: isoOf(lived, days * DAY_MS).slice(0, 10), from: 'EUR', to: 'USD', rate }] },
    }),
  timezone: async (lived, timezone) => {
    await lived.workspace.ask('PATCH', '/v1/workspace', { body: { timezone } });
    lived.timezone = timezone;
  },
  page_touchpoint: (lived, { id, person: name, hours }) =>
    asPage(lived, 'touchpoints', {
      ...{ id: `t${id}`, kind: 'visit', channel: 'email', person: identityOf(name) },
      occurred_at: hoursAgo(hours),
    }),
  page_conversion: (lived, { id, person: name, goal: key, hours }) =>
    asPage(lived, 'conversions', {
      ...{ id: `c${id}`, goal: key, person: identityOf(name) },
      occurred_at: hoursAgo(hours),
    }),
  retention: purge,
  crowd: async (lived, { person: name, goal: key, day: first, count }) => {
    const conversions = Array.from({ length: count }, (_, i) => ({
      ...{ id: `crowd-${name}-${key}-${first}-${i}`, goal: key, person: identityOf(name), value: i },
      occurred_at: isoOf(lived, first * DAY_MS + (i % 24) * 2 * 3_600_000),
    }));
    answered(await lived.workspace.conversions(...conversions));
  },
};

/** Deletes what is older than a day of the history, as the hourly run does. Only this workspace keeps less than all. */
async function purge(lived: Lived, days: number): Promise<void> {
  const age = Date.now() - Date.parse(isoOf(lived, days * DAY_MS));
  const { workspace } = lived;
  await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: Math.floor(age / DAY_MS) } });
  const upkeep = openDatabases(world.connectionString).upkeep();
  for (const statement of [purgeConversions(5000), purgeTouchpoints(5000)]) await upkeep.query(statement);
  await workspace.ask('PATCH', '/v1/workspace', { body: { retention_days: null } });
}

export async function apply<K extends keyof Changes>(
  lived: Lived,
  { kind, of }: { kind: K; of: Changes[K] },
) {
  await APPLY[kind](lived, of);
}
