import { TZDate } from '@date-fns/tz';
import { type Interval, startOfLocalDay, type TimeRange } from './time.ts';

/** A local day, ISO week or month, cut to the range that contains it. */
export interface LocalInterval extends TimeRange {
  /** The local date on which it starts (`2026-03-29`); this may lie before the range. */
  start: string;
}

/** The intervals of a range, in order. They leave no gap and do not overlap, also across clock changes. */
export function intervalsOf(range: TimeRange, interval: Interval, timezone: string): LocalInterval[] {
  const intervals: LocalInterval[] = [];
  let day = firstDayOf(TZDate.tz(timezone, range.from.getTime()), interval);
  let from = range.from;
  while (from < range.to) {
    const next = dayAfter(day, interval);
    const nextStart = startOfLocalDay(dateOf(next), timezone);
    const to = nextStart < range.to ? nextStart : range.to;
    // A zone that moves across the date line skips a calendar date.
    if (from < to) {
      intervals.push({ start: dateOf(day), from, to });
      from = to;
    }
    day = next;
  }
  return intervals;
}

/** Dates are midnights in UTC here, because every day in UTC has 24 hours. */
function firstDayOf(local: TZDate, interval: Interval): Date {
  const [year, month, day] = [local.getFullYear(), local.getMonth(), local.getDate()];
  if (interval === 'month') return new Date(Date.UTC(year, month, 1));
  const sinceMonday = interval === 'week' ? (local.getDay() + 6) % 7 : 0;
  return new Date(Date.UTC(year, month, day - sinceMonday));
}

function dayAfter(day: Date, interval: Interval): Date {
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()];
  if (interval === 'month') return new Date(Date.UTC(year, month + 1, 1));
  return new Date(Date.UTC(year, month, date + (interval === 'week' ? 7 : 1)));
}

function dateOf(day: Date): string {
  return day.toISOString().slice(0, 10);
}
