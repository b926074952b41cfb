import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FollowUp, medianTime } from '../../src/domain/survival.ts';

/** Times of events; those with a plus are censored. */
function told(times: string): FollowUp[] {
  return times
    .split(' ')
    .filter((time) => time !== '')
    .map((time) => ({ seconds: Number(time.replace('+', '')), converted: !time.endsWith('+') }));
}

/** Freireich et al. 1963, remission of acute leukaemia in weeks, as in Collett and in Kalbfleisch & Prentice. */
test('the two arms of the 6-MP trial have medians of 23 and of 8 weeks', () => {
  const treated = '6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+';
  const placebo = '1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23';
  expect(medianTime(told(treated))).toBe(23);
  expect(medianTime(told(placebo))).toBe(8);
});

test.each<[name: string, times: string, median: number | null]>([
  ['of nobody is unknown', '', null],
  ['of one event is its time, also at once', '0', 0],
  ['of one who was only watched is unknown', '9+', null],
  ['is unknown where the curve stays above one half: 2/3', '1 2+ 3+', null],
  ['is there where the curve comes down to exactly one half: 3/4 × 2/3', '1 2 3+ 3+', 2],
  ['is there after one that was censored: 5/6 × 3/5', '1 2 2 3+ 3+ 3+', 2],
  ['is the earliest time at one half, and not the middle to the next', '1 5', 1],
  ['is of all events at one time together: 1 − 2/4', '3 3 4+ 4+', 3],
  ['counts whoever is censored at the time of an event as still at risk: 1 − 1/3', '2 2+ 1+ 3+', null],
  ['counts nobody as at risk who was censored before: 1 − 1/2', '1+ 1+ 2 3+', 2],
  ['is unknown where everybody was only watched', '1+ 2+ 3+', null],
])('the median %s', (_, times, median) => {
  expect(medianTime(told(times))).toBe(median);
});

/** With 24 people the product of doubles is 0.5000000000000001. */
test('the median of 1 to 24 is 12, whatever the last digits of the product', () => {
  expect(medianTime(Array.from({ length: 24 }, (_, i) => ({ seconds: i + 1, converted: true })))).toBe(12);
});

const followUp = fc.record({ seconds: fc.integer({ min: 0, max: 30 }), converted: fc.boolean() });

test('without censoring it is the lower median of all times, and order does not matter', () => {
  fc.assert(
    fc.property(fc.array(followUp, { minLength: 1 }), (sample) => {
      const all = sample.map(({ seconds }) => ({ seconds, converted: true }));
      const sorted = all.map(({ seconds }) => seconds).sort((a, b) => a - b);
      expect(medianTime(all)).toBe(sorted[Math.ceil(sorted.length / 2) - 1]);
      expect(medianTime(sample.toReversed())).toBe(medianTime(sample));
    }),
    { seed: 20260701 },
  );
});
