import { DAY_MS } from './time.ts';
import { KINDS_WITHOUT_CREDIT } from './touchpoint-fields.ts';

/** `reuse`: a touchpoint may earn credit in several journeys. `reset`: an earlier conversion uses it up. */
export const JOURNEY_POLICIES = ['reuse', 'reset'] as const;
export type JourneyPolicy = (typeof JOURNEY_POLICIES)[number];

/**
 * Why a touchpoint is not in the journey; the first that applies, in this order. The last is of touchpoints that
 * `scope=account` would count.
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

/** What a journey needs to know of a touchpoint. Times in milliseconds since 1970. */
export interface JourneyTouchpoint {
  id: string;
  occurred_at: number;
  kind: string;
  voided: boolean;
  [dimension: string]: unknown;
}

export interface JourneyConversion {
  id: string;
  occurred_at: number;
  /** The touchpoint that recorded it through a goal's `match`. */
  touchpoint_id: string | null;
  /** When the person's previous unretracted conversion of the same goal happened. */
  previous_at: number | null;
}

export interface JourneySettings {
  lookback_days: number;
  policy: JourneyPolicy;
  /** Dimension to allowed values (null: the field is empty). Fields are AND-ed, values OR-ed. */
  where: Record<string, readonly (string | null)[]>;
}

/**
 * Why the touchpoint earns nothing from the conversion, or null when it is part of the journey.
 * A touchpoint of the conversion's own instant counts; so does one exactly `lookback_days` before it.
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

/** Everything happens in this order: by time, then by id compared bytewise. */
export function inJourneyOrder(
  a: { occurred_at: number; id: string },
  b: { occurred_at: number; id: string },
): number {
  return a.occurred_at - b.occurred_at || compareBytewise(a.id, b.id);
}

/** UTF-8 order, as `collate "C"` has it. JavaScript's own order differs beyond the basic plane. */
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

/** The journey of one conversion: the touchpoints that may earn credit from it, oldest first. */
export function journeyOf<T extends JourneyTouchpoint>(
  conversion: JourneyConversion,
  touchpoints: readonly T[],
  settings: JourneySettings,
): T[] {
  return touchpoints
    .filter((touchpoint) => leftOutReason(touchpoint, conversion, settings) === null)
    .sort(inJourneyOrder);
}
