import { describe, expect, test } from 'vitest';
import { covers, mayOverlap, overlapGroups } from '../../src/domain/overlap.ts';

const kind = (...values: string[]) => ({ touchpoint: { kind: values } });
const goal = (...values: string[]) => ({ conversion: { goal: values } });

describe('one event can fit both', () => {
  test.for([
    ['filters of one value in common', kind('mention', 'reply'), kind('reply'), true],
    ['no value in common', kind('mention'), kind('reply'), false],
    ['different fields', kind('mention'), { touchpoint: { channel: ['x'] } }, true],
    [
      'a field in common that tells them apart',
      { touchpoint: { kind: ['mention'], channel: ['x'] } },
      { touchpoint: { channel: ['email', null] } },
      false,
    ],
    [
      'an empty field in both',
      { touchpoint: { campaign: [null] } },
      { touchpoint: { campaign: ['a', null] } },
      true,
    ],
    ['a touchpoint and a conversion', kind('mention'), goal('purchase'), false],
    ['goals in common', goal('a', 'b'), goal('b'), true],
    ['other goals', goal('a'), goal('b'), false],
  ] as const)('%s: %#', ([_name, a, b, expected]) => {
    expect(mayOverlap(a, b)).toBe(expected);
    expect(mayOverlap(b, a)).toBe(expected);
  });
});

describe('every event that fits the second fits the first', () => {
  test.for([
    ['more values', kind('mention', 'reply'), kind('reply'), true],
    ['fewer values', kind('reply'), kind('mention', 'reply'), false],
    ['fewer fields', kind('mention'), { touchpoint: { kind: ['mention'], channel: ['x'] } }, true],
    ['more fields', { touchpoint: { kind: ['mention'], channel: ['x'] } }, kind('mention'), false],
    ['another field', kind('mention'), { touchpoint: { channel: ['x'] } }, false],
    ['more goals', goal('a', 'b'), goal('b'), true],
    ['fewer goals', goal('b'), goal('a', 'b'), false],
    ['a touchpoint and a conversion', kind('mention'), goal('purchase'), false],
    ['a conversion and a touchpoint', goal('purchase'), kind('mention'), false],
  ] as const)('%s: %#', ([_name, a, b, expected]) => {
    expect(covers(a, b)).toBe(expected);
  });
});

describe('groups', () => {
  test('join through a third: mention and reply do not overlap, but both do with a channel', () => {
    const channel = { touchpoint: { channel: ['x'] } };
    expect(overlapGroups([kind('mention'), kind('reply'), goal('a'), channel])).toEqual([[0, 1, 3], [2]]);
  });

  test('of steps that nothing can fit together are single', () => {
    expect(overlapGroups([kind('mention'), kind('reply'), goal('a')])).toEqual([[0], [1], [2]]);
  });
});
