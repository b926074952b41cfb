import { describe, expect, test } from 'vitest';
import { intervalsOf } from '../../src/domain/intervals.ts';
import { type Interval, startOfLocalDay } from '../../src/domain/time.ts';

const shown = (from: string, to: string, interval: Interval, timezone: string) =>
  intervalsOf({ from: new Date(from), to: new Date(to) }, interval, timezone).map((each) => [
    each.start,
    each.from.toISOString().slice(0, 16),
    each.to.toISOString().slice(0, 16),
  ]);

describe('the intervals of a range', () => {
  test('are local days of 23 and 25 hours where the clocks change', () => {
    expect(shown('2026-03-27T23:00Z', '2026-03-30T22:00Z', 'day', 'Europe/Berlin')).toEqual([
      ['2026-03-28', '2026-03-27T23:00', '2026-03-28T23:00'],
      ['2026-03-29', '2026-03-28T23:00', '2026-03-29T22:00'],
      ['2026-03-30', '2026-03-29T22:00', '2026-03-30T22:00'],
    ]);
    expect(shown('2026-10-24T22:00Z', '2026-10-26T23:00Z', 'day', 'Europe/Berlin')).toEqual([
      ['2026-10-25', '2026-10-24T22:00', '2026-10-25T23:00'],
      ['2026-10-26', '2026-10-25T23:00', '2026-10-26T23:00'],
    ]);
  });

  test('are ISO weeks, which begin on Monday; the first and the last are cut to the range', () => {
    expect(shown('2025-12-31T00:00Z', '2026-01-06T12:00Z', 'week', 'UTC')).toEqual([
      ['2025-12-29', '2025-12-31T00:00', '2026-01-05T00:00'],
      ['2026-01-05', '2026-01-05T00:00', '2026-01-06T12:00'],
    ]);
    // A Sunday is the last day of its week, a Monday the first.
    expect(shown('2026-01-04T00:00Z', '2026-01-05T01:00Z', 'week', 'UTC').map(([start]) => start)).toEqual([
      '2025-12-29',
      '2026-01-05',
    ]);
  });

  test('are months, cut to the range', () => {
    expect(shown('2026-01-15T00:00Z', '2026-03-01T00:00Z', 'month', 'UTC')).toEqual([
      ['2026-01-01', '2026-01-15T00:00', '2026-02-01T00:00'],
      ['2026-02-01', '2026-02-01T00:00', '2026-03-01T00:00'],
    ]);
  });

  test('leave out the day that a zone has skipped, and begin at 01:00 where midnight was', () => {
    expect(
      shown('2011-12-29T10:00Z', '2012-01-01T10:00Z', 'day', 'Pacific/Apia').map(([day]) => day),
    ).toEqual(['2011-12-29', '2011-12-31', '2012-01-01']);
    expect(shown('2018-11-03T03:00Z', '2018-11-05T02:00Z', 'day', 'America/Sao_Paulo')).toEqual([
      ['2018-11-03', '2018-11-03T03:00', '2018-11-04T03:00'],
      ['2018-11-04', '2018-11-04T03:00', '2018-11-05T02:00'],
    ]);
  });

  test.for<[Interval, string]>([
    ['day', 'America/New_York'],
    ['week', 'Australia/Lord_Howe'],
    ['month', 'Africa/Casablanca'],
  ])('by %s in %s join without gaps over two years', ([interval, zone]) => {
    const range = { from: new Date('2024-02-10T05:30Z'), to: new Date('2026-02-10T17:45Z') };
    const parts = intervalsOf(range, interval, zone);
    expect(parts[0]?.from).toEqual(range.from);
    expect(parts.at(-1)?.to).toEqual(range.to);
    parts.slice(1).forEach((part, i) => {
      expect(part.from).toEqual(parts[i]?.to);
      expect(part.from).toEqual(startOfLocalDay(part.start, zone));
    });
  });
});
