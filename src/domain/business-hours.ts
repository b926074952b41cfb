import { TZDate } from '@date-fns/tz';
import { DAY_MS } from './time.ts';

/** ISO order; Postgres' `isodow` numbers the days in this order from 1. */
export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/**
 * Opening hours of one day, as local times such as `09:00`. `from` is inside, `to` is not;
 * `24:00` ends the day.
 */
export interface OpenHours {
  from: string;
  to: string;
}

/** When messages are answered. A weekday that is not listed is closed, and so is a holiday. */
export interface OpeningHours {
  /** IANA name; default the workspace's time zone. */
  timezone?: string | undefined;
  days: Partial<Record<Weekday, OpenHours | undefined>>;
  /** Local dates such as `2026-12-25`. */
  holidays: string[];
}

const MINUTE_MS = 60_000;

/**
 * Minutes from midnight to a time of day.
 * @param time such as `09:30`
 */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/**
 * Seconds of business hours between two instants. This is real time: an hour that a clock change skips does
 * not count, and an hour that it repeats counts twice.
 * @param from milliseconds since 1970, at most `to`
 * @param to milliseconds since 1970
 * @param timezone IANA name; of the days, hours and holidays
 */
export function businessSeconds(
  from: number,
  to: number,
  { days, holidays }: OpeningHours,
  timezone: string,
): number {
  let open = 0;
  const end = localDay(to, timezone);
  for (let day = localDay(from, timezone); day <= end; day += DAY_MS) {
    const weekday = WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7];
    const hours = weekday && days[weekday];
    if (!hours || holidays.includes(new Date(day).toISOString().slice(0, 10))) continue;
    const opens = instantOf(day + minutesOf(hours.from) * MINUTE_MS, timezone);
    const closes = instantOf(day + minutesOf(hours.to) * MINUTE_MS, timezone);
    open += Math.max(0, Math.min(to, closes) - Math.max(from, opens));
  }
  return open / 1000;
}

/** The local calendar day of an instant, as midnight UTC of that date. */
function localDay(at: number, timezone: string): number {
  const local = at + offsetAt(at, timezone);
  return local - (local % DAY_MS);
}

function offsetAt(at: number, timezone: string): number {
  return -TZDate.tz(timezone, at).getTimezoneOffset() * MINUTE_MS;
}

/**
 * The instant at which clocks show a local time, which is given as if it were UTC. A time that
 * clocks show twice is the second one. A time that clocks skip is moved later by the amount
 * that they are put forward. Postgres does the same.
 */
function instantOf(local: number, timezone: string): number {
  const candidates = [-DAY_MS, DAY_MS].map((aside) => local - offsetAt(local + aside, timezone));
  const shown = candidates.filter((at) => at + offsetAt(at, timezone) === local);
  return Math.max(...(shown.length > 0 ? shown : candidates));
}
