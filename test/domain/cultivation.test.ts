import { describe, expect, test } from 'vitest';
import {
  type ArmSums,
  armsOf,
  type CultivationConversion,
  type CultivationTouchpoint,
  compareArms,
  type Landmark,
  type LandmarkSettings,
  landmarkOf,
  type PersonLog,
  poolOf,
} from '../../src/domain/cultivation.ts';
import { DAY_MS } from '../../src/domain/time.ts';

/** Days count from 0; the range is [0, 10), the landmark 14 days after the first touchpoint, the horizon 90 more. */
const ASKED: LandmarkSettings = {
  goals: ['order', 'lead'],
  cultivation_goals: ['follow', 'join'],
  from: 0,
  to: 10 * DAY_MS,
  landmark_days: 14,
  horizon_days: 90,
  now: 1000 * DAY_MS,
};

type Event = [day: number, what: string, changes?: Partial<CultivationTouchpoint & CultivationConversion>];

/** `touch`, or the goal of a conversion, which is worth 10. */
function logOf(...events: Event[]): PersonLog {
  const all = events.map(([day, what, changes], i) => ({
    what,
    id: `e${i}`,
    occurred_at: day * DAY_MS,
    channel: 'x',
    voided: false,
    goal: what,
    counting: 'every' as const,
    retracted: false,
    value: 10,
    ...changes,
  }));
  return {
    touchpoints: all.filter(({ what }) => what === 'touch'),
    conversions: all.filter(({ what }) => what !== 'touch'),
  };
}

const seen = (events: Event[], settings: Partial<LandmarkSettings> = {}) =>
  landmarkOf(logOf(...events), { ...ASKED, ...settings });
const followed = (days: number, converted: boolean) => ({ seconds: days * 86_400, converted });
const JUST_AFTER = 1 / DAY_MS;

describe('who is in the report', () => {
  test('is who has the first touchpoint in the range, its start included and its end not', () => {
    expect(seen([[0, 'touch']])).not.toBeNull();
    expect(seen([[10, 'touch']])).toBeNull();
    expect(seen([[10 - JUST_AFTER, 'touch']])).not.toBeNull();
    expect(
      seen([
        [-JUST_AFTER, 'touch'],
        [5, 'touch'],
      ]),
    ).toBeNull();
    expect(seen([[5, 'order']])).toBeNull();
  });

  test('does not go by what was voided', () => {
    expect(seen([[5, 'touch', { voided: true }]])).toBeNull();
    expect(
      seen([
        [-1, 'touch', { voided: true }],
        [5, 'touch', { channel: 'email' }],
      ])?.channel,
    ).toBe('email');
  });

  test('is of the channel of the first touchpoint, at one instant by id bytewise', () => {
    const at = (id: string, channel: string): Event => [1, 'touch', { id, channel }];
    expect(seen([at('b', 'x'), at('B', 'email')])?.channel).toBe('email');
  });

  test('does not hold what lies ahead of now', () => {
    expect(seen([[5, 'touch']], { now: 5 * DAY_MS })).not.toBeNull();
    expect(seen([[5, 'touch']], { now: 5 * DAY_MS - 1 })).toBeNull();
  });
});

describe('cultivated', () => {
  const by = (...events: Event[]) => seen([[0, 'touch'], ...events])?.cultivated_by;

  test('is who reached a goal at the landmark or before, also before the first touchpoint', () => {
    expect(by([14, 'follow'])).toEqual(['follow']);
    expect(by([14 + JUST_AFTER, 'follow'])).toEqual([]);
    expect(by([-3, 'follow'], [2, 'join'])).toEqual(['follow', 'join']);
    expect(by()).toEqual([]);
  });

  test('is nobody by a retracted one, nor by a goal that is not asked', () => {
    expect(by([1, 'follow', { retracted: true }])).toEqual([]);
    expect(by([1, 'like'])).toEqual([]);
  });
});

describe('left out', () => {
  const reason = (events: Event[], now?: number) =>
    seen([[0, 'touch'], ...events], now === undefined ? {} : { now: now * DAY_MS })?.left_out;

  test('is who converted at the landmark or before, also before the first touchpoint', () => {
    expect(reason([[14, 'order']])).toBe('converted_before_landmark');
    expect(reason([[14 + JUST_AFTER, 'order']])).toBeNull();
    expect(reason([[-50, 'lead']])).toBe('converted_before_landmark');
    expect(reason([[3, 'order', { retracted: true }]])).toBeNull();
  });

  test('is nobody for having converted on the cultivation goal, or on one not asked', () => {
    expect(
      reason([
        [1, 'follow'],
        [2, 'like'],
      ]),
    ).toBeNull();
  });

  test('is whose horizon lies ahead, to the millisecond, also who converted meanwhile', () => {
    expect(reason([], 104)).toBeNull();
    expect(reason([], 104 - JUST_AFTER)).toBe('short_follow_up');
    expect(reason([[20, 'order']], 50)).toBe('short_follow_up');
  });

  test('is, with the landmark ahead, whoever converted before for having converted, others for being short', () => {
    expect(reason([[3, 'order']], 5)).toBe('converted_before_landmark');
    expect(reason([], 5)).toBe('short_follow_up');
    expect(reason([[6, 'order']], 5)).toBe('short_follow_up');
  });
});

describe('the outcome', () => {
  test('is a conversion after the landmark, until the horizon included', () => {
    const converted = (day: number) =>
      seen([
        [0, 'touch'],
        [day, 'order'],
      ])?.converted;
    expect([14, 14 + JUST_AFTER, 104, 104 + JUST_AFTER].map(converted)).toEqual([false, true, true, false]);
  });

  test('is worth all conversions until the horizon, of every goal asked', () => {
    const value = (...events: Event[]) => seen([[0, 'touch'], ...events])?.value;
    expect(value([20, 'order'], [30, 'order'], [104, 'lead'], [105, 'order'])).toBe(30);
    expect(value([20, 'order', { value: null }], [21, 'order', { retracted: true }])).toBe(0);
  });

  test('counts once where its goal does: the first that was not retracted', () => {
    const once = (day: number, changes = {}): Event => [day, 'order', { counting: 'once', ...changes }];
    expect(seen([[0, 'touch'], once(20), once(30)])?.value).toBe(10);
    expect(seen([[0, 'touch'], once(20, { retracted: true }), once(30), [40, 'lead']])?.value).toBe(20);
  });
});

describe('follow-up begins at the landmark and ends', () => {
  const watched = (events: Event[], now = 1000) =>
    seen([[0, 'touch'], ...events], { now: now * DAY_MS })?.follow_up;

  test('with the conversion, with the horizon, or with now', () => {
    expect(watched([[20, 'order']])).toEqual(followed(6, true));
    expect(watched([])).toEqual(followed(90, false));
    expect(watched([[105, 'order']])).toEqual(followed(90, false));
    expect(watched([[104, 'order']])).toEqual(followed(90, true));
    expect(watched([], 44)).toEqual(followed(30, false));
    expect(watched([[20, 'order']], 44)).toEqual(followed(6, true));
    expect(watched([], 14)).toEqual(followed(0, false));
  });

  test('never where the landmark lies ahead, or who converted before it', () => {
    expect(watched([], 14 - JUST_AFTER)).toBeNull();
    expect(watched([[14, 'order']])).toBeNull();
  });
});

describe('the pool', () => {
  test('is who reached a goal by now, whenever they came, and has not converted', () => {
    const pool = (...events: Event[]) => poolOf(logOf(...events), ASKED);
    expect(pool([-500, 'touch'], [900, 'follow'], [901, 'join'])).toEqual(['follow', 'join']);
    expect(pool([900, 'follow'])).toEqual(['follow']);
    expect(pool([900, 'follow'], [1, 'lead'])).toEqual([]);
    expect(pool([900, 'follow'], [1, 'lead', { retracted: true }])).toEqual(['follow']);
    expect(pool([900, 'follow'], [1, 'like'])).toEqual(['follow']);
    expect(pool([1001, 'follow'])).toEqual([]);
    expect(pool([1, 'touch'])).toEqual([]);
  });
});

const one = (changes: Partial<Landmark> = {}): Landmark => ({
  channel: 'x',
  cultivated_by: [],
  left_out: null,
  converted: false,
  value: 0,
  follow_up: followed(90, false),
  ...changes,
});

describe('the arms', () => {
  const follow = { cultivated_by: ['follow'] };

  test('are of those compared; the median is also of those with a short follow-up', () => {
    const people = [
      one({ ...follow, converted: true, value: 30, follow_up: followed(10, true) }),
      one(follow),
      one({ ...follow, left_out: 'short_follow_up', follow_up: followed(4, true) }),
      one({ ...follow, left_out: 'converted_before_landmark', follow_up: null }),
      one(),
    ];
    const { cultivated, uncultivated } = armsOf(people);
    // 3 at risk: 2/3 after day 4, 1/3 after day 10.
    expect(cultivated).toEqual({ people: 2, converted: 1, value: 30, median_seconds: 10 * 86_400 });
    expect(uncultivated).toEqual({ people: 1, converted: 0, value: 0, median_seconds: null });
  });

  test('of one goal are who reached it, against who reached none at all', () => {
    const both = { cultivated_by: ['follow', 'join'] };
    const people = [one(follow), one(both), one({ cultivated_by: ['join'] }), one()];
    const sizes = (goal?: string) => Object.values(armsOf(people, goal)).map((arm) => arm.people);
    expect([sizes(), sizes('follow'), sizes('join'), sizes('like')]).toEqual([
      [3, 1],
      [2, 1],
      [2, 1],
      [0, 1],
    ]);
  });
});

describe('the comparison', () => {
  const arm = (converted: number, people: number): ArmSums => ({
    people,
    converted,
    value: converted * 50,
    median_seconds: converted === 0 ? null : 129_600,
  });
  const against = (cultivated: ArmSums, uncultivated: ArmSums) => compareArms({ cultivated, uncultivated });

  test('of 84 of 1000 with 52 of 2000: risk ratio 3.2308 (2.3055 to 4.5273), odds ratio 3.4353', () => {
    const { risk_ratio, odds_ratio, risk_difference, arms, low_evidence } = against(
      arm(84, 1000),
      arm(52, 2000),
    );
    expect(risk_ratio.estimate).toBeCloseTo(3.2308, 4);
    expect(risk_ratio.low).toBeCloseTo(2.3055, 4);
    expect(risk_ratio.high).toBeCloseTo(4.5273, 4);
    expect(odds_ratio.estimate).toBeCloseTo(3.4353, 4);
    expect(risk_difference.estimate).toBeCloseTo(0.058, 10);
    expect(arms.cultivated).toMatchObject({ rate: 0.084, value_per_person: 4.2, median_days: 1.5 });
    expect(low_evidence).toBe(false);
  });

  test('with an arm of nobody is all null, and little evidence', () => {
    const { arms, ...rest } = against(arm(0, 0), arm(5, 100));
    const unknown = { estimate: null, low: null, high: null };
    expect(rest).toEqual({
      risk_ratio: unknown,
      odds_ratio: unknown,
      risk_difference: unknown,
      low_evidence: true,
    });
    expect(arms.cultivated).toEqual({
      people: 0,
      converted: 0,
      rate: null,
      rate_low: null,
      rate_high: null,
      value_per_person: null,
      median_days: null,
    });
  });

  test.each<[ArmSums, ArmSums, boolean]>([
    [arm(4, 30), arm(1, 30), false],
    [arm(4, 29), arm(9, 300), true],
    [arm(4, 300), arm(9, 29), true],
    [arm(4, 300), arm(0, 300), true],
  ])('is of little evidence below 30 people in an arm or 5 conversions in both: %o, %o', (a, b, low) => {
    expect(against(a, b).low_evidence).toBe(low);
  });
});
