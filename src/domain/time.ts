import { TZDate } from '@date-fns/tz';

/** A day of a lookback, half-life, landmark or horizon. Calendar days may be 23 or 25 hours; these are not. */
export const DAY_MS = 86_400_000;

export const INTERVALS = ['day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

export const RANGES = ['7d', '30d', '90d', '12mo'] as const;
export type Range = (typeof RANGES)[number];

/** Ten years and a week: a report further apart would be a mistake in the year. */
export const MAX_RANGE_DAYS = 3660;

/** Nothing digital is older; seconds read as milliseconds land in January 1970. */
export const EARLIEST_MS = Date.UTC(1990, 0, 1);

/** Postgres would go on to 294276, JavaScript's ISO text changes its shape at 10000. */
export const LATEST_MS = Date.UTC(9999, 0, 1);

/** Clocks of senders run ahead; a day is the most that is believed. */
export const MAX_FUTURE_MS = DAY_MS;

/** A page tells what its visitor does now; a retry may take a day. More would let anyone rewrite history. */
export const MAX_PUBLISHABLE_PAST_MS = DAY_MS;

/** A half-open stretch of time: `from` is inside, `to` is not. */
export interface TimeRange {
  from: Date;
  to: Date;
}

/** The range of a report. */
export interface ReportRange extends TimeRange {
  timezone: string;
  /** Whether both bounds are local midnights, as of dates and named ranges; else they are instants. */
  is_of_days: boolean;
}

/**
 * Is it an IANA zone name that JavaScript and Postgres read alike? Those are `Area/City` and UTC. Offsets such as
 * `+05:00` have the other sign in Postgres, and abbreviations such as `IST` mean other places there, or nothing.
 */
export function isTimeZone(name: string): boolean {
  if (name !== 'UTC' && !/^(?!SystemV)[A-Za-z_]+\/[A-Za-z0-9_+\-/]+$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Midnight at the start of a local calendar day (`2026-03-29`), as an instant. */
export function startOfLocalDay(date: string, timezone: string): Date {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return new Date(new TZDate(year, month - 1, day, timezone).getTime());
}

/**
 * The local days (months) that end with today. `12mo` on 22 November begins on 23 November a year before.
 * @returns instants, `to` being the midnight that ends today in the zone.
 */
export function namedRange(range: Range, timezone: string, now: Date): TimeRange {
  const today = TZDate.tz(timezone, now.getTime());
  const midnight = (years: number, months: number, days: number) =>
    new Date(
      new TZDate(
        today.getFullYear() + years,
        today.getMonth() + months,
        today.getDate() + days,
        timezone,
      ).getTime(),
    );
  const from = { '7d': [0, 0, -6], '30d': [0, 0, -29], '90d': [0, 0, -89], '12mo': [0, -12, 1] }[range];
  const [years = 0, months = 0, days = 0] = from;
  return { from: midnight(years, months, days), to: midnight(0, 0, 1) };
}

/** Is a bound a date, as `2026-03-29`? */
export function isDate(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value);
}

/** A bound of a report: a date is its local midnight, anything else an instant with an offset. */
export function boundOf(value: string, timezone: string): Date {
  return isDate(value) ? startOfLocalDay(value, timezone) : new Date(value);
}

/**
 * The period right before a range: as many local days where the range is of days, else as many milliseconds. So the
 * period before 29 March is 28 March, whatever the clocks did on the 29th.
 */
export function previousRange({ from, to, timezone, is_of_days }: ReportRange): TimeRange {
  const length = to.getTime() - from.getTime();
  if (!is_of_days) return { from: new Date(from.getTime() - length), to: from };
  const days = Math.round(length / DAY_MS);
  const first = TZDate.tz(timezone, from.getTime());
  const daysBefore = (count: number) =>
    new Date(new TZDate(first.getFullYear(), first.getMonth(), first.getDate() - count, timezone).getTime());
  const begin = daysBefore(days);
  // A zone that skips a day at the date line (Pacific/Apia, 2011-12-30) has one less among as many dates.
  const isShort = Math.round((from.getTime() - begin.getTime()) / DAY_MS) < days;
  return { from: isShort ? daysBefore(days + 1) : begin, to: from };
}
