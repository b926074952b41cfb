import { describe, expect, test } from 'vitest';
import { needsMilestones, type Touch, weightsOf } from '../../src/domain/attribution.ts';
import type { JourneyConversion } from '../../src/domain/journey.ts';
import { type MilestoneConversion, milestoneTime, milestoneTouch } from '../../src/domain/milestones.ts';
import { DAY_MS } from '../../src/domain/time.ts';

/** `.` is the touch of no milestone, `L` of the lead, `O` of the opportunity, `B` of both. */
const MARKS: Record<string, Touch['milestones']> = {
  '.': [],
  L: ['lead'],
  O: ['opportunity'],
  B: ['lead', 'opportunity'],
};
const marked = (marks: string): Touch[] =>
  [...marks].map((mark, i) => ({ occurred_at: i, channel: 'x', milestones: MARKS[mark] ?? [] }));

/** Parts before normalisation, scaled to the sum 1. */
const proportions = (parts: number[]) => {
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => expect.closeTo(part / sum, 12));
};

describe('w_shaped is 30 first, 30 lead, 30 opportunity, 10 shared by the others up to the last milestone:', () => {
  test.each<[marks: string, parts: number[]]>([
    ['.', [1]],
    ['L', [1]],
    ['B', [1]],
    ['..', [1, 0]],
    ['L.', [1, 0]],
    ['.L', [30, 30]],
    ['B.', [1, 0]],
    ['.B', [30, 60]],
    ['LO', [60, 30]],
    ['OL', [60, 30]],
    ['...', [1, 0, 0]],
    ['.LO', [30, 30, 30]],
    ['.OL', [30, 30, 30]],
    ['.B.', [30, 60, 0]],
    ['..B', [30, 10, 60]],
    ['L.O', [60, 10, 30]],
    ['B..', [1, 0, 0]],
    ['.L.', [30, 30, 0]],
    ['..L', [30, 10, 30]],
    ['..O.', [30, 10, 30, 0]],
    ['.L.O', [30, 30, 10, 30]],
    ['..L..O', [30, 10 / 3, 30, 10 / 3, 10 / 3, 30]],
    ['.L.O..', [30, 30, 10, 30, 0, 0]],
    ['.O.L..', [30, 30, 10, 30, 0, 0]],
    ['.....', [1, 0, 0, 0, 0]],
  ])('%s', (marks, parts) => {
    expect(weightsOf('w_shaped', marked(marks), { half_life_days: 7 })).toEqual(proportions(parts));
  });
});

describe('full_path is 22.5 each for first, lead, opportunity and last, 10 shared by the others between:', () => {
  test.each<[marks: string, parts: number[]]>([
    ['.', [1]],
    ['B', [1]],
    ['..', [22.5, 22.5]],
    ['L.', [45, 22.5]],
    ['.L', [22.5, 45]],
    ['LO', [45, 45]],
    ['B.', [67.5, 22.5]],
    ['.B', [22.5, 67.5]],
    ['...', [22.5, 10, 22.5]],
    ['.L.', [22.5, 22.5, 22.5]],
    ['.B.', [22.5, 45, 22.5]],
    ['L.O', [45, 10, 45]],
    ['..B', [22.5, 10, 67.5]],
    ['.LO.', [22.5, 22.5, 22.5, 22.5]],
    ['..L.', [22.5, 10, 22.5, 22.5]],
    ['.L.O.', [22.5, 22.5, 10, 22.5, 22.5]],
    ['.O..L.', [22.5, 22.5, 5, 5, 22.5, 22.5]],
    ['.B...', [22.5, 45, 5, 5, 22.5]],
  ])('%s', (marks, parts) => {
    expect(weightsOf('full_path', marked(marks), { half_life_days: 7 })).toEqual(proportions(parts));
  });
});

test('only w_shaped and full_path need milestones', () => {
  expect(needsMilestones(['linear', 'position_based', 'custom'])).toBe(false);
  expect(needsMilestones(['linear', 'w_shaped'])).toBe(true);
  expect(needsMilestones(['full_path'])).toBe(true);
});

describe('a milestone is reached', () => {
  const NOW = Date.UTC(2026, 5, 1);
  const conversion = (previousAge: number | null = null): JourneyConversion => ({
    id: 'c',
    occurred_at: NOW,
    touchpoint_id: null,
    previous_at: previousAge === null ? null : NOW - previousAge * DAY_MS,
  });
  const aged = (age: number, retracted = false): MilestoneConversion => ({
    occurred_at: NOW - age * DAY_MS,
    retracted,
  });
  const ageOf = (
    candidates: MilestoneConversion[],
    policy: 'reuse' | 'reset' = 'reuse',
    previous: number | null = null,
  ) => {
    const at = milestoneTime(conversion(previous), candidates, { lookback_days: 10, policy });
    return at === null ? null : (NOW - at) / DAY_MS;
  };

  test.each<[name: string, candidates: MilestoneConversion[], age: number | null]>([
    ['never, without a conversion', [], null],
    ['by the first of several', [aged(3), aged(5), aged(4)], 5],
    ['by one exactly the lookback before', [aged(10)], 10],
    ['by the first inside the window, not by one before it', [aged(10.001), aged(4)], 4],
    ['at the instant of the conversion', [aged(0)], 0],
    ['not after it', [aged(-0.001)], null],
    ['not by a retracted one: the next takes its place', [aged(5, true), aged(2)], 2],
    ['not at all if all are retracted', [aged(5, true)], null],
  ])('%s', (_name, candidates, age) => {
    expect(ageOf(candidates)).toBe(age);
  });

  test('under reset only after the previous conversion; under reuse that changes nothing', () => {
    expect(ageOf([aged(6), aged(5), aged(2)], 'reset', 5)).toBe(2);
    expect(ageOf([aged(5)], 'reset', 5)).toBe(null);
    expect(ageOf([aged(6), aged(2)], 'reset', null)).toBe(6);
    expect(ageOf([aged(6), aged(2)], 'reuse', 5)).toBe(6);
  });
});

describe("a milestone's touch is the last at or before it:", () => {
  const touches = [1, 3, 3, 5].map((occurred_at) => ({ occurred_at }));

  test.each<[name: string, reachedAt: number | null, index: number | null]>([
    ['none, if it was not reached', null, null],
    ['none, if all touches are later', 0, null],
    ['the one of the same instant', 1, 0],
    ['the one before', 2, 0],
    ['the last of those at the same instant', 3, 2],
    ['the last of the journey', 9, 3],
  ])('%s', (_name, reachedAt, index) => {
    expect(milestoneTouch(touches, reachedAt)).toBe(index);
  });

  test('of an empty journey there is none', () => {
    expect(milestoneTouch([], 5)).toBe(null);
  });
});
