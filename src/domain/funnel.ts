import { compareBytewise } from './journey.ts';

/**
 * `ordered`: steps follow each other. `strict`: they follow each other with no other event in
 * between. `any`: steps in any order.
 */
export const FUNNEL_ORDERS = ['ordered', 'strict', 'any'] as const;
export type FunnelOrder = (typeof FUNNEL_ORDERS)[number];

/** `any`: the best of all starts counts. `first`: only the entity's first start in the range counts. */
export const FUNNEL_ENTRIES = ['any', 'first'] as const;
export type FunnelEntry = (typeof FUNNEL_ENTRIES)[number];

/** An event of one entity: a touchpoint that is not voided, or a conversion that is not retracted. */
export interface FunnelEvent {
  type: 'touchpoint' | 'conversion';
  /** Unique within its type. */
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  /**
   * Only for conversions: the net value in the report's currency; null without a value or
   * without an exchange rate.
   */
  value?: number | null;
  /** The dimensions of a touchpoint, or the `goal` of a conversion. An absent field is null. */
  [field: string]: unknown;
}

/** Allowed values by field; null stands for an empty field. Fields are AND-ed, values OR-ed. */
export type FieldFilter = Record<string, readonly (string | null)[]>;

/** The events that a step or an exclusion matches. */
export type EventFilter = { touchpoint: FieldFilter } | { conversion: { goal: readonly string[] } };

/** An exclusion and its bounds. Steps count from 1; omitted bounds are the first and the last step. */
export type Exclusion = EventFilter & { after_step?: number; before_step?: number };

/** A funnel with its defaults applied. */
export interface FunnelRules {
  /**
   * The first matched event lies in `[from, to)`, in milliseconds since 1970. Later ones may
   * lie after the range.
   */
  from: number;
  to: number;
  /** 1 to 10. */
  steps: readonly EventFilter[];
  order: FunnelOrder;
  /** From the first matched event to the last, inclusive. */
  window_seconds: number;
  entry: FunnelEntry;
  /** Fields in which all matched touchpoints have to agree. */
  hold: readonly string[];
  exclude: readonly Exclusion[];
}

/** How far one entity got. */
export interface EntityFunnel<E extends FunnelEvent = FunnelEvent> {
  /** Steps reached, from 0 to the number of steps; in `any`, the number of different steps. */
  level: number;
  /** One event per step reached, oldest first. Breakdown, seconds and value are taken from these. */
  chain: E[];
  /** At index k − 1: the largest number of chains of k steps that do not overlap. */
  completions: number[];
}

/** The state of a chain that decides how it can continue. */
interface Chain<E> {
  /** The matched events, oldest first. */
  events: readonly E[];
  /** The indexes of the steps they fill. */
  filled: ReadonlySet<number>;
  held: Held;
}

/**
 * The values that the touchpoints of a chain agree in: undefined before the first touchpoint,
 * else the values of the held fields as text. Null after a touchpoint with an empty field,
 * because no other touchpoint can agree with it.
 */
type Held = string | null | undefined;

/** All results of one start. Both lists have at index k − 1 the result for k steps. */
interface Attempt<E> {
  start: E;
  /** The chain that is earliest at its first step, then at its second step, and so on. */
  earliest: Chain<E>[];
  /** The last event of the chain that ends first; this need not be the chain in `earliest`. */
  ends: E[];
}

const EMPTY: Chain<never> = { events: [], filled: new Set(), held: undefined };

/**
 * How far one entity got in a funnel. This is the definition: the report computes the same in SQL.
 *
 * A chain is a list of different events in the order of time, touchpoints before conversions, id. Its first
 * event lies in the range, its last event within the window of the first. Each event fills a step of its own.
 * The k-th event fills step k; in `any` it fills one of the steps not yet filled, and "step k" is the k-th
 * matched event. In `strict` no other event of the entity lies between two events of the chain. A chain
 * without its last event is also a chain, so counts never grow from step to step.
 *
 * - `exclude`: no matching event lies after the chain's event at `after_step` and before its event at
 *   `before_step`, or before its last event if the chain is shorter. An event of the chain itself counts too
 *   if it lies between the two.
 * - `hold`: any two touchpoints of the chain have the same value in these fields, and it is not null. A
 *   single touchpoint may have null. Conversions are exempt.
 * - `entry=first`: chains start at the first event in the range that can start one, whatever the order. Such
 *   chains all overlap, so each step has at most one completion.
 *
 * The level is the length of the longest chain. The resulting chain is the one of that length with the
 * earliest first event, then the earliest second event, and so on.
 * @param events all events of the entity, in any order; in `strict`, events that match nothing
 * separate steps too
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

/**
 * The order of events: time, touchpoints before conversions, id bytewise. It is total, so
 * arrival does not matter.
 */
export function inFunnelOrder(a: FunnelEvent, b: FunnelEvent): number {
  return (
    a.occurred_at - b.occurred_at ||
    Number(a.type === 'conversion') - Number(b.type === 'conversion') ||
    compareBytewise(a.id, b.id)
  );
}

/** Does the event match the filter of a step or an exclusion? */
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
 * Tries every chain from one start. At each event, each open chain both takes the event as a step and leaves
 * it out. Chains that fill the same steps and hold the same values have the same continuations, so only the
 * earliest of them is continued.
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

/**
 * The chains that the event extends this one to: at most one in `ordered` and `strict`, one per
 * step in `any`.
 */
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

/** May the chain reach another step after it leaves the event out? */
function mayPass<E extends FunnelEvent>(chain: Chain<E>, event: E, funnel: FunnelRules): boolean {
  const steps = chain.events.length;
  return funnel.order !== 'strict' && !isExcluded(event, steps, steps + 1, funnel.exclude);
}

/** May the chain reach another step after the event, which is its last one? */
function mayGoOn<E extends FunnelEvent>(chain: Chain<E>, event: E, funnel: FunnelRules): boolean {
  const steps = chain.events.length;
  return !isExcluded(event, steps - 1, steps + 1, funnel.exclude);
}

/**
 * Does the event, which lies between two steps of a chain, lie within the bounds of an
 * exclusion that it matches?
 */
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

/** Records chains whose last event is this one. */
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

/** The chain with the earlier event at the first step where two chains of equal length differ. */
function earlierOf<E extends FunnelEvent>(a: Chain<E> | undefined, b: Chain<E>): Chain<E> {
  if (!a) return b;
  const differences = a.events.map((event, i) => inFunnelOrder(event, b.events[i] ?? event));
  return (differences.find((difference) => difference !== 0) ?? 0) <= 0 ? a : b;
}

/**
 * The number of chains that do not overlap: take the chain that ends earliest, then the one that ends
 * earliest among those that start after its end, and so on. No other choice has more. If several starts lead
 * to the same end, the choice between them does not change the number.
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
