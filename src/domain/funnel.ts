import { compareBytewise } from './journey.ts';

/** `ordered`: steps one after the other. `strict`: and nothing between them. `any`: steps in whatever order. */
export const FUNNEL_ORDERS = ['ordered', 'strict', 'any'] as const;
export type FunnelOrder = (typeof FUNNEL_ORDERS)[number];

/** `any`: the best of all starts counts. `first`: only the entity's first start in the range. */
export const FUNNEL_ENTRIES = ['any', 'first'] as const;
export type FunnelEntry = (typeof FUNNEL_ENTRIES)[number];

/** A touchpoint that is not voided, or a conversion that is not retracted, of one entity. */
export interface FunnelEvent {
  type: 'touchpoint' | 'conversion';
  /** Unique within its type. */
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  /** Of a conversion: its net value in the report's currency; null where no rate is known. */
  value?: number | null;
  /** The dimensions of a touchpoint, `goal` of a conversion. Absent is the same as null. */
  [field: string]: unknown;
}

/** Field to allowed values (null: the field is empty). Fields are AND-ed, values OR-ed. */
export type FieldFilter = Record<string, readonly (string | null)[]>;

export type EventFilter = { touchpoint: FieldFilter } | { conversion: { goal: readonly string[] } };

/** Steps count from 1. Omitted bounds are the first and the last step. */
export type Exclusion = EventFilter & { after_step?: number; before_step?: number };

export interface FunnelRules {
  /** The first matched event lies in `[from, to)`, milliseconds since 1970; the others may lie after it. */
  from: number;
  to: number;
  /** 1 to 10. */
  steps: readonly EventFilter[];
  order: FunnelOrder;
  /** Counted from the first matched event, inclusive. */
  window_seconds: number;
  entry: FunnelEntry;
  hold: readonly string[];
  exclude: readonly Exclusion[];
}

/** How far one entity came. */
export interface EntityFunnel<E extends FunnelEvent = FunnelEvent> {
  /** Steps reached, 0 to the number of steps; in `any`, how many different ones. */
  level: number;
  /** One event per step reached, oldest first; what breakdown, seconds and value are taken from. */
  chain: E[];
  /** At index k − 1, the largest number of chains of k steps of which no two overlap. */
  completions: number[];
}

/** What the later course of a chain depends on. */
interface Chain<E> {
  /** The matched events, oldest first. */
  events: readonly E[];
  /** The indexes of the steps they fill. */
  filled: ReadonlySet<number>;
  held: Held;
}

/**
 * What the touchpoints of a chain have in common: nothing to compare yet (undefined), the values of the held
 * fields, or null after a touchpoint with an empty one, with which no other touchpoint can agree.
 */
type Held = string | null | undefined;

/** All that can come of one start. Both lists have at index k − 1 what holds for k steps. */
interface Attempt<E> {
  start: E;
  /** The chain that is earliest at its first step, then at its second, and so on. */
  earliest: Chain<E>[];
  /** The last event of the chain that ends first, which need not be the chain above. */
  ends: E[];
}

const EMPTY: Chain<never> = { events: [], filled: new Set(), held: undefined };

/**
 * How far one entity came in a funnel. This is the definition: the report computes the same in SQL.
 *
 * A chain is a list of different events in the order of everything: by time, touchpoints before conversions, by
 * id. Its first event lies in the range, its last within the window of the first. Each event fills a step of its
 * own: the k-th event step k, or in `any` one of the steps not yet filled, so that there "step k" means the k-th
 * matched event. In `strict` no other event of the entity lies between. Without its last event a chain is still
 * a chain, so what is reached never grows from step to step.
 *
 * - `exclude`: no event that matches lies after the chain's event at `after_step` and before the one at
 *   `before_step`, or before the chain's last event if it does not come that far. An event of the chain itself
 *   counts as well when it lies between those two.
 * - `hold`: any two touchpoints of the chain have the same value in these fields, and not null. One touchpoint
 *   has nothing to agree with, so it may have null. Conversions are exempt.
 * - `entry=first`: chains start at the first event in the range that can start one, in every order. Such
 *   chains all overlap, so each step has one completion at most.
 *
 * The level is the length of the longest chain. Of those the result names the one with the earliest first event,
 * then the earliest second one, and so on.
 * @param events all of the entity's, in any order; what matches nothing still separates steps in `strict`
 */
export function funnelOf<E extends FunnelEvent>(events: readonly E[], funnel: FunnelRules): EntityFunnel<E> {
  const log = events.toSorted(inFunnelOrder);
  const attempts = startsIn(log, funnel).map((start) => attemptFrom(start, log, funnel));
  const level = Math.max(0, ...attempts.map(({ earliest }) => earliest.length));
  const best = attempts.find(({ earliest }) => earliest.length === level);
  return {
    level,
    chain: [...(best?.earliest.at(-1)?.events ?? [])],
    completions: funnel.steps.map((_, i) => completionsOf(attempts, i)),
  };
}

/** Everything happens in this order; it is total, so ties in time do not depend on arrival. */
export function inFunnelOrder(a: FunnelEvent, b: FunnelEvent): number {
  return (
    a.occurred_at - b.occurred_at ||
    Number(a.type === 'conversion') - Number(b.type === 'conversion') ||
    compareBytewise(a.id, b.id)
  );
}

/** Does the event match the step, or the exclusion? */
export function fits(event: FunnelEvent, filter: EventFilter): boolean {
  if ('touchpoint' in filter) return event.type === 'touchpoint' && fieldsFit(event, filter.touchpoint);
  return event.type === 'conversion' && fieldsFit(event, filter.conversion);
}

function fieldsFit(event: FunnelEvent, fields: FieldFilter): boolean {
  return Object.entries(fields).every(([field, values]) =>
    values.includes((event[field] ?? null) as string | null),
  );
}

function startsIn<E extends FunnelEvent>(log: readonly E[], funnel: FunnelRules): E[] {
  const starts = log.filter(
    (event) =>
      event.occurred_at >= funnel.from &&
      event.occurred_at < funnel.to &&
      extensions<E>(EMPTY, event, funnel).length > 0,
  );
  return funnel.entry === 'first' ? starts.slice(0, 1) : starts;
}

/**
 * Tries every chain from one start: at each event, each open chain takes it as a step, and passes it by. Chains
 * alike in what they fill and hold have the same future, so only the earliest of them goes on.
 */
function attemptFrom<E extends FunnelEvent>(start: E, log: readonly E[], funnel: FunnelRules): Attempt<E> {
  const end = start.occurred_at + funnel.window_seconds * 1000;
  const within = log.slice(log.indexOf(start) + 1).filter((event) => event.occurred_at <= end);
  const attempt: Attempt<E> = { start, earliest: [], ends: [] };
  let open = extensions<E>(EMPTY, start, funnel);
  note(open, start, attempt);
  for (const event of within) {
    const longer = open.flatMap((chain) => extensions(chain, event, funnel));
    note(longer, event, attempt);
    open = earliestOfEachKind([
      ...open.filter((chain) => mayPass(chain, event, funnel)),
      ...longer.filter((chain) => mayGoOn(chain, event, funnel)),
    ]);
  }
  return attempt;
}

/** The chains that the event makes of this one: in `ordered` and `strict` at most one, in `any` one per step. */
function extensions<E extends FunnelEvent>(chain: Chain<E>, event: E, funnel: FunnelRules): Chain<E>[] {
  const isTouchpoint = event.type === 'touchpoint';
  const held = isTouchpoint ? heldBy(event, funnel.hold) : chain.held;
  if (isTouchpoint && !agree(chain.held, held)) return [];
  return funnel.steps.flatMap((step, i) => {
    const isNext = funnel.order === 'any' ? !chain.filled.has(i) : chain.events.length === i;
    if (!isNext || !fits(event, step)) return [];
    return [{ events: [...chain.events, event], filled: new Set([...chain.filled, i]), held }];
  });
}

function heldBy(touchpoint: FunnelEvent, hold: readonly string[]): string | null {
  const values = hold.map((field) => touchpoint[field] ?? null);
  return values.includes(null) ? null : JSON.stringify(values);
}

function agree(before: Held, now: Held): boolean {
  return before === undefined || (before !== null && before === now);
}

/** May the chain still reach another step when it leaves the event out? */
function mayPass<E extends FunnelEvent>(chain: Chain<E>, event: E, funnel: FunnelRules): boolean {
  const steps = chain.events.length;
  return funnel.order !== 'strict' && !isExcluded(event, steps, steps + 1, funnel.exclude);
}

/** May the chain reach another step now that the event is its last? */
function mayGoOn<E extends FunnelEvent>(chain: Chain<E>, event: E, funnel: FunnelRules): boolean {
  const steps = chain.events.length;
  return !isExcluded(event, steps - 1, steps + 1, funnel.exclude);
}

/** Is the event, which lies after one step of a chain and before another, between the bounds of an exclusion? */
function isExcluded(
  event: FunnelEvent,
  after: number,
  before: number,
  exclude: readonly Exclusion[],
): boolean {
  return exclude.some(
    (exclusion) =>
      fits(event, exclusion) &&
      after >= (exclusion.after_step ?? 1) &&
      before <= (exclusion.before_step ?? Number.POSITIVE_INFINITY),
  );
}

/** Remembers chains that have just reached their last event. */
function note<E extends FunnelEvent>(chains: readonly Chain<E>[], event: E, attempt: Attempt<E>): void {
  for (const chain of chains) {
    const i = chain.events.length - 1;
    attempt.ends[i] ??= event;
    attempt.earliest[i] = earlierOf(attempt.earliest[i], chain);
  }
}

function earliestOfEachKind<E extends FunnelEvent>(chains: readonly Chain<E>[]): Chain<E>[] {
  const kinds = new Map<string, Chain<E>>();
  for (const chain of chains) {
    const kind = `${[...chain.filled].toSorted()} ${chain.held}`;
    kinds.set(kind, earlierOf(kinds.get(kind), chain));
  }
  return [...kinds.values()];
}

/** Of two chains of one length, the one with the earlier event at the first step where they differ. */
function earlierOf<E extends FunnelEvent>(a: Chain<E> | undefined, b: Chain<E>): Chain<E> {
  if (!a) return b;
  const differences = a.events.map((event, i) => inFunnelOrder(event, b.events[i] ?? event));
  return (differences.find((difference) => difference !== 0) ?? 0) <= 0 ? a : b;
}

/**
 * The chain that ends earliest, then the one that ends earliest of those that start after its end, and so on: no
 * choice of chains that do not overlap has more. Which start the chain has, of several, changes nothing.
 */
function completionsOf<E extends FunnelEvent>(attempts: readonly Attempt<E>[], step: number): number {
  let count = 0;
  let rest = attempts;
  for (;;) {
    const [end] = rest.flatMap(({ ends }) => ends[step] ?? []).sort(inFunnelOrder);
    if (!end) return count;
    count++;
    rest = rest.filter(({ start }) => inFunnelOrder(start, end) > 0);
  }
}
