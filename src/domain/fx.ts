/** One unit of `from` was `rate` units of `to`, on a day (`2026-03-29`) of the workspace's calendar. */
export interface RateOfDay {
  date: string;
  from: string;
  to: string;
  rate: number;
}

/** A rate stands in for the days after it on which there is none, a week at most. */
export const MAX_RATE_AGE_DAYS = 7;

/**
 * What one unit of `from` was worth in `to` on a day: by the rate of that day, or else the latest within the days
 * before. A rate the other way around counts as its inverse; of two of one day, the one as asked goes first. Where the
 * pair has neither, the way leads across the workspace's currency, `via`. Null where no rate tells.
 * See ADR 15 for the order among inverses and crosses.
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
