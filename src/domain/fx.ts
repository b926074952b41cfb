/**
 * An exchange rate: one unit of `from` is `rate` units of `to`, on a day (`2026-03-29`) of the
 * workspace's calendar.
 */
export interface RateOfDay {
  date: string;
  from: string;
  to: string;
  rate: number;
}

/**
 * A rate also applies to later days without a rate of their own, for this number of days.
 * See ADR 15.
 */
export const MAX_RATE_AGE_DAYS = 7;

/**
 * The value of one unit of `from` in `to` on a day: by the rate of that day, or else by the
 * latest rate within `MAX_RATE_AGE_DAYS` before. A rate of the opposite pair counts as its
 * inverse; on the same day, the pair as requested comes first. If the pair has no rate either
 * way, the conversion goes through `via`, each half by the same rule.
 * @param day as `2026-03-29`
 * @param via the workspace's currency
 * @returns null without a rate
 * See ADR 15 for the precedence of inverses and crosses.
 */
export function rateOn(
  day: string,
  from: string,
  to: string,
  via: string,
  rates: readonly RateOfDay[],
): number | null {
  if (from === to) return 1;
  const direct = directRate(day, from, to, rates);
  if (direct !== null || via === from || via === to) return direct;
  const [there, onward] = [directRate(day, from, via, rates), directRate(day, via, to, rates)];
  return there === null || onward === null ? null : there * onward;
}

function directRate(day: string, from: string, to: string, rates: readonly RateOfDay[]): number | null {
  const oldest = new Date(day);
  oldest.setUTCDate(oldest.getUTCDate() - MAX_RATE_AGE_DAYS);
  const earliest = oldest.toISOString().slice(0, 10);
  const known = rates
    .filter(({ date }) => date >= earliest && date <= day)
    .flatMap(({ date, rate, ...pair }) => {
      if (pair.from === from && pair.to === to) return [{ date, isInverse: 0, rate }];
      if (pair.from === to && pair.to === from) return [{ date, isInverse: 1, rate: 1 / rate }];
      return [];
    })
    .toSorted((a, b) => b.date.localeCompare(a.date) || a.isInverse - b.isInverse);
  return known[0]?.rate ?? null;
}
