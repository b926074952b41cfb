import { describe, expect, test } from 'vitest';
import {
  collapseRuns,
  isInBucket,
  nullJourneyOf,
  PATH_LENGTH_BUCKETS,
  type PathGroup,
  stepsOf,
  TIME_LAG_BUCKETS,
} from '../../src/domain/paths.ts';

const DAY_MS = 86_400_000;
const groups = (text: string): PathGroup[] => text.split(' ').map((value) => [value === '-' ? null : value]);

describe('runs collapse', () => {
  test.for([
    ['x x email x', 'x email x'],
    ['x x x', 'x'],
    ['- - x -', '- x -'],
    ['x', 'x'],
  ])('%s is %s', ([path = '', collapsed = '']) => {
    expect(collapseRuns(groups(path))).toEqual(groups(collapsed));
  });

  test('only where every dimension is the same', () => {
    const path: PathGroup[] = [
      ['x', 'spring'],
      ['x', null],
      ['x', null],
      ['email', null],
    ];
    expect(collapseRuns(path)).toEqual([
      ['x', 'spring'],
      ['x', null],
      ['email', null],
    ]);
  });

  test('and an empty path stays empty', () => expect(collapseRuns([])).toEqual([]));
});

describe('the steps of a path', () => {
  const group = (value: string | null) => ({ state: 'group', group: [value] });

  test('x, email that converted are start to x, x to email, email to conversion', () => {
    expect(stepsOf(groups('x email'), 'conversion')).toEqual([
      { from: { state: 'start' }, to: group('x') },
      { from: group('x'), to: group('email') },
      { from: group('email'), to: { state: 'conversion' } },
    ]);
  });

  test('- that did not convert are start to the empty value, and from there to null, which is another thing', () => {
    expect(stepsOf(groups('-'), 'null')).toEqual([
      { from: { state: 'start' }, to: group(null) },
      { from: group(null), to: { state: 'null' } },
    ]);
  });

  test('without touches are one: start to conversion', () => {
    expect(stepsOf([], 'conversion')).toEqual([{ from: { state: 'start' }, to: { state: 'conversion' } }]);
  });
});

describe('buckets', () => {
  const indexOf = (value: number, buckets: typeof TIME_LAG_BUCKETS) => {
    const hits = buckets.flatMap((bucket, i) => (isInBucket(value, bucket) ? [i] : []));
    expect(hits).toHaveLength(1);
    return hits[0];
  };

  test('of length are 1, 2, 3, 4, 5, 6 to 10, 11 to 20, 21 and more', () => {
    const lengths = [1, 2, 3, 4, 5, 6, 10, 11, 20, 21, 5000];
    expect(lengths.map((length) => indexOf(length, PATH_LENGTH_BUCKETS))).toEqual([
      0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7,
    ]);
  });

  test('of time end before 1 h and 1, 3, 7, 14, 30, 60, 90 d', () => {
    const days = [1, 3, 7, 14, 30, 60, 90].map((day) => day * 86_400);
    expect(TIME_LAG_BUCKETS.map(({ from }) => from)).toEqual([0, 3600, ...days]);
    expect(TIME_LAG_BUCKETS.map(({ to }) => to)).toEqual([3600, ...days, null]);
    expect([0, 3599.999, 3600, 86_399, 86_400].map((seconds) => indexOf(seconds, TIME_LAG_BUCKETS))).toEqual([
      0, 0, 1, 1, 2,
    ]);
  });
});

describe('a null journey', () => {
  const at = (day: number) => day * DAY_MS;
  const touch = (id: string, day: number, changes: object = {}) => ({
    id,
    occurred_at: at(day),
    kind: 'mention',
    voided: false,
    ...changes,
  });
  const RANGE = { from: at(20), to: at(30) };
  const settings = { lookback_days: 15, where: {} };
  const idsOf = (
    touches: ReturnType<typeof touch>[],
    conversions: { occurred_at: number; retracted: boolean }[] = [],
    changes: object = {},
  ) => nullJourneyOf(touches, conversions, RANGE, { ...settings, ...changes }).map(({ id }) => id);

  test('is what lies in the lookback before the end of the range: its beginning counts, its end does not', () => {
    const touches = [touch('end', 30), touch('in', 20), touch('opens', 15), touch('old', 14.999)];
    expect(idsOf(touches)).toEqual(['opens', 'in']);
  });

  test('is empty without a touchpoint in the range', () => {
    expect(idsOf([touch('before', 19.999), touch('after', 30)])).toEqual([]);
    expect(idsOf([touch('early', 21)], [], { lookback_days: 5 })).toEqual([]);
  });

  test('is empty after a conversion from the lookback before the range to its end, unless that was retracted', () => {
    const converted = (day: number, retracted = false) => [{ occurred_at: at(day), retracted }];
    const touches = [touch('in', 25)];
    for (const day of [5, 20, 29.999]) expect(idsOf(touches, converted(day)), `day ${day}`).toEqual([]);
    for (const day of [4.999, 30]) expect(idsOf(touches, converted(day)), `day ${day}`).toEqual(['in']);
    expect(idsOf(touches, converted(25, true))).toEqual(['in']);
  });

  test('has only what may earn credit, which has to be in the range too', () => {
    const view = touch('view', 25, { kind: 'view' });
    expect(idsOf([touch('in', 25), view, touch('void', 26, { voided: true })])).toEqual(['in']);
    expect(idsOf([touch('before', 18), view])).toEqual([]);
    expect(idsOf([touch('before', 18), view], [], { where: { kind: ['view'] } })).toEqual(['view']);
  });
});
