import { describe, expect, test } from 'vitest';
import { type AdvocacyConversion, type AdvocacySettings, advocacyOf } from '../../src/domain/advocacy.ts';

/** Referrals as `ann > bob`, at small times; the range is [10, 20), now is 100. */
const ASKED: AdvocacySettings = { goals: ['order', 'lead'], from: 10, to: 20, now: 100 };

type Told = [at: number, telling: string, changes?: { voided?: boolean }];
type Bought = [at: number, person: string, changes?: Partial<AdvocacyConversion>];

function reportOf(told: Told[], bought: Bought[] = [], settings: Partial<AdvocacySettings> = {}) {
  const referrals = told.map(([occurred_at, telling, { voided = false } = {}]) => {
    const [advocate, person_id = ''] = telling.split(' > ');
    return {
      occurred_at,
      person_id,
      referred_by_person_id: advocate === '?' ? null : (advocate ?? ''),
      voided,
    };
  });
  const conversions = bought.map(([occurred_at, person_id, changes], i) => ({
    id: `c${i}`,
    goal: 'order',
    counting: 'every' as const,
    retracted: false,
    value: 10,
    occurred_at,
    person_id,
    ...changes,
  }));
  return advocacyOf({ referrals, conversions }, { ...ASKED, ...settings });
}

/** `advocate: referred, converted, value, second order`. */
function rowsOf(...asked: Parameters<typeof reportOf>): string[] {
  return reportOf(...asked).advocates.map(
    (row) =>
      `${row.person_id}: ${row.referred_people}, ${row.converted_people}, ${row.value}, ${row.second_order_people}`,
  );
}

describe('a referral', () => {
  test('counts where it first happened: in the range, its start included and its end not', () => {
    expect(
      rowsOf([
        [10, 'ann > bob'],
        [20, 'ann > cleo'],
      ]),
    ).toEqual(['ann: 1, 0, 0, 0']);
    expect(
      rowsOf([
        [12, 'ann > bob'],
        [9, 'ann > bob'],
      ]),
    ).toEqual([]);
    expect(
      rowsOf([
        [9, 'ann > bob'],
        [12, 'ann > bob'],
      ]),
    ).toEqual([]);
    expect(
      rowsOf([
        [9, 'ann > bob', { voided: true }],
        [12, 'ann > bob'],
      ]),
    ).toEqual(['ann: 1, 0, 0, 0']);
    expect(rowsOf([[15, 'ann > bob']], [], { now: 14 })).toEqual([]);
    expect(rowsOf([[15, 'ann > bob']], [], { now: 15 })).toEqual(['ann: 1, 0, 0, 0']);
  });

  test('is none of oneself, nor of an advocate who was erased', () => {
    const { advocates, word_of_mouth } = reportOf(
      [
        [12, 'ann > ann'],
        [12, '? > bob'],
      ],
      [
        [13, 'ann'],
        [13, 'bob'],
      ],
    );
    expect(advocates).toEqual([]);
    expect(word_of_mouth).toEqual({ conversions: 0, value: 0 });
  });

  test('of one person by several is credited to each in full, and once in the totals', () => {
    const told: Told[] = [
      [11, 'ann > bob'],
      [14, 'eve > bob'],
    ];
    const bought: Bought[] = [
      [12, 'bob'],
      [30, 'bob'],
    ];
    expect(rowsOf(told, bought)).toEqual(['ann: 1, 1, 20, 0', 'eve: 1, 1, 10, 0']);
    expect(reportOf(told, bought).totals).toEqual({
      referred_people: 1,
      converted_people: 1,
      value: 20,
      second_order_people: 0,
    });
  });
});

describe('converted', () => {
  const value = (...bought: Bought[]) => reportOf([[12, 'ann > bob']], bought).totals.value;

  test('is who did at the referral or after it, until now, however late', () => {
    expect([11, 12, 13, 100, 101].map((at) => value([at, 'bob']))).toEqual([0, 10, 10, 10, 0]);
  });

  test('is nobody by a retracted one, by another goal, or by somebody else', () => {
    expect(value([13, 'bob', { retracted: true }])).toBe(0);
    expect(value([13, 'bob', { goal: 'like' }])).toBe(0);
    expect(value([13, 'ann'])).toBe(0);
    expect(value([13, 'bob', { goal: 'lead', value: null }], [14, 'bob'])).toBe(10);
  });

  test('counts once where the goal does, and so not at all if the first was before the referral', () => {
    const once = { counting: 'once' as const };
    expect(value([13, 'bob', once], [14, 'bob', once])).toBe(10);
    expect(value([11, 'bob', once], [13, 'bob', once])).toBe(0);
    expect(value([11, 'bob', { ...once, retracted: true }], [13, 'bob', once])).toBe(10);
  });
});

describe('second order', () => {
  const second = (...told: Told[]) => rowsOf(told).map((row) => row.replace(/(\w+): .*, (\d+)$/, '$1 $2'));

  test('is whom the referred referred since, until now', () => {
    expect(second([12, 'ann > bob'], [12, 'bob > cleo'], [60, 'bob > dan'])).toEqual(['ann 2', 'bob 0']);
    expect(second([12, 'ann > bob'], [9, 'bob > cleo'])).toEqual(['ann 0']);
    expect(second([12, 'ann > bob'], [9, 'bob > cleo'], [13, 'bob > cleo'])).toEqual(['ann 0']);
    expect(second([9, 'ann > bob'], [12, 'bob > cleo'])).toEqual(['bob 0']);
  });

  test('is nobody whom the advocate ever referred as well', () => {
    expect(second([12, 'ann > bob'], [13, 'bob > cleo'], [5, 'ann > cleo'])).toEqual(['ann 0', 'bob 0']);
    expect(second([12, 'ann > bob'], [13, 'bob > cleo'], [90, 'ann > cleo'])).toEqual(['ann 0', 'bob 0']);
  });

  test('goes around in circles without counting the advocate', () => {
    expect(second([12, 'ann > bob'], [12, 'bob > ann'])).toEqual(['ann 0', 'bob 0']);
    expect(second([12, 'ann > bob'], [12, 'bob > cleo'], [12, 'cleo > ann'])).toEqual([
      'ann 1',
      'bob 1',
      'cleo 1',
    ]);
  });

  test('is one person through several, also in the totals', () => {
    const told: Told[] = [
      [11, 'ann > bob'],
      [11, 'ann > dan'],
      [11, 'eve > bob'],
      [12, 'bob > cleo'],
      [12, 'dan > cleo'],
    ];
    expect(second(...told)).toEqual(['ann 1', 'bob 0', 'dan 0', 'eve 1']);
    expect(reportOf(told).totals.second_order_people).toBe(1);
  });
});

test('word of mouth is what people bought in the range after they had ever been referred', () => {
  const { all, word_of_mouth } = reportOf(
    [
      [5, 'ann > bob'],
      [15, 'ann > cleo'],
      [19, 'ann > dan'],
    ],
    [
      [10, 'bob'],
      [14, 'cleo'],
      [15, 'cleo', { value: null }],
      [19, 'eve', { value: 70 }],
      [20, 'bob'],
      [4, 'bob'],
    ],
  );
  expect(all).toEqual({ conversions: 4, value: 90 });
  expect(word_of_mouth).toEqual({ conversions: 2, value: 10 });
});

test('advocates come by people converted, people referred, and id', () => {
  const told: Told[] = ['b > 1', 'a > 2', 'c > 3', 'c > 4', 'd > 5'].map((telling) => [12, telling]);
  expect(
    rowsOf(told, [
      [13, '5'],
      [14, '5'],
    ]),
  ).toEqual(['d: 1, 1, 20, 0', 'c: 2, 0, 0, 0', 'a: 1, 0, 0, 0', 'b: 1, 0, 0, 0']);
});
