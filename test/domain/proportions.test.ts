import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Arm,
  conversionRate,
  oddsRatio,
  riskDifference,
  riskRatio,
} from '../../src/domain/proportions.ts';

const arm = (converted: number, people: number): Arm => ({ converted, people });

test('84 of 1000 against 52 of 2000: risk ratio 3.2308 (2.3055 to 4.5273), odds ratio 3.4353', () => {
  const ratio = riskRatio(arm(84, 1000), arm(52, 2000));
  expect(ratio.estimate).toBeCloseTo(3.2308, 4);
  expect(ratio.low).toBeCloseTo(2.3055, 4);
  expect(ratio.high).toBeCloseTo(4.5273, 4);
  expect(oddsRatio(arm(84, 1000), arm(52, 2000)).estimate).toBeCloseTo(3.4353, 4);
});

/** Newcombe 1998, Statistics in Medicine 17:857–872, table I, method 3; to four decimals. */
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('Wilson: %i of %i is between %f and %f', (converted, people, low, high) => {
  const rate = conversionRate(arm(converted, people));
  expect(rate.rate).toBe(converted / people);
  expect(rate.rate_low).toBeCloseTo(low, 4);
  expect(rate.rate_high).toBeCloseTo(high, 4);
});

/** Newcombe 1998, Statistics in Medicine 17:873–890, table II, method 10; to four decimals. */
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [10, 10, 0, 20, 0.6791, 1],
  [0, 10, 0, 10, -0.2775, 0.2775],
])('Newcombe: %i of %i less %i of %i is between %f and %f', (a, n, c, m, low, high) => {
  const difference = riskDifference(arm(a, n), arm(c, m));
  expect(difference.estimate).toBeCloseTo(a / n - c / m, 12);
  expect(difference.low).toBeCloseTo(low, 4);
  expect(difference.high).toBeCloseTo(high, 4);
});

/** log(4 × 6 / (1 × 4)) = 1.7918, standard error √(1/4 + 1/6 + 1/1 + 1/4) … of 4 of 5 against 4 of 10. */
test('4 of 5 against 4 of 10: odds ratio 6 within exp(1.7918 ± 1.96 × √1.6667)', () => {
  const odds = oddsRatio(arm(4, 5), arm(4, 10));
  expect(odds.estimate).toBeCloseTo(6, 12);
  expect(odds.low).toBeCloseTo(Math.exp(Math.log(6) - 1.959964 * Math.sqrt(5 / 3)), 5);
  expect(odds.high).toBeCloseTo(Math.exp(Math.log(6) + 1.959964 * Math.sqrt(5 / 3)), 5);
});

test('an arm where nobody converted has no ratio, and an interval from half a conversion and one person more', () => {
  const ratio = riskRatio(arm(0, 10), arm(5, 20));
  const halved = 0.5 / 11 / (5.5 / 21);
  const error = Math.sqrt(1 / 0.5 - 1 / 11 + 1 / 5.5 - 1 / 21);
  expect(ratio.estimate).toBeNull();
  expect(ratio.low).toBeCloseTo(halved * Math.exp(-1.959964 * error), 6);
  expect(ratio.high).toBeCloseTo(halved * Math.exp(1.959964 * error), 6);
  const odds = oddsRatio(arm(0, 10), arm(5, 20));
  const halvedOdds = (0.5 * 15.5) / (10.5 * 5.5);
  const oddsError = Math.sqrt(1 / 0.5 + 1 / 10.5 + 1 / 5.5 + 1 / 15.5);
  expect(odds.estimate).toBeNull();
  expect(odds.low).toBeCloseTo(halvedOdds * Math.exp(-1.959964 * oddsError), 6);
  expect(odds.high).toBeCloseTo(halvedOdds * Math.exp(1.959964 * oddsError), 6);
});

test('an arm where everybody converted has a risk ratio, and odds without bound', () => {
  expect(riskRatio(arm(5, 5), arm(5, 10)).estimate).toBe(2);
  expect(oddsRatio(arm(5, 5), arm(5, 10)).estimate).toBeNull();
  expect(oddsRatio(arm(5, 5), arm(5, 10)).low).toBeGreaterThan(0);
});

test('everybody of both arms converted: the risk ratio is 1, and its interval is not of zero width', () => {
  const { estimate, low, high } = riskRatio(arm(40, 40), arm(60, 60));
  const middle = 40.5 / 41 / (60.5 / 61);
  const error = Math.sqrt(1 / 40.5 - 1 / 41 + 1 / 60.5 - 1 / 61);
  expect(estimate).toBe(1);
  expect(low).toBeCloseTo(middle * Math.exp(-1.959964 * error), 6);
  expect(high).toBeCloseTo(middle * Math.exp(1.959964 * error), 6);
  expect(low).toBeLessThan(1);
  expect(high).toBeGreaterThan(1);
});

test('an arm of nobody says nothing', () => {
  const unknown = { estimate: null, low: null, high: null };
  for (const compare of [riskRatio, oddsRatio, riskDifference]) {
    expect(compare(arm(0, 0), arm(1, 2))).toEqual(unknown);
    expect(compare(arm(1, 2), arm(0, 0))).toEqual(unknown);
  }
  expect(conversionRate(arm(0, 0))).toEqual({ rate: null, rate_low: null, rate_high: null });
});

const anyArm = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 5000 }))
  .map(([people, converted]) => arm(Math.min(converted, people), people));

test('intervals hold their estimates, rates stay within 0 and 1, and nothing is ever NaN', () => {
  fc.assert(
    fc.property(anyArm, anyArm, (one, other) => {
      const { rate, rate_low, rate_high } = conversionRate(one);
      expect(rate_low).toBeGreaterThanOrEqual(0);
      expect(rate_high).toBeLessThanOrEqual(1);
      expect((rate_low ?? 1) - 1e-12).toBeLessThanOrEqual(rate ?? 0);
      expect((rate_high ?? 0) + 1e-12).toBeGreaterThanOrEqual(rate ?? 1);
      for (const compare of [riskRatio, oddsRatio, riskDifference]) {
        const { estimate, low, high } = compare(one, other);
        expect(low).not.toBeNull();
        expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true);
        expect(low).toBeLessThan(high ?? 0);
        if (estimate !== null) {
          expect((low ?? 0) - 1e-12).toBeLessThanOrEqual(estimate);
          expect((high ?? 0) + 1e-12).toBeGreaterThanOrEqual(estimate);
        }
      }
    }),
    { numRuns: 2000, seed: 20260601 },
  );
});

test('the ratio of two arms the other way around is one over it', () => {
  fc.assert(
    fc.property(anyArm, anyArm, (one, other) => {
      for (const compare of [riskRatio, oddsRatio]) {
        const there = compare(one, other);
        const back = compare(other, one);
        expect((there.low ?? 0) * (back.high ?? 0)).toBeCloseTo(1, 6);
        if (there.estimate !== null && back.estimate !== null)
          expect(there.estimate * back.estimate).toBeCloseTo(1, 9);
      }
    }),
    { numRuns: 500, seed: 20260602 },
  );
});
