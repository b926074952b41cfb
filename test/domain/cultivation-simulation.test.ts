import { expect, test } from 'vitest';
import { randomOf } from '../../bench/data.ts';
import {
  armsOf,
  type CultivationConversion,
  compareArms,
  type LandmarkSettings,
  landmarkOf,
  type PersonLog,
} from '../../src/domain/cultivation.ts';
import { riskRatio } from '../../src/domain/proportions.ts';
import { DAY_MS } from '../../src/domain/time.ts';

/** The landmark analysis on generated populations whose true ratio is known. */

const ASKED: LandmarkSettings = {
  goals: ['order'],
  cultivation_goals: ['follow'],
  from: 0,
  to: 60 * DAY_MS,
  landmark_days: 14,
  horizon_days: 90,
  // People who come after day 46 have a short follow-up.
  now: 150 * DAY_MS,
};

type Random = () => number;
const exponential = (random: Random, meanDays: number) => -Math.log(1 - random()) * meanDays;

const event = (goal: string, day: number): CultivationConversion => ({
  id: goal,
  goal,
  occurred_at: day * DAY_MS,
  counting: 'every',
  retracted: false,
  value: 1,
});

/** A person who comes on a day, and follows and orders a number of days later; infinity means never. */
function personOf(day: number, followsAfter: number, ordersAfter: number): PersonLog {
  const events = [event('follow', day + followsAfter), event('order', day + ordersAfter)];
  return {
    touchpoints: [{ id: 't', occurred_at: day * DAY_MS, channel: 'x', voided: false }],
    conversions: events.filter(({ occurred_at }) => Number.isFinite(occurred_at)),
  };
}

function populationOf(size: number, random: Random, make: (day: number) => PersonLog): PersonLog[] {
  return Array.from({ length: size }, () => make(random() * 60));
}

function landmarkRatio(population: readonly PersonLog[]) {
  return compareArms(armsOf(population.flatMap((one) => landmarkOf(one, ASKED) ?? []))).risk_ratio;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('where the cultivated convert twice as often, 95 % intervals hold the 2 in 93.5 to 96.5 % of 2,000 runs', () => {
  const random = randomOf(20260711);
  // Some order at once and some follow late: neither may change the ratio of the people who are compared.
  const make = (day: number) => {
    const follows = random() < 0.3;
    const ordersEarly = random() < 0.05;
    const orders = random() < (follows ? 0.24 : 0.12);
    const followsAfter = follows
      ? random() * 14
      : random() < 0.3
        ? 14.01 + random() * 90
        : Number.POSITIVE_INFINITY;
    const ordersAfter = orders ? 14.01 + random() * 89 : Number.POSITIVE_INFINITY;
    return personOf(day, followsAfter, ordersEarly ? random() * 14 : ordersAfter);
  };
  const ratios = Array.from({ length: 2000 }, () => landmarkRatio(populationOf(1000, random, make)));
  const covered = ratios.filter(({ low, high }) => (low ?? 3) <= 2 && (high ?? 0) >= 2).length / 2000;
  expect(covered).toBeGreaterThanOrEqual(0.935);
  expect(covered).toBeLessThanOrEqual(0.965);
  expect(mean(ratios.map(({ estimate }) => Math.log(estimate ?? 0)))).toBeCloseTo(Math.log(2), 1);
}, 60_000);

/**
 * The plain count, which ignores time: everyone who ever followed is cultivated, everyone who ever ordered converted.
 */
function naiveRatio(population: readonly PersonLog[]) {
  const has = (goal: string) => (one: PersonLog) =>
    one.conversions.some((c) => c.goal === goal && c.occurred_at <= ASKED.now);
  const arm = (people: readonly PersonLog[]) => ({
    people: people.length,
    converted: people.filter(has('order')).length,
  });
  const follows = has('follow');
  return riskRatio(arm(population.filter(follows)), arm(population.filter((one) => !follows(one))));
}

test.each<[name: string, followAfterOrder: boolean, direction: number]>([
  ['an advantage, where who bought follows afterwards', true, 1],
  ['a drawback, where who bought never follows any more', false, -1],
])(
  'where cultivation does nothing but comes late, the landmark finds nothing; the naive comparison finds %s',
  (_, followAfterOrder, direction) => {
    const random = randomOf(20260712);
    const make = (day: number) => {
      const ordersAfter = exponential(random, 120);
      const followsAfter = exponential(random, 60);
      if (ordersAfter > followsAfter) return personOf(day, followsAfter, ordersAfter);
      const later = random() < 0.95 ? ordersAfter + exponential(random, 5) : Number.POSITIVE_INFINITY;
      return personOf(day, followAfterOrder ? later : Number.POSITIVE_INFINITY, ordersAfter);
    };
    const populations = Array.from({ length: 300 }, () => populationOf(1000, random, make));
    const logs = (ratioOf: typeof landmarkRatio) =>
      populations.map((population) => Math.log(ratioOf(population).estimate ?? Number.NaN));
    expect(Math.abs(mean(logs(landmarkRatio)))).toBeLessThan(0.05);
    expect(direction * mean(logs(naiveRatio))).toBeGreaterThan(0.2);
  },
  60_000,
);
