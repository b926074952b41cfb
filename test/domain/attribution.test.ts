import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MODELS, type Touch, weightsOf } from '../../src/domain/attribution.ts';
import { withMilestones } from '../../src/domain/milestones.ts';
import { DAY_MS } from '../../src/domain/time.ts';

const NOW = Date.UTC(2026, 5, 1);
const settings = { half_life_days: 7, weights: { first: 1, middle: 2, last: 1 } };

/** Touches of these ages in days, oldest first. */
const aged = (...ages: number[]): Touch[] =>
  ages.map((age) => ({ occurred_at: NOW - age * DAY_MS, channel: 'x' }));
const channels = (...names: string[]): Touch[] =>
  names.map((channel, i) => ({ occurred_at: NOW + i, channel }));
const round = (weights: number[], factor = 1) =>
  weights.map((weight) => Math.round(weight * factor * 100) / 100);

describe('weights', () => {
  test.each([
    ['first_touch of 3', 'first_touch', 3, [1, 0, 0]],
    ['last_touch of 3', 'last_touch', 3, [0, 0, 1]],
    ['linear of 4', 'linear', 4, [0.25, 0.25, 0.25, 0.25]],
    ['position_based of 1', 'position_based', 1, [1]],
    ['position_based of 2', 'position_based', 2, [0.5, 0.5]],
    ['position_based of 3', 'position_based', 3, [0.4, 0.2, 0.4]],
    ['position_based of 4', 'position_based', 4, [0.4, 0.1, 0.1, 0.4]],
    ['j_shaped of 2', 'j_shaped', 2, [0.25, 0.75]],
    ['j_shaped of 4', 'j_shaped', 4, [0.2, 0.1, 0.1, 0.6]],
    ['inverse_j_shaped of 2', 'inverse_j_shaped', 2, [0.75, 0.25]],
    ['inverse_j_shaped of 4', 'inverse_j_shaped', 4, [0.6, 0.1, 0.1, 0.2]],
    ['custom 1,2,1 of 3 is 25, 50, 25 %', 'custom', 3, [0.25, 0.5, 0.25]],
    ['custom 1,2,1 of 2 leaves the middle out', 'custom', 2, [0.5, 0.5]],
  ] as const)('%s', (_name, model, count, expected) => {
    const touches = aged(...Array.from({ length: count }, (_, i) => count - i));
    expect(weightsOf(model, touches, settings)).toEqual(expected.map((weight) => expect.closeTo(weight, 12)));
  });

  test('time_decay: ages 9, 6, 0, 0 days of 50.00 give 6.92, 9.32, 16.88, 16.88 (Adobe)', () => {
    expect(round(weightsOf('time_decay', aged(9, 6, 0, 0), settings), 50)).toEqual([
      6.92, 9.32, 16.88, 16.88,
    ]);
  });

  test('time_decay is the same for a journey that ended long ago: ages count from its newest touch', () => {
    const [old, young] = [aged(3009, 3006, 3000), aged(9, 6, 0)].map((touches) =>
      weightsOf('time_decay', touches, settings),
    );
    expect(old).toEqual(young?.map((weight) => expect.closeTo(weight, 12)));
  });

  test('time_decay beyond 1,000 half-lives is 0, not a number too small to hold', () => {
    expect(weightsOf('time_decay', aged(101, 0), { half_life_days: 0.1 })).toEqual([0, 1]);
  });

  test.each([
    ['x, email, direct: the last that is not direct', ['x', 'email', 'direct'], [0, 1, 0]],
    ['direct, direct: the last, where there is no other', ['direct', 'direct'], [0, 1]],
    ['direct, x, direct, direct', ['direct', 'x', 'direct', 'direct'], [0, 1, 0, 0]],
  ])('last_non_direct of %s', (_name, names, expected) => {
    expect(weightsOf('last_non_direct', channels(...names), settings)).toEqual(expected);
  });

  test('custom without weights, or with both ends 0, is refused', () => {
    expect(() => weightsOf('custom', aged(1), { half_life_days: 7 })).toThrow(RangeError);
    expect(() =>
      weightsOf('custom', aged(1), { half_life_days: 7, weights: { first: 0, middle: 1, last: 0 } }),
    ).toThrow(RangeError);
  });

  test('of any journey under any model are from 0 to 1 and sum to 1; of an empty one there are none', () => {
    const touch = fc.record({
      occurred_at: fc.integer({ min: NOW - 400 * DAY_MS, max: NOW }),
      channel: fc.constantFrom('x', 'direct'),
    });
    const reachedAt = fc.option(fc.integer({ min: NOW - 400 * DAY_MS, max: NOW }));
    fc.assert(
      fc.property(
        fc.array(touch, { maxLength: 60 }),
        fc.constantFrom(...MODELS),
        fc.double({ min: 0.1, max: 365, noNaN: true }),
        fc.record({ lead: reachedAt, opportunity: reachedAt }),
        (touches, model, half_life_days, times) => {
          const inOrder = touches.toSorted((a, b) => a.occurred_at - b.occurred_at);
          const sorted = withMilestones(inOrder, times);
          const weights = weightsOf(model, sorted, { ...settings, half_life_days });
          expect(weights).toHaveLength(touches.length);
          for (const weight of weights) expect(weight >= 0 && weight <= 1 + 1e-12).toBe(true);
          if (touches.length > 0) expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
        },
      ),
    );
  });
});
