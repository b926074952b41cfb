import { describe, expect, test } from 'vitest';
import {
  type EventFilter,
  type FunnelEvent,
  type FunnelRules,
  fits,
  funnelOf,
  inFunnelOrder,
} from '../../src/domain/funnel.ts';

const MINUTE_MS = 60_000;

const kind = (...kinds: string[]): EventFilter => ({ touchpoint: { kind: kinds } });
const [mention, reply, click] = [kind('mention'), kind('reply'), kind('click')];
const purchase: EventFilter = { conversion: { goal: ['purchase'] } };

function touch(id: string, minute: number, kind: string, fields: object = {}): FunnelEvent {
  return { type: 'touchpoint', id, occurred_at: minute * MINUTE_MS, kind, ...fields };
}

function sale(id: string, minute: number, value: number | null = null): FunnelEvent {
  return { type: 'conversion', id, occurred_at: minute * MINUTE_MS, goal: 'purchase', value };
}

/** From minute 0 to 1,000, a window of 10 minutes. */
function funnel(steps: EventFilter[], changes: Partial<FunnelRules> = {}): FunnelRules {
  const to = 1000 * MINUTE_MS;
  const usual = { order: 'ordered', entry: 'any', window_seconds: 600, hold: [], exclude: [] } as const;
  return { from: 0, to, steps, ...usual, ...changes };
}

/** The level, and the ids of the chain. */
function reach(events: FunnelEvent[], steps: EventFilter[], changes: Partial<FunnelRules> = {}): string {
  const { level, chain } = funnelOf(events, funnel(steps, changes));
  return [level, ...chain.map(({ id }) => id)].join(' ');
}

describe('matching', () => {
  test('fields are AND-ed, values OR-ed, null is an empty field, an absent one too', () => {
    const event = touch('t', 0, 'mention', { channel: 'x', campaign: null });
    expect(fits(event, { touchpoint: { kind: ['reply', 'mention'], channel: ['x'] } })).toBe(true);
    expect(fits(event, { touchpoint: { kind: ['mention'], channel: ['email'] } })).toBe(false);
    expect(fits(event, { touchpoint: { campaign: [null], topic: ['a', null] } })).toBe(true);
    expect(fits(event, { touchpoint: { channel: [null] } })).toBe(false);
  });

  test('a conversion fits no touchpoint step, whatever its fields, and the other way round', () => {
    expect(fits(sale('c', 0), { touchpoint: {} })).toBe(false);
    expect(fits(touch('t', 0, 'mention', { goal: 'purchase' }), purchase)).toBe(false);
    expect(fits(sale('c', 0), { conversion: { goal: ['lead', 'purchase'] } })).toBe(true);
    expect(fits(sale('c', 0), { conversion: { goal: ['lead'] } })).toBe(false);
  });
});

describe('order of everything', () => {
  test('by time, then touchpoints before conversions, then by id bytewise', () => {
    const sorted = [
      touch('z', 0, 'm'),
      touch('Ａ', 1, 'm'),
      touch('😀', 1, 'm'),
      sale('a', 1),
      touch('a', 2, 'm'),
    ];
    expect([...sorted].reverse().sort(inFunnelOrder)).toEqual(sorted);
  });

  test('events of one instant are a chain when the order has them so', () => {
    expect(reach([touch('a', 0, 'mention'), touch('b', 0, 'reply')], [mention, reply])).toBe('2 a b');
    expect(reach([touch('b', 0, 'mention'), touch('a', 0, 'reply')], [mention, reply])).toBe('1 b');
    expect(reach([sale('a', 0), touch('b', 0, 'mention')], [mention, purchase])).toBe('2 b a');
  });
});

describe('ordered', () => {
  test('the window counts from the first step, inclusive, and does not begin again at each', () => {
    const events = [touch('a', 0, 'mention'), touch('b', 6, 'reply'), touch('c', 12, 'click')];
    expect(reach(events, [mention, reply, click])).toBe('2 a b');
    expect(reach(events, [mention, reply, click], { window_seconds: 720 })).toBe('3 a b c');
    expect(reach(events, [mention, reply, click], { window_seconds: 719.999 })).toBe('2 a b');
  });

  test('one event fills one step', () => {
    expect(reach([touch('a', 0, 'mention')], [mention, mention])).toBe('1 a');
    expect(reach([sale('s', 0), touch('a', 1, 'mention')], [purchase, mention, mention])).toBe('2 s a');
    expect(reach([touch('a', 0, 'mention'), touch('b', 0, 'mention')], [mention, mention])).toBe('2 a b');
  });

  test('the first step lies in [from, to), later ones may lie after it', () => {
    const [from, to] = [5 * MINUTE_MS, 8 * MINUTE_MS];
    const at = (first: number, second: number) =>
      reach([touch('a', first, 'mention'), sale('b', second)], [mention, purchase], { from, to });
    expect([at(4.9, 6), at(5, 6), at(7.9, 9), at(8, 9)]).toEqual(['0', '2 a b', '2 a b', '0']);
  });

  test('the best start counts; with entry=first only the first one in the range', () => {
    const events = [touch('a', 0, 'mention'), touch('b', 20, 'mention'), touch('c', 25, 'reply')];
    expect(reach(events, [mention, reply])).toBe('2 b c');
    expect(reach(events, [mention, reply], { entry: 'first' })).toBe('1 a');
    expect(reach(events, [mention, reply], { entry: 'first', from: 1 })).toBe('2 b c');
  });

  test('of equal levels the earliest start, each step its earliest match', () => {
    const events = [
      touch('a', 0, 'mention'),
      touch('b', 1, 'mention'),
      touch('c', 2, 'reply'),
      touch('d', 3, 'reply'),
      sale('e', 4),
      sale('f', 5),
    ];
    expect(reach(events, [mention, reply, purchase])).toBe('3 a c e');
  });
});

describe('strict', () => {
  test('no other event lies between, not even one that no step names, or a conversion', () => {
    const [a, c] = [touch('a', 0, 'mention'), touch('c', 2, 'reply')];
    expect(reach([a, c], [mention, reply], { order: 'strict' })).toBe('2 a c');
    expect(reach([a, touch('b', 1, 'other'), c], [mention, reply], { order: 'strict' })).toBe('1 a');
    expect(reach([a, sale('b', 1), c], [mention, reply], { order: 'strict' })).toBe('1 a');
    expect(reach([a, touch('b', 1, 'mention'), c], [mention, reply], { order: 'strict' })).toBe('2 b c');
  });
});

describe('any', () => {
  test('counts different steps, whatever their order', () => {
    const events = [sale('a', 0), touch('b', 1, 'reply'), touch('c', 2, 'reply'), touch('d', 3, 'mention')];
    expect(reach(events, [mention, reply, purchase], { order: 'any' })).toBe('3 a b d');
  });

  test('an event fills the step that leaves the others theirs', () => {
    const steps = [kind('mention', 'reply'), mention];
    expect(reach([touch('a', 0, 'mention'), touch('b', 1, 'reply')], steps, { order: 'any' })).toBe('2 a b');
    expect(reach([touch('a', 0, 'reply'), touch('b', 1, 'reply')], steps, { order: 'any' })).toBe('1 a');
  });

  test('the window begins at the first matched event, which lies in [from, to)', () => {
    const events = [touch('a', 0, 'reply'), touch('b', 8, 'mention'), sale('c', 16)];
    expect(reach(events, [mention, reply, purchase], { order: 'any' })).toBe('2 a b');
    expect(reach(events, [mention, reply, purchase], { order: 'any', from: 1 })).toBe('2 b c');
    expect(reach(events, [mention, reply, purchase], { order: 'any', to: 1 })).toBe('2 a b');
  });
});

describe('exclude', () => {
  const other = kind('other');
  const events = [
    touch('a', 0, 'mention'),
    touch('b', 1, 'other'),
    touch('c', 2, 'reply'),
    touch('d', 3, 'click'),
  ];
  const steps = [mention, reply, click];
  const bounds = (after_step?: number, before_step?: number, kinds = other) =>
    reach(events, steps, { exclude: [{ ...kinds, after_step, before_step }] });

  test('without bounds nothing that matches lies in the whole chain', () => {
    expect(bounds()).toBe('1 a');
    expect(bounds(undefined, undefined, kind('view'))).toBe('3 a c d');
  });

  test('with bounds nothing lies between those two steps', () => {
    expect([bounds(1, 2), bounds(1), bounds(1, 3)]).toEqual(['1 a', '1 a', '1 a']);
    expect([bounds(2, 3), bounds(2)]).toEqual(['3 a c d', '3 a c d']);
  });

  test('a chain that does not come as far as the bound is looked at as far as it comes', () => {
    expect(reach(events.slice(0, 3), steps, { exclude: [{ ...other, after_step: 1, before_step: 3 }] })).toBe(
      '1 a',
    );
  });

  test('another chain that is not void still counts', () => {
    const again = touch('bb', 1.5, 'mention');
    expect(reach([...events, again], steps, { exclude: [other] })).toBe('3 bb c d');
  });

  test('an event of the chain itself counts when it lies between the bounds', () => {
    expect(reach(events, steps, { exclude: [reply] })).toBe('2 a c');
    expect(reach(events, steps, { exclude: [{ ...reply, after_step: 2 }] })).toBe('3 a c d');
    expect(reach(events, steps, { exclude: [{ ...reply, before_step: 2 }] })).toBe('3 a c d');
  });

  test('in any, the bounds are the events of the chain by their number in time', () => {
    const any = (after_step: number) =>
      reach(events, [click, reply, mention], { order: 'any', exclude: [{ ...other, after_step }] });
    expect([any(1), any(2)]).toEqual(['2 c d', '3 a c d']);
  });
});

describe('hold', () => {
  const thread = (id: string, minute: number, kind: string, conversation: string | null) =>
    touch(id, minute, kind, { conversation });
  const hold = ['conversation'];

  test('all touchpoints share the value; conversions are exempt', () => {
    const events = [
      thread('a', 0, 'mention', 'one'),
      thread('b', 1, 'reply', 'two'),
      thread('c', 2, 'reply', 'one'),
    ];
    expect(reach([...events, sale('d', 3)], [mention, reply, purchase], { hold })).toBe('3 a c d');
    expect(reach(events.slice(0, 2), [mention, reply], { hold })).toBe('1 a');
    expect(reach([sale('s', 0), ...events], [purchase, reply, click], { hold })).toBe('2 s b');
  });

  test('null never equals null; one touchpoint alone has nothing to equal', () => {
    const events = [thread('a', 0, 'mention', null), thread('b', 1, 'reply', null), sale('c', 2)];
    expect(reach(events, [mention, reply], { hold })).toBe('1 a');
    expect(reach(events, [mention, purchase], { hold })).toBe('2 a c');
  });

  test('the earliest match of a step may have to wait for a later thread', () => {
    const events = [
      sale('s', 0),
      thread('a', 1, 'mention', 'one'),
      thread('b', 2, 'mention', 'two'),
      thread('c', 3, 'reply', 'two'),
    ];
    expect(reach(events, [purchase, mention, reply], { hold })).toBe('3 s b c');
  });
});

describe('completions', () => {
  const completions = (events: FunnelEvent[], changes: Partial<FunnelRules> = {}) =>
    funnelOf(events, funnel([mention, reply], changes)).completions;
  const [a, b, c, d] = [
    touch('a', 0, 'mention'),
    touch('b', 1, 'mention'),
    touch('c', 2, 'reply'),
    touch('d', 3, 'reply'),
  ];

  test('chains do not overlap', () => {
    expect(completions([a, b, c, d])).toEqual([2, 1]);
    expect(completions([a, b, c, d, touch('e', 4, 'mention'), touch('f', 5, 'reply')])).toEqual([3, 2]);
  });

  test('one start has one completion at most', () => {
    const twice = [a, c, touch('e', 4, 'mention'), touch('f', 5, 'reply')];
    expect(completions(twice)).toEqual([2, 2]);
    expect(completions(twice, { entry: 'first' })).toEqual([1, 1]);
  });
});
