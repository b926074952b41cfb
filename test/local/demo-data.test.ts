import { expect, test } from 'vitest';
import { storyCalendar } from '../../local/demo/calendar.ts';
import type { DemoData, DemoTouchpoint } from '../../local/demo/diary.ts';
import { generateDemo } from '../../local/demo/generate.ts';
import { CHANNELS } from '../../src/domain/channels.ts';

const UNTIL = new Date('2026-06-01T00:00:00Z');
const FROM = new Date('2025-06-01T00:00:00Z');
const SEEDS = [0, 1, 2, 7, 42, 4_294_967_295];

function demo(seed: number): DemoData {
  return generateDemo({ seed, until: UNTIL });
}

function counts<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const groups = Object.entries(Object.groupBy(items, keyOf));
  return Object.fromEntries(groups.map(([key, group]) => [key, group?.length ?? 0]));
}

function within(touchpoints: readonly DemoTouchpoint[], from: string, to: string): DemoTouchpoint[] {
  return touchpoints.filter(({ occurred_at }) => occurred_at >= from && occurred_at < to);
}

test('one seed and one end always give the same data; another seed gives other data', () => {
  expect(demo(1)).toEqual(demo(1));
  expect(demo(1).touchpoints).not.toEqual(demo(2).touchpoints);
});

test.each(SEEDS)('seed %i: ids are unique and every list is in order of time, inside the year', (seed) => {
  const data = demo(seed);
  for (const items of [data.touchpoints, data.conversions, data.adjustments]) {
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    const times = items.map(({ occurred_at }) => occurred_at);
    expect(times.toSorted()).toEqual(times);
    expect(times.every((time) => time >= FROM.toISOString() && time < UNTIL.toISOString())).toBe(true);
  }
});

test.each(SEEDS)('seed %i: conversions name goals, adjustments name purchases that came before', (seed) => {
  const { goals, conversions, adjustments } = demo(seed);
  const keys = new Set(goals.map(({ key }) => key));
  expect(conversions.filter(({ goal }) => !keys.has(goal))).toEqual([]);
  const orders = new Map(conversions.map((conversion) => [conversion.id, conversion]));
  for (const { conversion_id, kind, value, occurred_at } of adjustments) {
    const order = orders.get(conversion_id);
    expect(order?.goal).toBe('purchase');
    expect((order?.occurred_at ?? '') < occurred_at).toBe(true);
    expect(value !== undefined).toBe(kind === 'restatement');
    expect(value ?? 0).toBeLessThan(Number(order?.value));
  }
});

test.each(SEEDS)('seed %i: the story has its size, its channels and its people', (seed) => {
  const { touchpoints, conversions, adjustments } = demo(seed);
  expect(touchpoints.length).toBeGreaterThan(12_000);
  expect(touchpoints.length).toBeLessThan(19_000);
  const goals = counts(conversions, ({ goal }) => goal);
  expect(goals.signup).toBeGreaterThan(320);
  expect(goals.signup).toBeLessThan(500);
  expect(goals.purchase).toBeGreaterThan(110);
  expect(goals.purchase).toBeLessThan(210);
  expect(adjustments.length).toBeGreaterThan(4);
  expect(adjustments.length).toBeLessThan(28);
  const networks = counts(touchpoints, ({ channel }) => channel ?? 'derived');
  for (const network of ['x', 'linkedin', 'reddit', 'discord'])
    expect(networks[network]).toBeGreaterThan(700);
  for (const meeting of ['demo', 'call']) expect(networks[meeting]).toBeGreaterThan(40);
  expect(networks.derived).toBeGreaterThan(5_000);
  // The generator sends no channel that the API derives.
  expect(CHANNELS.filter((channel) => networks[channel] !== undefined)).toEqual([]);
});

test.each(SEEDS)(
  'seed %i: identities of one person meet in some items, and two accounts never do',
  (seed) => {
    const { touchpoints, conversions } = demo(seed);
    const maps = [...touchpoints, ...conversions].map(({ person }) =>
      Object.keys(person).toSorted().join('+'),
    );
    const pairs = counts(maps, (names) => names);
    expect(pairs['anonymous_id+x']).toBeGreaterThan(20);
    expect(pairs['email+x']).toBeGreaterThan(20);
    expect(pairs['anonymous_id+email+user_id']).toBeGreaterThan(200);
    const accountOf = new Map<string, string>();
    for (const { person } of conversions) {
      const { email = '', user_id = '' } = person as Record<string, string>;
      expect(accountOf.get(email) ?? user_id).toBe(user_id);
      accountOf.set(email, user_id);
    }
  },
);

test('the spring launch is busy, the summer is slow, and one Reddit thread goes wild for a week', () => {
  const { touchpoints } = demo(1);
  const arrivals = (from: string, to: string) =>
    within(touchpoints, from, to).filter(({ id }) => id.startsWith('web-')).length;
  const launchWeeks = arrivals('2026-04-14', '2026-05-12');
  const weeksBefore = arrivals('2026-03-17', '2026-04-14');
  expect(launchWeeks).toBeGreaterThan(1.2 * weeksBefore);
  const threads = counts(touchpoints, ({ conversation }) => conversation?.id ?? '');
  const [wildest = ''] = Object.keys(threads)
    .filter(Boolean)
    .sort((a, b) => (threads[b] ?? 0) - (threads[a] ?? 0));
  const wild = touchpoints.filter(({ conversation }) => conversation?.id === wildest);
  expect(wildest).toMatch(/^reddit-/);
  expect(wild.length).toBeGreaterThan(120);
  const opened = wild.filter(({ kind }) => kind === 'comment').map(({ occurred_at }) => occurred_at);
  expect(opened[0]?.slice(0, 7)).toBe('2025-10');
  expect(Date.parse(opened.at(-1) ?? '') - Date.parse(opened[0] ?? '')).toBeLessThan(7 * 86_400_000);
});

test('most threads are answered, in office hours, and the median answer comes within hours', () => {
  const { touchpoints } = demo(1);
  const threads = Map.groupBy(
    touchpoints.filter(({ conversation }) => conversation?.id),
    ({ conversation }) => conversation?.id ?? '',
  );
  const waits = [...threads.values()].flatMap((thread) => {
    const answer = thread.find(({ direction }) => direction === 'outbound');
    return answer ? [Date.parse(answer.occurred_at) - Date.parse(thread[0]?.occurred_at ?? '')] : [];
  });
  expect(waits.every((wait) => wait > 0)).toBe(true);
  expect(waits.length / threads.size).toBeGreaterThan(0.7);
  expect(waits.length / threads.size).toBeLessThan(0.95);
  const median = waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
  expect(median).toBeGreaterThan(15 * 60_000);
  expect(median).toBeLessThan(8 * 3_600_000);
  const answers = touchpoints.filter(({ kind, direction }) => kind === 'reply' && direction === 'outbound');
  const days = new Set(answers.map(({ occurred_at }) => new Date(occurred_at).getUTCDay()));
  expect([...days].toSorted()).toEqual([1, 2, 3, 4, 5]);
});

test('some people buy without a single touchpoint, most people never buy', () => {
  const { touchpoints, conversions } = demo(1);
  const touched = new Set(touchpoints.map(({ person }) => (person as Record<string, string>).email));
  const buyers = new Set(
    conversions
      .filter(({ goal }) => goal === 'purchase')
      .map(({ person }) => (person as Record<string, string>).email),
  );
  const untouched = [...buyers].filter((email) => !touched.has(email));
  expect(untouched.length).toBeGreaterThan(3);
  expect(buyers.size).toBeLessThan(210);
});

test('the launch and the wild week fall inside the year on whatever day it ends', () => {
  for (let day = 0; day < 366; day++) {
    const until = new Date(Date.UTC(2027, 0, 1 + day));
    const { from, launchAt, wildWeekAt } = storyCalendar(until);
    expect(from).toBe(until.getTime() - 365 * 86_400_000);
    for (const at of [launchAt, wildWeekAt]) {
      expect(at).toBeGreaterThanOrEqual(from);
      expect(at).toBeLessThan(until.getTime());
    }
  }
});
