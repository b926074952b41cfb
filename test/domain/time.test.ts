import { describe, expect, test } from 'vitest';
import { boundOf, previousRange } from '../../src/domain/time.ts';

const days = (from: string, to: string, timezone: string) =>
  previousRange({
    from: boundOf(from, timezone),
    to: boundOf(to, timezone),
    timezone,
    is_of_days: true,
  });

describe('the period before a range of local days is as many local days', () => {
  test.for([
    // Clocks go forward on 29 March: the day has 23 hours, the day before has 24.
    ['2026-03-29', '2026-03-30', 'Europe/Berlin', '2026-03-28'],
    // And back on 25 October.
    ['2026-10-25', '2026-10-26', 'Europe/Berlin', '2026-10-24'],
    ['2026-04-01', '2026-05-01', 'Europe/Berlin', '2026-03-02'],
    ['2026-03-01', '2026-04-01', 'America/New_York', '2026-01-29'],
    ['2026-06-01', '2026-07-01', 'UTC', '2026-05-02'],
    // Midnight of 2018-11-04 does not exist: the clocks go from 00:00 to 01:00.
    ['2018-11-04', '2018-11-05', 'America/Sao_Paulo', '2018-11-03'],
    // 30 December does not exist: the three days before are 27, 28 and 29.
    ['2011-12-31', '2012-01-03', 'Pacific/Apia', '2011-12-27'],
    ['2012-01-02', '2012-01-04', 'Pacific/Apia', '2011-12-31'],
  ] as const)('%s to %s in %s: from %s', ([from, to, timezone, expected]) => {
    const previous = days(from, to, timezone);
    expect(previous.from).toEqual(boundOf(expected, timezone));
    expect(previous.to).toEqual(boundOf(from, timezone));
  });
});

test('the period before a range of instants is as many milliseconds', () => {
  const [from, to] = [new Date('2026-03-29T00:00:00+01:00'), new Date('2026-03-30T00:00:00+02:00')];
  const previous = previousRange({ from, to, timezone: 'Europe/Berlin', is_of_days: false });
  expect(previous).toEqual({ from: new Date('2026-03-28T01:00:00+01:00'), to: from });
});

test('a day that the zone skipped is an instant, and the period before it is as empty', () => {
  const skipped = { from: boundOf('2011-12-30', 'Pacific/Apia'), to: boundOf('2011-12-31', 'Pacific/Apia') };
  expect(skipped.from).toEqual(skipped.to);
  const previous = previousRange({ ...skipped, timezone: 'Pacific/Apia', is_of_days: true });
  expect(previous).toEqual(skipped);
});
