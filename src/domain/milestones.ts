import type { JourneyConversion, JourneySettings } from './journey.ts';
import { DAY_MS } from './time.ts';

/** Goals on the way to the conversion, in the order in which a question names them. */
export const MILESTONES = ['lead', 'opportunity'] as const;
export type Milestone = (typeof MILESTONES)[number];

/** When each milestone was reached inside the journey's window, in milliseconds since 1970; null: not there. */
export type MilestoneTimes = Readonly<Record<Milestone, number | null>>;

/** What a milestone needs to know of a conversion of its goal by the same person. */
export interface MilestoneConversion {
  occurred_at: number;
  retracted: boolean;
}

/**
 * When a milestone was reached: the first unretracted conversion of its goal inside the journey's window, or null.
 *
 * - The window is that of the journey's touchpoints: from `lookback_days` before the conversion to the conversion,
 *   both inclusive; under `reset` only what is after the person's previous conversion. A milestone at or before
 *   that belongs to an earlier journey, like the touchpoints that led to it.
 * - A retracted lead is no lead: the next one in the window takes its place.
 * - One of the conversion's own instant counts, whatever its id: systems write a deal's steps with one time.
 * - Only the window decides what is first, also for a goal that counts once.
 * - The report's own goal may be a milestone. It is reached at the latest by the conversion itself, whose touch is
 *   the last; under `reuse` an earlier conversion in the window comes first.
 */
export function milestoneTime(
  conversion: JourneyConversion,
  candidates: readonly MilestoneConversion[],
  settings: Pick<JourneySettings, 'lookback_days' | 'policy'>,
): number | null {
  const opensAt = conversion.occurred_at - settings.lookback_days * DAY_MS;
  const usedUpTo = settings.policy === 'reset' ? (conversion.previous_at ?? -Infinity) : -Infinity;
  const times = candidates
    .filter(({ retracted }) => !retracted)
    .map(({ occurred_at }) => occurred_at)
    .filter((at) => at >= opensAt && at <= conversion.occurred_at && at > usedUpTo);
  return times.length === 0 ? null : Math.min(...times);
}

/**
 * The index of a milestone's touch: the last of the journey (oldest first) at or before the milestone, or null.
 * At the same instant touchpoints come before conversions, so all of them are before it and the last by id is
 * taken; the touchpoint that recorded the milestone through its goal's `match` may be the one.
 */
export function milestoneTouch(
  touches: readonly { occurred_at: number }[],
  reachedAt: number | null,
): number | null {
  if (reachedAt === null) return null;
  const index = touches.findLastIndex((touch) => touch.occurred_at <= reachedAt);
  return index === -1 ? null : index;
}

/** The touches of a journey, each with the milestones whose touch it is. */
export function withMilestones<T extends { occurred_at: number }>(
  touches: readonly T[],
  times: MilestoneTimes,
): (T & { milestones: Milestone[] })[] {
  const found = MILESTONES.map(
    (milestone) => [milestone, milestoneTouch(touches, times[milestone])] as const,
  );
  return touches.map((touch, i) => ({
    ...touch,
    milestones: found.filter(([, index]) => index === i).map(([milestone]) => milestone),
  }));
}
