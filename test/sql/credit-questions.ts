import fc from 'fast-check';
import { MODELS } from '../../src/domain/attribution.ts';
import { DAY_MS, startOfLocalDay } from '../../src/domain/time.ts';
import type { Asked } from './kept-credit.ts';

/** Questions whose sums are kept, and ranges of them, for random histories of twelve days. */

/**
 * The first day of histories. In New York clocks go forward on 8 March 2026, and back on 2 November 2025. All days up to
 * today are settled, so most histories are of late.
 */
export type Era = string;
const lately = new Date(Date.now() - 12 * DAY_MS).toISOString().slice(0, 10);
export const ERAS: readonly Era[] = [lately, lately, lately, '2026-02-26', '2025-10-27'];

export const ZONES = ['UTC', 'America/New_York', 'Asia/Kolkata'] as const;

const milestones = { lead: 'lead', opportunity: 'opportunity' };

/** All of them differ in sums. */
export const QUESTIONS: readonly Asked[] = [
  {},
  { group_by: ['channel', 'campaign'] },
  { scope: 'account' },
  { goals: ['purchase', 'lead'] },
  { models: MODELS, milestones, settings: { half_life_days: 7, weights: { first: 3, middle: 1, last: 2 } } },
  { models: ['time_decay', 'linear'], settings: { half_life_days: 0.5 }, lookback_days: 3 },
  { where: { channel: ['x', 'direct'] } },
  { where: { kind: ['visit', 'event'] }, group_by: ['kind', 'campaign'] },
  { where_conversion: { currency: ['USD'] } },
  { where_conversion: { 'properties.plan': ['pro', null] }, group_by: ['campaign'] },
  { only_with_journey: true, where: { campaign: ['spring'] } },
  { goals: ['lead'], lookback_days: 40 },
  {
    goals: ['lead', 'opportunity', 'purchase'],
    scope: 'account',
    models: MODELS,
    milestones,
    settings: { half_life_days: 1, weights: { first: 1, middle: 1, last: 1 } },
  },
];

/** The days that sums are kept of begin so many days before the history. */
const SINCE_DAY = -3;

/** The bounds of ranges, in days from the first one of the history. */
const RANGES = {
  whole: [SINCE_DAY, 20],
  days: [2, 7],
  one_day: [4, 5],
  part_of_the_last_day: [-3, 6.4],
  part_of_the_first_day: [1.3, 9],
  before_and_after: [-120, 12],
  months: [-60, 40],
} as const;

/** A report to compare. */
export const check = fc.record({
  question: fc.nat(QUESTIONS.length - 1),
  range: fc.constantFrom(
    ...(Object.keys(RANGES) as (keyof typeof RANGES)[]),
    ...(['whole', 'whole', 'days', 'month', 'until_tomorrow'] as const),
  ),
  interval: fc.constantFrom(null, null, 'day' as const, 'week' as const, 'month' as const),
  currency: fc.constantFrom('EUR', 'USD'),
  limit: fc.constantFrom(1000, 1000, 1000, 3),
});
export type Check = typeof check extends fc.Arbitrary<infer T> ? T : never;

const isoDay = (era: Era, days: number) =>
  new Date(Date.parse(`${era}T00:00:00Z`) + Math.floor(days) * DAY_MS).toISOString().slice(0, 10);

/** An instant, so many local days after the beginning of the history. */
export function instantOf(era: Era, days: number, timezone: string): string {
  const start = startOfLocalDay(isoDay(era, days), timezone).getTime();
  return new Date(start + (days - Math.floor(days)) * DAY_MS).toISOString();
}

function boundsOf(era: Era, range: Check['range'], timezone: string): { from: string; to: string } {
  if (range === 'month') {
    const first = `${isoDay(era, 6).slice(0, 7)}-01`;
    const next = new Date(Date.parse(first) + 32 * DAY_MS).toISOString().slice(0, 7);
    return {
      from: startOfLocalDay(first, timezone).toISOString(),
      to: startOfLocalDay(`${next}-01`, timezone).toISOString(),
    };
  }
  if (range === 'until_tomorrow')
    return { from: instantOf(era, 3, timezone), to: new Date(Date.now() + DAY_MS).toISOString() };
  const [from, to] = RANGES[range];
  return { from: instantOf(era, from, timezone), to: instantOf(era, to, timezone) };
}

/** A report as a question of a workspace in a zone. */
export function askedOf(
  { question, range, interval, currency, limit }: Check,
  era: Era,
  timezone: string,
): Asked {
  return { ...QUESTIONS[question], ...boundsOf(era, range, timezone), interval, currency, limit };
}
