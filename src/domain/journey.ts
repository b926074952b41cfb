import { DAY_MS } from './time.ts';
import { KINDS_WITHOUT_CREDIT } from './touchpoint-fields.ts';

/**
 * `reuse`: a touchpoint may get credit in several journeys. `reset`: the previous conversion
 * uses touchpoints up.
 */
export const JOURNEY_POLICIES = ['reuse', 'reset'] as const;
export type JourneyPolicy = (typeof JOURNEY_POLICIES)[number];

/**
 * The reasons why a touchpoint is not part of a journey. If several apply, the first one in this order is
 * given. The last one marks touchpoints of other people that `scope=account` would include.
 */
export const LEFT_OUT_REASONS = [
  'voided',
  'after_conversion',
  'outside_lookback',
  'used_by_previous',
  'kind_without_credit',
  'filtered',
  'other_person_of_account',
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

/** A touchpoint, with the dimensions that `where` filters on. */
export interface JourneyTouchpoint {
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  kind: string;
  voided: boolean;
  [dimension: string]: unknown;
}

/** The conversion of a journey. Times in milliseconds since 1970. */
export interface JourneyConversion {
  id: string;
  occurred_at: number;
  /** The touchpoint that recorded the conversion through a goal's `match`, else null. */
  touchpoint_id: string | null;
  /** Time of the entity's previous unretracted conversion of the same goal; null without one. */
  previous_at: number | null;
}

/** The settings that decide which touchpoints are part of a journey. */
export interface JourneySettings {
  /** Days of 86,400 s. */
  lookback_days: number;
  policy: JourneyPolicy;
  /** Allowed values by dimension; null stands for an empty field. Fields are AND-ed, values OR-ed. */
  where: Record<string, readonly (string | null)[]>;
}

/**
 * The reason why a touchpoint of the entity is not part of the journey, or null if it is. A touchpoint at the
 * instant of the conversion counts, and so does one exactly `lookback_days` before it. The touchpoint that
 * recorded the conversion does not, and gets the reason `after_conversion`.
 */
export function leftOutReason(
  touchpoint: JourneyTouchpoint,
  conversion: JourneyConversion,
  settings: JourneySettings,
): LeftOutReason | null {
  if (touchpoint.voided) return 'voided';
  if (touchpoint.occurred_at > conversion.occurred_at || touchpoint.id === conversion.touchpoint_id) {
    return 'after_conversion';
  }
  if (touchpoint.occurred_at < conversion.occurred_at - settings.lookback_days * DAY_MS)
    return 'outside_lookback';
  if (
    settings.policy === 'reset' &&
    conversion.previous_at !== null &&
    touchpoint.occurred_at <= conversion.previous_at
  ) {
    return 'used_by_previous';
  }
  const uncredited = (KINDS_WITHOUT_CREDIT as readonly string[]).includes(touchpoint.kind);
  if (uncredited && !settings.where.kind?.includes(touchpoint.kind)) return 'kind_without_credit';
  const fits = Object.entries(settings.where).every(([field, values]) =>
    values.includes((touchpoint[field] ?? null) as string | null),
  );
  return fits ? null : 'filtered';
}

/** The order of journeys: by time, then by id compared bytewise. It is total, so arrival does not matter. */
export function inJourneyOrder(
  a: { occurred_at: number; id: string },
  b: { occurred_at: number; id: string },
): number {
  return a.occurred_at - b.occurred_at || compareBytewise(a.id, b.id);
}

/** Compares in UTF-8 order, like `collate "C"`. JavaScript's own order differs beyond the basic plane. */
export function compareBytewise(a: string, b: string): number {
  const left = new TextEncoder().encode(a);
  const right = new TextEncoder().encode(b);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The journey of one conversion: the touchpoints of the entity that may get credit, oldest first. */
export function journeyOf<T extends JourneyTouchpoint>(
  conversion: JourneyConversion,
  touchpoints: readonly T[],
  settings: JourneySettings,
): T[] {
  return touchpoints
    .filter((touchpoint) => leftOutReason(touchpoint, conversion, settings) === null)
    .sort(inJourneyOrder);
}
