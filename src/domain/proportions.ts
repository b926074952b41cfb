import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';

/** The confidence of every interval that a report gives. */
export const CONFIDENCE = 0.95;

/** Standard errors to each side, 1.96 for 95 %. */
const Z = normalQuantile(1 - (1 - CONFIDENCE) / 2, 0, 1);

/** `converted` of `people`, both counts, `converted` at most `people`. */
export interface Arm {
  people: number;
  converted: number;
}

/** A rate from 0 to 1 with its 95 % interval; null of nobody. */
export interface Rate {
  rate: number | null;
  rate_low: number | null;
  rate_high: number | null;
}

/** What one arm has against another, with its 95 % interval. Null where the data do not tell. */
export interface Comparison {
  estimate: number | null;
  low: number | null;
  high: number | null;
}

const UNKNOWN: Comparison = { estimate: null, low: null, high: null };

/**
 * The share of an arm that converted, with the Wilson score interval: right also for few people and for rates near 0
 * and 1, where the usual interval leaves the range.
 * Source: Wilson 1927; Newcombe 1998, method 3.
 */
export function conversionRate({ people, converted }: Arm): Rate {
  if (people === 0) return { rate: null, rate_low: null, rate_high: null };
  const middle = converted + Z ** 2 / 2;
  const spread = Z * Math.sqrt((converted * (people - converted)) / people + Z ** 2 / 4);
  const within = (rate: number) => Math.min(1, Math.max(0, rate / (people + Z ** 2)));
  return { rate: converted / people, rate_low: within(middle - spread), rate_high: within(middle + spread) };
}

/** exp(log(estimate) ± z × standard error). */
function aroundLog(estimate: number, error: number): { low: number; high: number } {
  return { low: estimate * Math.exp(-Z * error), high: estimate * Math.exp(Z * error) };
}

/**
 * The rate of the first arm over that of the second, with the log interval. The estimate is null where nobody of an arm
 * converted. Where nobody or everybody of an arm did, the interval is that of both arms with half a conversion and one
 * person more, so it is never of zero width.
 * Source: Katz et al. 1978; the correction: ADR 16.
 */
export function riskRatio(arm: Arm, against: Arm): Comparison {
  if (arm.people === 0 || against.people === 0) return UNKNOWN;
  const [first, second] = corrected(arm, against);
  const [a, n, c, m] = [first.converted, first.people, second.converted, second.people];
  const interval = aroundLog(a / n / (c / m), Math.sqrt(1 / a - 1 / n + 1 / c - 1 / m));
  const isZero = arm.converted === 0 || against.converted === 0;
  const estimate = isZero ? null : arm.converted / arm.people / (against.converted / against.people);
  return { estimate, ...interval };
}

/**
 * Both arms, with half a conversion and one person more each where nobody or everybody of one of them converted: the
 * log intervals of ratios divide by these counts.
 */
function corrected(arm: Arm, against: Arm): [Arm, Arm] {
  const isExtreme = ({ people, converted }: Arm) => converted === 0 || converted === people;
  if (!isExtreme(arm) && !isExtreme(against)) return [arm, against];
  const more = ({ people, converted }: Arm) => ({ people: people + 1, converted: converted + 0.5 });
  return [more(arm), more(against)];
}

/**
 * The odds of the first arm over those of the second, with the log interval. Where nobody or everybody of an arm
 * converted, odds are 0 or without bound: the estimate is null, and the interval that of both arms with half a
 * conversion and one person more.
 * Source: Woolf 1955; the half: Haldane 1956, Anscombe 1956.
 */
export function oddsRatio(arm: Arm, against: Arm): Comparison {
  if (arm.people === 0 || against.people === 0) return UNKNOWN;
  const arms = corrected(arm, against);
  const isExtreme = arms[0] !== arm;
  const [a = 0, b = 0, c = 0, d = 0] = arms.flatMap(({ people, converted }) => [
    converted,
    people - converted,
  ]);
  const estimate = (a * d) / (b * c);
  const interval = aroundLog(estimate, Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d));
  return { estimate: isExtreme ? null : estimate, ...interval };
}

/**
 * The rate of the first arm less that of the second, −1 to 1, with the interval that is put together from the Wilson
 * intervals of both.
 * Source: Newcombe 1998 (differences), method 10.
 */
export function riskDifference(arm: Arm, against: Arm): Comparison {
  const [first, second] = [conversionRate(arm), conversionRate(against)];
  const { rate: p, rate_low: pLow, rate_high: pHigh } = first;
  const { rate: q, rate_low: qLow, rate_high: qHigh } = second;
  if (p === null || pLow === null || pHigh === null || q === null || qLow === null || qHigh === null)
    return UNKNOWN;
  return {
    estimate: p - q,
    low: p - q - Math.hypot(p - pLow, qHigh - q),
    high: p - q + Math.hypot(pHigh - p, q - qLow),
  };
}
