import type { Random } from './random.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const STORY_DAYS = 365;

/** The year of the story. Times in milliseconds since 1970, days in UTC. */
export interface StoryCalendar {
  from: number;
  /** No event is at or after it. */
  until: number;
  /** The launch of version 2 in spring. */
  launchAt: number;
  /** The week in which one Reddit thread goes wild. */
  wildWeekAt: number;
}

const LAUNCH = { month: 4, day: 14 };
const WILD_WEEK = { month: 10, day: 6 };
const LAUNCH_WEEKS = 6;

/** Any 365 days contain each date once, so the story has its launch and its wild week whenever it ends. */
export function storyCalendar(until: Date): StoryCalendar {
  const end = until.getTime();
  const from = end - STORY_DAYS * DAY_MS;
  const dateIn = ({ month, day }: { month: number; day: number }) => {
    const year = new Date(from).getUTCFullYear();
    const first = Date.UTC(year, month - 1, day);
    return first >= from ? first : Date.UTC(year + 1, month - 1, day);
  };
  return { from, until: end, launchAt: dateIn(LAUNCH), wildWeekAt: dateIn(WILD_WEEK) };
}

export function isWildWeek({ wildWeekAt }: StoryCalendar, at: number): boolean {
  return at >= wildWeekAt && at < wildWeekAt + 7 * DAY_MS;
}

/** The campaign that is running at a time. */
export function campaignAt({ launchAt }: StoryCalendar, at: number): string {
  const isLaunch = at >= launchAt && at < launchAt + LAUNCH_WEEKS * 7 * DAY_MS;
  return isLaunch ? 'spring-launch' : 'always-on';
}

/** The time at which a new person arrives: weekdays, the launch and growth bring more people, holidays fewer. */
export function arrivalIn(calendar: StoryCalendar, random: Random): number {
  for (;;) {
    const day = calendar.from + random.integer(0, STORY_DAYS - 1) * DAY_MS;
    if (random.chance(busyness(calendar, day) / MAX_BUSYNESS)) return atDaytime(day, random);
  }
}

const MAX_BUSYNESS = 4;

function busyness({ from, launchAt }: StoryCalendar, day: number): number {
  const date = new Date(day);
  const monthDay = (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
  const growth = 0.7 + (0.5 * (day - from)) / (STORY_DAYS * DAY_MS);
  const weekend = isWeekend(day) ? 0.4 : 1;
  const summer = monthDay >= 704 && monthDay <= 824 ? 0.45 : 1;
  const holidays = monthDay >= 1222 || monthDay <= 103 ? 0.35 : 1;
  const sinceLaunch = (day - launchAt) / DAY_MS;
  const launch =
    sinceLaunch >= 0 && sinceLaunch < LAUNCH_WEEKS * 7 ? 1 + 2.2 * Math.exp(-sinceLaunch / 14) : 1;
  return growth * weekend * summer * holidays * launch;
}

function isWeekend(at: number): boolean {
  return [0, 6].includes(new Date(at).getUTCDay());
}

/** The same day, at an hour at which people of this trade are online. */
export function atDaytime(at: number, random: Random): number {
  const hour = Math.min(Math.max(random.normal(13.5, 3.5), 5), 22.5);
  return startOfDay(at) + Math.round((hour * HOUR_MS) / 1000) * 1000;
}

/** The time itself within office hours (weekdays, 8 to 18), else early on the next working day. */
export function inOfficeHours(at: number, random: Random): number {
  const day = startOfDay(at);
  const hour = (at - day) / HOUR_MS;
  if (!isWeekend(at) && hour >= 8 && hour < 18) return at;
  let next = hour < 8 ? day : day + DAY_MS;
  while (isWeekend(next)) next += DAY_MS;
  return next + 8 * HOUR_MS + Math.round(random.between(5, 100)) * MINUTE_MS;
}

/** The first Thursday 09:00 after a time, when the newsletter is sent. */
export function nextNewsletter(at: number): number {
  const day = startOfDay(at);
  const daysAhead = (4 - new Date(day).getUTCDay() + 7) % 7 || 7;
  return day + daysAhead * DAY_MS + 9 * HOUR_MS;
}

function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}
