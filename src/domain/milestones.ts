import type { JourneyConversion, JourneySettings } from './journey.ts';
import { DAY_MS } from './time.ts';

/** The milestones on the way to the conversion, in the order in which a query names their goals. */
export const MILESTONES = ['lead', 'opportunity'] as const;
export type Milestone = (typeof MILESTONES)[number];

/**
 * When each milestone was reached inside the journey's window, in milliseconds since 1970; null
 * if it was not.
 */
export type MilestoneTimes = Readonly<Record<Milestone, number | null>>;

/** A conversion of a milestone's goal by the same entity. */
export interface MilestoneConversion {
  /** Milliseconds since 1970. */
  occurred_at: number;
  retracted: boolean;
}

/**
 * When a milestone was reached: the first unretracted conversion of its goal inside the journey's window.
 *
 * - The window is that of the journey's touchpoints: from `lookback_days` before the conversion to the
 *   conversion, both inclusive; under `reset`, only what is after the entity's previous conversion. A
 *   milestone at or before that one belongs to an earlier journey, like the touchpoints that led to it.
 * - A retracted conversion is ignored, and the next one in the window takes its place.
 * - A conversion at the instant of the journey's conversion counts, whatever its id, because systems record
 *   all steps of a deal with one time.
 * - The first one in the window counts, also for a goal that counts once.
 * - The goal of the report can be a milestone. The conversion itself reaches it at the latest, and its touch
 *   is the last one. Under `reuse` an earlier conversion in the window comes first.
 * @param candidates conversions of the milestone's goal, in any order
 * @returns milliseconds since 1970; null if the milestone was not reached
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
 * The index of a milestone's touch: the last touch at or before the milestone. Touchpoints come before
 * conversions of the same instant, so among several at that instant it is the last by id. This may be the
 * touchpoint that recorded the milestone through its goal's `match`.
 * @param touches in journey order, oldest first
 * @returns null if the milestone was not reached, or has no touch
 */
export function milestoneTouch(
  touches: readonly { occurred_at: number }[],
  reachedAt: number | null,
): number | null {
  if (reachedAt === null) return null;
  const index = touches.findLastIndex((touch) => touch.occurred_at <= reachedAt);
  return index === -1 ? null : index;
}

/** The touches of a journey, oldest first, each with the milestones whose touch it is. */
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
