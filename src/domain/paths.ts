import {
  type JourneyConversion,
  type JourneySettings,
  type JourneyTouchpoint,
  journeyOf,
} from './journey.ts';
import { DAY_MS } from './time.ts';

/**
 * The values of a touchpoint's dimensions, in the order in which a query names them; null for an empty field.
 */
export type PathGroup = readonly (string | null)[];

/** How a journey ended: with a conversion, or without one (`null`). */
export const OUTCOMES = ['conversion', 'null'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The nodes that a step of a journey connects: the start, a group, or the end. */
export const PATH_STATES = ['start', 'group', ...OUTCOMES] as const;
/** A node; `group` is set if the state is `group`. */
export type PathNode =
  | { readonly state: 'start' | Outcome }
  | { readonly state: 'group'; readonly group: PathGroup };

/** A longer path than twice this number of steps keeps so many at each end. */
export const MAX_PATH_END = 100;

/** Values from `from` (inside) to `to` (not inside); null: no upper bound. */
export interface Bucket {
  readonly from: number;
  readonly to: number | null;
}

/** Buckets of the number of touchpoints in a journey: 1, 2, 3, 4, 5, 6–10, 11–20, more. */
export const PATH_LENGTH_BUCKETS = bucketsFrom([1, 2, 3, 4, 5, 6, 11, 21]);

/**
 * Buckets of the seconds from first touch to conversion: up to 1 hour, 1, 3, 7, 14, 30, 60, 90
 * days, and more.
 */
export const TIME_LAG_BUCKETS = bucketsFrom([
  0,
  3600,
  ...[1, 3, 7, 14, 30, 60, 90].map((days) => (days * DAY_MS) / 1000),
]);

function bucketsFrom(bounds: readonly number[]): readonly Bucket[] {
  return bounds.map((from, i) => ({ from, to: bounds[i + 1] ?? null }));
}

/** Does the value lie in the bucket? */
export function isInBucket(value: number, { from, to }: Bucket): boolean {
  return value >= from && (to === null || value < to);
}

/** Collapses consecutive repeats of a group into one: x, x, email, x becomes x, email, x. */
export function collapseRuns(groups: readonly PathGroup[]): PathGroup[] {
  return groups.filter((group, i) => !isSameGroup(group, groups[i - 1] ?? []));
}

/**
 * The path as the report shows it: the first and the last 100 steps of a longer one, after runs were collapsed.
 * Its steps, its length and its duration are still those of the whole path.
 */
export function cutPath(path: readonly PathGroup[]): { path: readonly PathGroup[]; cut: boolean } {
  if (path.length <= 2 * MAX_PATH_END) return { path, cut: false };
  return { path: [...path.slice(0, MAX_PATH_END), ...path.slice(-MAX_PATH_END)], cut: true };
}

/** An empty field equals an empty field. */
function isSameGroup(a: PathGroup, b: PathGroup): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/**
 * The steps of one path, oldest first: from the start to the first group, from each group to the next, and
 * from the last group to the outcome. A path without groups is one step, so the number of steps that leave
 * the start is the number of paths.
 */
export function stepsOf(path: readonly PathGroup[], outcome: Outcome): { from: PathNode; to: PathNode }[] {
  const groups = path.map((group) => ({ state: 'group' as const, group }));
  const nodes: PathNode[] = [{ state: 'start' }, ...groups, { state: outcome }];
  return nodes.slice(1).map((to, i) => ({ from: nodes[i] ?? to, to }));
}

/**
 * The null journey of an entity that did not convert, for comparison with converting journeys.
 *
 * An entity has one if it has a touchpoint in the range, and no unretracted conversion of any
 * of the goals from the lookback before the range to the end of the range. The journey is its
 * touchpoints in the lookback before the end of the range. Only touchpoints that may get credit
 * count, in the range as well, so a narrowed report equals that of a workspace without any
 * other data. For several goals, the longest lookback applies.
 *
 * The newest touch of the journey decides whether there is a touchpoint in the range. If the
 * lookback is longer than the range, the journey contains all touchpoints of the range; if it
 * is shorter, the whole journey is in the range.
 * @param range half-open, in milliseconds since 1970
 * @returns oldest first; empty if the entity has no null journey
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
