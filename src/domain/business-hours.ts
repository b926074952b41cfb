import { TZDate } from '@date-fns/tz';
import { DAY_MS } from './time.ts';

/** In the order of ISO, which Postgres' `isodow` numbers from 1. */
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

/** Times of the day as `09:00`; `24:00` is the midnight that ends it. `from` is inside, `to` is not. */
export interface OpenHours {
  from: string;
  to: string;
}

/** When somebody is there to answer. A day that is not named is closed, and so is a holiday (`2026-12-25`). */
export interface OpeningHours {
  /** IANA; the workspace's if left out. */
  timezone?: string | undefined;
  days: Partial<Record<Weekday, OpenHours | undefined>>;
  holidays: string[];
}

const MINUTE_MS = 60_000;

/** @param time as `09:30` */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/**
 * Seconds between two instants that fall into business hours, in real time: an hour that a clock change takes out of a
 * day is no business hour, one that comes twice is two.
 * @param from milliseconds since 1970, at most `to`
 * @param timezone of days, hours and holidays
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

/** The calendar day of an instant, as the midnight of that date in UTC. */
function localDay(at: number, timezone: string): number {
  const local = at + offsetAt(at, timezone);
  return local - (local % DAY_MS);
}

function offsetAt(at: number, timezone: string): number {
  return -TZDate.tz(timezone, at).getTimezoneOffset() * MINUTE_MS;
}

/**
 * The instant at which clocks show a local time, given as if it were UTC. Of a time that they show twice, the second;
 * one that they skip is as much later as they are put forward. So does Postgres.
 */
function instantOf(local: number, timezone: string): number {
  const candidates = [-DAY_MS, DAY_MS].map((aside) => local - offsetAt(local + aside, timezone));
  const shown = candidates.filter((at) => at + offsetAt(at, timezone) === local);
  return Math.max(...(shown.length > 0 ? shown : candidates));
}
