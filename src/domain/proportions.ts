import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';

/** The confidence level of every interval in a report. */
export const CONFIDENCE = 0.95;

/** Standard errors to each side of an estimate: 1.96 for 95 %. */
const Z = normalQuantile(1 - (1 - CONFIDENCE) / 2, 0, 1);

/** The number of people in an arm, and how many of them converted. */
export interface Arm {
  people: number;
  converted: number;
}

/** A rate from 0 to 1 with its 95 % interval; null for an empty arm. */
export interface Rate {
  rate: number | null;
  rate_low: number | null;
  rate_high: number | null;
}

/** A comparison of two arms with its 95 % interval. Null if the data do not determine it. */
export interface Comparison {
  estimate: number | null;
  low: number | null;
  high: number | null;
}

const UNKNOWN: Comparison = { estimate: null, low: null, high: null };

/**
 * The share of an arm that converted, with the Wilson score interval. It is valid for few people and for
 * rates near 0 and 1, where the usual interval extends beyond 0 or 1.
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
 * The rate of the first arm divided by that of the second, with the log interval. The estimate is null if
 * nobody in an arm converted. If nobody or everybody in an arm converted, the interval is computed with half
 * a conversion and one person more in both arms, so it never has zero width.
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
 * Both arms, with half a conversion and one person more each if nobody or everybody in one of them converted.
 * The log intervals of ratios divide by these counts.
 */
function corrected(arm: Arm, against: Arm): [Arm, Arm] {
  const isExtreme = ({ people, converted }: Arm) => converted === 0 || converted === people;
  if (!isExtreme(arm) && !isExtreme(against)) return [arm, against];
  const more = ({ people, converted }: Arm) => ({ people: people + 1, converted: converted + 0.5 });
  return [more(arm), more(against)];
}

/**
 * The odds of the first arm divided by those of the second, with the log interval. If nobody or everybody in
 * an arm converted, the odds are 0 or unbounded: the estimate is null, and the interval is computed with half
 * a conversion and one person more in both arms.
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
 * The rate of the first arm minus that of the second, from −1 to 1, with an interval composed
 * of the Wilson intervals of both arms.
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
