import {
  type JourneyConversion,
  type JourneySettings,
  type JourneyTouchpoint,
  journeyOf,
} from './journey.ts';
import { DAY_MS } from './time.ts';

/** The values of a touchpoint's dimensions, in the order in which a question names them. */
export type PathGroup = readonly (string | null)[];

/** How a journey ended. */
export const OUTCOMES = ['conversion', 'null'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a step of a journey leads from or to: where it began, a group, or how it ended. */
export const PATH_STATES = ['start', 'group', ...OUTCOMES] as const;
export type PathNode =
  | { readonly state: 'start' | Outcome }
  | { readonly state: 'group'; readonly group: PathGroup };

/** From `from`, which is inside, to `to`, which is not; null: without an end. */
export interface Bucket {
  readonly from: number;
  readonly to: number | null;
}

/** Touchpoints of a journey: 1, 2, 3, 4, 5, 6–10, 11–20, more. */
export const PATH_LENGTH_BUCKETS = bucketsFrom([1, 2, 3, 4, 5, 6, 11, 21]);

/** Seconds from the first touch to the conversion: to an hour, 1, 3, 7, 14, 30, 60, 90 days, and more. */
export const TIME_LAG_BUCKETS = bucketsFrom([
  0,
  3600,
  ...[1, 3, 7, 14, 30, 60, 90].map((days) => (days * DAY_MS) / 1000),
]);

function bucketsFrom(bounds: readonly number[]): readonly Bucket[] {
  return bounds.map((from, i) => ({ from, to: bounds[i + 1] ?? null }));
}

export function isInBucket(value: number, { from, to }: Bucket): boolean {
  return value >= from && (to === null || value < to);
}

/** Consecutive repeats of a group are one: x, x, email, x is x, email, x. */
export function collapseRuns(groups: readonly PathGroup[]): PathGroup[] {
  return groups.filter((group, i) => !isSameGroup(group, groups[i - 1] ?? []));
}

/** Empty fields are equal to each other. */
function isSameGroup(a: PathGroup, b: PathGroup): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/**
 * The steps of one path, oldest first: from the start to its first group, from each to the next, from the last to how
 * it ended. A path without any group is one step, so that as many steps leave the start as there are paths.
 */
export function stepsOf(path: readonly PathGroup[], outcome: Outcome): { from: PathNode; to: PathNode }[] {
  const groups = path.map((group) => ({ state: 'group' as const, group }));
  const nodes: PathNode[] = [{ state: 'start' }, ...groups, { state: outcome }];
  return nodes.slice(1).map((to, i) => ({ from: nodes[i] ?? to, to }));
}

/**
 * The journey of an entity that did not convert, to compare the others with; empty if it has none.
 *
 * It has one if it has no unretracted conversion of any of the goals from the lookback before the range to its end,
 * and a touchpoint in the range. The journey is what it has in the lookback before the end of the range. Only
 * touchpoints that may earn credit count, in the range as well: a narrowed report is that of a workspace which has
 * nothing else. Of several goals, the longest lookback decides.
 *
 * Whatever is in the range is in the journey too, or the journey is in the range: so its newest touch tells.
 */
export function nullJourneyOf<T extends JourneyTouchpoint>(
  touchpoints: readonly T[],
  conversions: readonly { occurred_at: number; retracted: boolean }[],
  range: { from: number; to: number },
  settings: Pick<JourneySettings, 'lookback_days' | 'where'>,
): T[] {
  const opensAt = range.from - settings.lookback_days * DAY_MS;
  const hasConverted = conversions.some(
    ({ occurred_at, retracted }) => !retracted && occurred_at >= opensAt && occurred_at < range.to,
  );
  if (hasConverted) return [];
  const end: JourneyConversion = { id: '', occurred_at: range.to, touchpoint_id: null, previous_at: null };
  const before = touchpoints.filter(({ occurred_at }) => occurred_at < range.to);
  const journey = journeyOf(end, before, { ...settings, policy: 'reuse' });
  return journey.some(({ occurred_at }) => occurred_at >= range.from) ? journey : [];
}
