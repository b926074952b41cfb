import { describe, expect, test } from 'vitest';
import { type EntityFunnel, type FunnelEvent, funnelOf } from '../../src/domain/funnel.ts';
import {
  type FunnelReportSettings,
  percentileCont,
  summariseFunnel,
} from '../../src/domain/funnel-report.ts';

const STEPS = [
  { touchpoint: { kind: ['mention'] } },
  { touchpoint: { kind: ['reply'] } },
  { conversion: { goal: ['purchase'] } },
];

const NONE = { median: null, p90: null };

function mention(id: string, minute: number, channel: string | null): FunnelEvent {
  return { type: 'touchpoint', id, occurred_at: minute * 60_000, kind: 'mention', channel };
}

function reply(id: string, minute: number, channel: string | null = null): FunnelEvent {
  return { ...mention(id, minute, channel), kind: 'reply' };
}

function sale(id: string, minute: number, value: number | null): FunnelEvent {
  return { type: 'conversion', id, occurred_at: minute * 60_000, goal: 'purchase', value };
}

function reached(events: FunnelEvent[]): EntityFunnel {
  return funnelOf(events, {
    from: 0,
    to: 3_600_000,
    steps: STEPS,
    order: 'ordered',
    window_seconds: 600,
    entry: 'any',
    hold: [],
    exclude: [],
  });
}

const PEOPLE = [
  [mention('a1', 0, 'x'), reply('a2', 1), sale('a3', 4, 20.5)],
  [mention('b1', 0, 'x'), reply('b2', 3, 'email')],
  [mention('c1', 0, null), reply('c2', 2), sale('c3', 10, 4.5), sale('c4', 10, 100)],
  [mention('d1', 0, 'email'), mention('d2', 20, 'x')],
  [reply('e1', 0)],
].map(reached);

function report(settings: Partial<FunnelReportSettings> = {}, people = PEOPLE) {
  return summariseFunnel(people, { steps: STEPS, count: 'people', ...settings });
}

describe('steps', () => {
  test('counts, rates, value, median and p90', () => {
    const { steps, breakdown } = report();
    expect(breakdown).toEqual([]);
    expect(steps).toEqual([
      {
        step: 1,
        count: 4,
        rate_from_start: 1,
        rate_from_previous: null,
        value: 0,
        seconds_from_previous: NONE,
        seconds_from_start: { median: 0, p90: 0 },
      },
      {
        step: 2,
        count: 3,
        rate_from_start: 0.75,
        rate_from_previous: 0.75,
        value: 0,
        seconds_from_previous: { median: 120, p90: 168 },
        seconds_from_start: { median: 120, p90: 168 },
      },
      {
        step: 3,
        count: 2,
        rate_from_start: 0.5,
        rate_from_previous: 2 / 3,
        value: 25,
        seconds_from_previous: { median: 330, p90: 450 },
        seconds_from_start: { median: 420, p90: 564 },
      },
    ]);
  });

  test('nobody: counts of 0, no rates, no seconds', () => {
    for (const step of report({}, []).steps) {
      expect(step).toMatchObject({ count: 0, rate_from_start: null, rate_from_previous: null, value: 0 });
      expect(step).toMatchObject({ seconds_from_previous: NONE, seconds_from_start: NONE });
    }
  });

  test('nobody at the step before: no rate from it', () => {
    const { steps } = report({}, [reached([mention('a', 0, 'x')])]);
    expect(steps.map(({ rate_from_start }) => rate_from_start)).toEqual([1, 0, 0]);
    expect(steps.map(({ rate_from_previous }) => rate_from_previous)).toEqual([null, 0, null]);
  });

  test('a conversion without a known value counts all the same; a touchpoint has no value', () => {
    const events = [{ ...mention('a', 0, 'x'), value: 5 }, reply('b', 1), sale('c', 2, null)];
    expect(report({}, [reached(events)]).steps.map(({ count, value }) => [count, value])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  test('completions are counted as often as they happened; value and seconds stay those of the chains', () => {
    const { steps } = report({ count: 'completions' });
    expect(steps.map(({ count }) => count)).toEqual([5, 3, 2]);
    expect(steps.map(({ rate_from_start }) => rate_from_start)).toEqual([1, 0.6, 0.4]);
    expect(steps[2]?.value).toBe(25);
  });
});

describe('breakdown', () => {
  const groups = (settings: Partial<FunnelReportSettings>) =>
    report(settings).breakdown.map(({ group, steps }) => [group, steps.map(({ count }) => count)]);

  test('by the value at step 1, largest first, an empty field last; who never began is in no group', () => {
    expect(groups({ breakdown: { by: ['channel'], at_step: 1 } })).toEqual([
      [['x'], [2, 2, 1]],
      [['email'], [1, 0, 0]],
      [[null], [1, 1, 1]],
    ]);
  });

  test('who is short of the step named is in the group null, which is not an empty field', () => {
    expect(groups({ breakdown: { by: ['channel'], at_step: 2 } })).toEqual([
      [[null], [2, 2, 2]],
      [['email'], [1, 1, 0]],
      [null, [1, 0, 0]],
    ]);
  });

  test('by several fields', () => {
    expect(groups({ breakdown: { by: ['channel', 'kind'], at_step: 1 } })[0]).toEqual([
      ['x', 'mention'],
      [2, 2, 1],
    ]);
  });

  test('of completions', () => {
    expect(groups({ breakdown: { by: ['channel'], at_step: 1 }, count: 'completions' })).toEqual([
      [['email'], [2, 0, 0]],
      [['x'], [2, 2, 1]],
      [[null], [1, 1, 1]],
    ]);
  });
});

test('percentiles lie between the two nearest ranks', () => {
  expect(percentileCont([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(percentileCont([10, 0], 0.9)).toBe(9);
  expect(percentileCont([7], 0.9)).toBe(7);
  expect(percentileCont([], 0.5)).toBeNull();
});
