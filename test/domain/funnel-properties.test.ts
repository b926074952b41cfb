import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EntityFunnel,
  type EventFilter,
  type Exclusion,
  FUNNEL_ENTRIES,
  FUNNEL_ORDERS,
  type FunnelEvent,
  type FunnelRules,
  fits,
  funnelOf,
} from '../../src/domain/funnel.ts';
import { FUNNEL_COUNTS, summariseFunnel } from '../../src/domain/funnel-report.ts';

/** Few instants and few values give many ties, and many events that fit several steps. Times in seconds. */
const event: fc.Arbitrary<FunnelEvent> = fc.record({
  type: fc.constantFrom('touchpoint', 'touchpoint', 'touchpoint', 'conversion'),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'Ａ', '😀'),
  occurred_at: fc.integer({ min: 0, max: 6 }).map((seconds) => seconds * 1000),
  kind: fc.constantFrom('mention', 'reply', 'other'),
  conversation: fc.constantFrom('one', 'two', null),
  goal: fc.constantFrom('lead', 'purchase'),
  value: fc.integer({ min: 1, max: 9 }),
});

const logOf = (maxLength: number, minLength = 0) =>
  fc.uniqueArray(event, { minLength, maxLength, size: 'max', selector: ({ type, id }) => `${type} ${id}` });

const filter = fc.constantFrom<EventFilter[]>(
  { touchpoint: { kind: ['mention'] } },
  { touchpoint: { kind: ['mention'] } },
  { touchpoint: { kind: ['reply'] } },
  { touchpoint: { kind: ['mention', 'reply'] } },
  { touchpoint: { kind: ['reply', 'other'], conversation: ['one', null] } },
  { touchpoint: {} },
  { conversion: { goal: ['purchase'] } },
  { conversion: { goal: ['lead', 'purchase'] } },
);

const bound = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const exclusion: fc.Arbitrary<Exclusion> = fc
  .tuple(filter, bound, bound)
  .map(([filter, after_step, before_step]) => ({ ...filter, after_step, before_step }));

const narrow: fc.Arbitrary<FunnelRules> = fc.record({
  from: fc.constantFrom(0, 0, 1000, 2000),
  to: fc.constantFrom(3000, 5000, 9000),
  steps: fc.array(filter, { minLength: 1, maxLength: 4 }),
  order: fc.constantFrom(...FUNNEL_ORDERS),
  window_seconds: fc.integer({ min: 0, max: 6 }),
  entry: fc.constantFrom(...FUNNEL_ENTRIES),
  hold: fc.constantFrom([], [], ['conversation'], ['conversation', 'kind']),
  exclude: fc.oneof(fc.constant([]), fc.array(exclusion, { maxLength: 2 })),
});

/** Long chains, whose length depends on the held values and on the steps that are filled. */
const wide: fc.Arbitrary<FunnelRules> = fc
  .record({ funnel: narrow, steps: fc.array(filter, { minLength: 3, maxLength: 4 }) })
  .map(({ funnel, steps }) => ({ ...funnel, steps, from: 0, to: 9000, window_seconds: 6, exclude: [] }));

const funnel = fc.oneof(narrow, wide);

/** The order of events, implemented differently than in the code. */
function sorted(events: readonly FunnelEvent[]): FunnelEvent[] {
  const rank = ({ type, occurred_at, id }: FunnelEvent) =>
    `${occurred_at / 1000} ${type === 'touchpoint' ? 1 : 2} ${Buffer.from(id).toString('hex')}`;
  return events.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** Checks every choice of events against every sentence of the definition. */
function byBruteForce(events: readonly FunnelEvent[], funnel: FunnelRules): EntityFunnel {
  const log = sorted(events);
  const choices = Array.from({ length: 2 ** log.length - 1 }, (_, bits) =>
    log.map((_, i) => i).filter((i) => ((bits + 1) >> i) & 1),
  );
  const chains = choices.filter((chosen) => isChain(chosen, log, funnel)).toSorted(compareLists);
  const level = Math.max(0, ...chains.map(({ length }) => length));
  const best = chains.find(({ length }) => length === level) ?? [];
  return {
    level,
    chain: pick(log, best),
    completions: funnel.steps.map((_, i) => mostApart(chains.filter(({ length }) => length === i + 1))),
  };
}

function pick(log: readonly FunnelEvent[], chosen: readonly number[]): FunnelEvent[] {
  return chosen.flatMap((i) => log[i] ?? []);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const differences = a.map((one, i) => one - (b[i] ?? -1));
  return differences.find((difference) => difference !== 0) ?? -1;
}

function isChain(chosen: readonly number[], log: readonly FunnelEvent[], funnel: FunnelRules): boolean {
  const events = pick(log, chosen);
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) return false;
  const mayStart = (one: FunnelEvent) =>
    one.occurred_at >= funnel.from && one.occurred_at < funnel.to && fillsSteps([one], funnel);
  const isConsecutive = chosen.every((one, i) => i === 0 || one === (chosen[i - 1] ?? 0) + 1);
  return (
    mayStart(first) &&
    (funnel.entry === 'any' || first === log.find(mayStart)) &&
    last.occurred_at - first.occurred_at <= funnel.window_seconds * 1000 &&
    (funnel.order !== 'strict' || isConsecutive) &&
    fillsSteps(events, funnel) &&
    holds(events, funnel.hold) &&
    !funnel.exclude.some((exclusion) => isVoid(chosen, log, exclusion))
  );
}

type Steps = Pick<FunnelRules, 'steps' | 'order'>;

function fillsSteps(events: readonly FunnelEvent[], { steps, order }: Steps): boolean {
  const [one, ...rest] = events;
  if (!one) return true;
  const candidates = order === 'any' ? steps : steps.slice(0, 1);
  return candidates.some(
    (step, i) => fits(one, step) && fillsSteps(rest, { steps: steps.toSpliced(i, 1), order }),
  );
}

function holds(events: readonly FunnelEvent[], hold: readonly string[]): boolean {
  const touchpoints = events.filter(({ type }) => type === 'touchpoint');
  return touchpoints.every((a, i) =>
    touchpoints
      .slice(i + 1)
      .every((b) => hold.every((field) => a[field] !== null && b[field] !== null && a[field] === b[field])),
  );
}

function isVoid(chosen: readonly number[], log: readonly FunnelEvent[], exclusion: Exclusion): boolean {
  const after = exclusion.after_step ?? 1;
  const before = Math.min(exclusion.before_step ?? chosen.length, chosen.length);
  const [start, end] = [chosen[after - 1], chosen[before - 1]];
  return (
    start !== undefined && end !== undefined && log.slice(start + 1, end).some((one) => fits(one, exclusion))
  );
}

/** The largest number of chains of which each ends before the next begins. */
function mostApart(chains: readonly (readonly number[])[], after = -1): number {
  const next = chains.filter(([start = 0]) => start > after);
  return Math.max(0, ...next.map((chain) => 1 + mostApart(next, chain.at(-1))));
}

test('agrees with every choice of events looked at', () => {
  fc.assert(
    fc.property(fc.oneof(logOf(8), logOf(8, 6)), funnel, (events, funnel) => {
      expect(funnelOf(events, funnel)).toEqual(byBruteForce(events, funnel));
    }),
    { numRuns: 3000 },
  );
});

test('the order in which events arrive changes nothing', () => {
  const shuffled = logOf(10).chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, funnel, ([events, others], funnel) => {
      expect(funnelOf(others, funnel)).toEqual(funnelOf(events, funnel));
    }),
    { numRuns: 500 },
  );
});

describe('what is reached', () => {
  const people = fc.array(logOf(10), { maxLength: 6 });
  const countsOf = (people: FunnelEvent[][], funnel: FunnelRules, count: (typeof FUNNEL_COUNTS)[number]) => {
    const entities = people.map((events) => funnelOf(events, funnel));
    return summariseFunnel(entities, { steps: funnel.steps, count }).steps.map(({ count }) => count);
  };
  const holdsFor = <T>(
    change: fc.Arbitrary<T>,
    check: (people: FunnelEvent[][], funnel: FunnelRules, change: T) => void,
  ) => fc.assert(fc.property(people, funnel, change, check), { numRuns: 500 });

  test('never grows from step to step', () => {
    holdsFor(fc.constantFrom(...FUNNEL_COUNTS), (people, funnel, count) => {
      const counts = countsOf(people, funnel, count);
      expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    });
  });

  test('never falls when the window widens', () => {
    holdsFor(fc.integer({ min: 1, max: 6 }), (people, funnel, more) => {
      const wider = { ...funnel, window_seconds: funnel.window_seconds + more };
      for (const count of FUNNEL_COUNTS) {
        const before = countsOf(people, funnel, count);
        for (const [i, now] of countsOf(people, wider, count).entries()) {
          expect(now).toBeGreaterThanOrEqual(before[i] ?? 0);
        }
      }
    });
  });

  test('stays as it was when an ordered or strict funnel gets one more step at its end', () => {
    holdsFor(fc.tuple(filter, fc.constantFrom('ordered', 'strict')), (people, funnel, [last, order]) => {
      const longer = { ...funnel, order, steps: [...funnel.steps, last] };
      for (const count of FUNNEL_COUNTS) {
        const before = countsOf(people, { ...funnel, order }, count);
        expect(countsOf(people, longer, count).slice(0, -1)).toEqual(before);
      }
    });
  });

  test('is never raised at later steps by a step put in before them, after the first', () => {
    holdsFor(fc.tuple(filter, fc.integer({ min: 1, max: 3 })), (people, funnel, [step, at]) => {
      const ordered = { ...funnel, order: 'ordered' } as const;
      expectNoneRaised(people, ordered, step, Math.min(at, funnel.steps.length));
    });
  });

  test('nor by one before the first, when all starts count and the range ends after everything', () => {
    holdsFor(filter, (people, funnel, step) => {
      expectNoneRaised(people, { ...funnel, order: 'ordered', entry: 'any', to: 9000 }, step, 0);
    });
  });

  function expectNoneRaised(
    people: FunnelEvent[][],
    funnel: FunnelRules,
    step: EventFilter,
    at: number,
  ): void {
    const moved = (bound: number | undefined) => (bound && bound > at ? bound + 1 : bound);
    const exclude = funnel.exclude.map((exclusion) => ({
      ...exclusion,
      after_step: moved(exclusion.after_step),
      before_step: moved(exclusion.before_step),
    }));
    const longer = { ...funnel, exclude, steps: funnel.steps.toSpliced(at, 0, step) };
    for (const count of FUNNEL_COUNTS) {
      const before = countsOf(people, funnel, count);
      for (const [i, now] of countsOf(people, longer, count).entries()) {
        if (i > at) expect(now).toBeLessThanOrEqual(before[i - 1] ?? 0);
      }
    }
  }

  test('is completed at least once by everyone who reached it', () => {
    holdsFor(fc.constant(null), (people, funnel) => {
      const completions = countsOf(people, funnel, 'completions');
      for (const [i, count] of countsOf(people, funnel, 'people').entries()) {
        expect(completions[i]).toBeGreaterThanOrEqual(count);
      }
    });
  });

  test('sums over the groups of a breakdown to the total, with value', () => {
    const settings = fc.record({
      count: fc.constantFrom(...FUNNEL_COUNTS),
      breakdown: fc.record({
        by: fc.constantFrom(['kind'], ['conversation'], ['kind', 'conversation', 'goal']),
        at_step: fc.integer({ min: 1, max: 4 }),
      }),
    });
    holdsFor(settings, (people, funnel, settings) => {
      const entities = people.map((events) => funnelOf(events, funnel));
      const { steps, breakdown } = summariseFunnel(entities, { steps: funnel.steps, ...settings });
      for (const [i, { count, value }] of steps.entries()) {
        const parts = breakdown.flatMap(({ steps }) => steps[i] ?? []);
        expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(count);
        expect(parts.reduce((sum, part) => sum + part.value, 0)).toBe(value);
      }
    });
  });
});
