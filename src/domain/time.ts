import { TZDate } from '@date-fns/tz';

/**
 * A day of a lookback, half-life, landmark or horizon. A calendar day may have 23 or 25 hours;
 * this one has 24.
 */
export const DAY_MS = 86_400_000;

/** The intervals that reports split by: local days, ISO weeks, months. */
export const INTERVALS = ['day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

/** The named ranges of a report: local days or months that end with today. */
export const RANGES = ['7d', '30d', '90d', '12mo'] as const;
export type Range = (typeof RANGES)[number];

/** The longest range of a report: ten years and a week. A longer one is a mistyped year. */
export const MAX_RANGE_DAYS = 3660;

/**
 * The earliest accepted time. No digital event is older, and seconds read as milliseconds fall
 * into January 1970.
 */
export const EARLIEST_MS = Date.UTC(1990, 0, 1);

/**
 * Times are before this. Postgres ends at the year 294276, but JavaScript's ISO text changes
 * its format at 10000.
 */
export const LATEST_MS = Date.UTC(9999, 0, 1);

/** How far in the future a time may lie. Clocks of senders run ahead, but by no more than a day. */
export const MAX_FUTURE_MS = DAY_MS;

/**
 * How far in the past an item from a publishable key may lie. A page reports what its visitor does now, and a
 * retry may take a day. More would allow anybody to rewrite history.
 */
export const MAX_PUBLISHABLE_PAST_MS = DAY_MS;

/** A half-open range: `from` is inside, `to` is not. */
export interface TimeRange {
  from: Date;
  to: Date;
}

/** The range of a report, and the time zone of its dates. */
export interface ReportRange extends TimeRange {
  timezone: string;
  /** True if both bounds are local midnights, from dates or a named range; false if one is an instant. */
  is_of_days: boolean;
}

/**
 * Is it an IANA time zone name that JavaScript and Postgres interpret alike? Those are
 * `Area/City` and UTC. Offsets such as `+05:00` have the opposite sign in Postgres, and
 * abbreviations such as `IST` name other places there, or none.
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

/** The instant of midnight at the start of a local date (`2026-03-29`). */
export function startOfLocalDay(date: string, timezone: string): Date {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return new Date(new TZDate(year, month - 1, day, timezone).getTime());
}

/**
 * The local days or months that end with today. `12mo` on 22 November begins on 23 November of
 * the previous year.
 * @param timezone IANA name
 * @returns instants; `to` is the local midnight that ends today
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

/** Is a bound of a range a date (`2026-03-29`), and not an instant? */
export function isDate(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value);
}

/** The instant of a bound: the local midnight of a date, or an RFC 3339 instant with an offset. */
export function boundOf(value: string, timezone: string): Date {
  return isDate(value) ? startOfLocalDay(value, timezone) : new Date(value);
}

/**
 * The period just before a range: as many local days if the range is given by dates, else as many
 * milliseconds. The period before 29 March is therefore 28 March, even if clocks changed on the 29th.
 */
export function previousRange({ from, to, timezone, is_of_days }: ReportRange): TimeRange {
  const length = to.getTime() - from.getTime();
  if (!is_of_days) return { from: new Date(from.getTime() - length), to: from };
  const days = Math.round(length / DAY_MS);
  const first = TZDate.tz(timezone, from.getTime());
  const daysBefore = (count: number) =>
    new Date(new TZDate(first.getFullYear(), first.getMonth(), first.getDate() - count, timezone).getTime());
  const begin = daysBefore(days);
  // A zone that skips a day at the date line (Pacific/Apia, 2011-12-30) has one day fewer among as many
  // dates.
  const isShort = Math.round((from.getTime() - begin.getTime()) / DAY_MS) < days;
  return { from: isShort ? daysBefore(days + 1) : begin, to: from };
}
