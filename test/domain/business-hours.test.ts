import { describe, expect, test } from 'vitest';
import { businessSeconds, type OpeningHours } from '../../src/domain/business-hours.ts';

const OFFICE: OpeningHours = {
  days: {
    monday: { from: '09:00', to: '17:00' },
    tuesday: { from: '09:00', to: '17:00' },
    friday: { from: '09:00', to: '12:30' },
  },
  holidays: ['2026-01-06'],
};
const between = (from: string, to: string, hours = OFFICE, zone = 'UTC') =>
  businessSeconds(Date.parse(from), Date.parse(to), hours, zone) / 3600;

// 5 January 2026 is a Monday; the 6th is a holiday.
test.each([
  ['inside a day, all of it', '2026-01-05T10:00Z', '2026-01-05T10:30Z', 0.5],
  ['from before the opening', '2026-01-05T06:00Z', '2026-01-05T10:00Z', 1],
  ['until after the closing', '2026-01-05T16:00Z', '2026-01-05T23:00Z', 1],
  ['over night, over a holiday and closed days', '2026-01-05T16:00Z', '2026-01-09T10:00Z', 2],
  ['of a closed day, none', '2026-01-10T10:00Z', '2026-01-10T12:00Z', 0],
  ['of a holiday, none', '2026-01-06T10:00Z', '2026-01-06T12:00Z', 0],
  ['of a week: 8 and 3.5 hours', '2026-01-05T00:00Z', '2026-01-12T00:00Z', 11.5],
  [
    'of a year: 52 Mondays and Fridays, 51 Tuesdays',
    '2026-01-05T00:00Z',
    '2027-01-04T00:00Z',
    52 * 11.5 + 51 * 8,
  ],
  ['of no time, none', '2026-01-05T10:00Z', '2026-01-05T10:00Z', 0],
])('%s', (_, from, to, hours) => {
  expect(between(from, to)).toBeCloseTo(hours, 9);
});

test('days and hours are of the zone: 09:00 in New York is 14:00 UTC in January', () => {
  expect(between('2026-01-05T12:00Z', '2026-01-05T15:00Z', OFFICE, 'America/New_York')).toBe(1);
});

describe('in Berlin, where clocks change on 29 March and 25 October 2026, both Sundays,', () => {
  const sunday = (from: string, to: string): OpeningHours => ({
    days: { sunday: { from, to } },
    holidays: [],
  });
  const spring = ['2026-03-28T12:00Z', '2026-03-30T12:00Z'] as const;
  const autumn = ['2026-10-24T12:00Z', '2026-10-26T12:00Z'] as const;
  test.each([
    ['a whole day has 23 hours in spring', spring, '00:00', '24:00', 23],
    ['and 25 in autumn', autumn, '00:00', '24:00', 25],
    ['the skipped hour is none', spring, '02:00', '03:00', 0],
    ['02:30, which is skipped, is 03:30', spring, '02:30', '05:00', 1.5],
    ['hours that end before they begin are none', spring, '02:30', '03:10', 0],
    ['the hour that comes twice begins with the second', autumn, '02:00', '03:00', 1],
    ['and ends with it: 01:00 to 02:30 is two hours and a half', autumn, '01:00', '02:30', 2.5],
  ] as const)('%s', (_, [from, to], opens, closes, hours) => {
    expect(between(from, to, sunday(opens, closes), 'Europe/Berlin')).toBeCloseTo(hours, 9);
  });
});
