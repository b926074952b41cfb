import { inJourneyOrder } from './journey.ts';
import { DAY_MS } from './time.ts';
import type { Direction } from './touchpoint-fields.ts';

/** `waiting`: they had the last word. `answered`: we had. */
export const CONVERSATION_STATES = ['waiting', 'answered'] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];

/** Time in milliseconds since 1970. */
export interface Message {
  id: string;
  occurred_at: number;
  /** Of a touchpoint without one the thread knows nothing. */
  direction: Direction | null;
  voided: boolean;
}

export interface ConversationSummary {
  /** Null while nobody wrote in. */
  opened_at: number | null;
  opening_id: string | null;
  first_response_at: number | null;
  last_at: number;
  last_direction: Direction;
  inbound: number;
  outbound: number;
}

/**
 * What the touchpoints of one thread add up to, in whatever order they came; null if none counts. Those count that have
 * a direction and are not voided, in the order of everything: by time, then by id compared bytewise.
 *
 * The first inbound one opens the conversation; the first outbound one after it is the first response. What we wrote
 * before that is counted and answers nothing. The last one says who has the last word.
 * See ADR 14.
 */
export function summaryOf(messages: readonly Message[]): ConversationSummary | null {
  const counted = messages
    .flatMap(({ direction, voided, ...message }) => (direction && !voided ? [{ ...message, direction }] : []))
    .sort(inJourneyOrder);
  const last = counted.at(-1);
  if (!last) return null;
  const opening = counted.find(({ direction }) => direction === 'inbound');
  const response = counted
    .slice(opening ? counted.indexOf(opening) : counted.length)
    .find(({ direction }) => direction === 'outbound');
  const inbound = counted.filter(({ direction }) => direction === 'inbound').length;
  return {
    opened_at: opening?.occurred_at ?? null,
    opening_id: opening?.id ?? null,
    first_response_at: response?.occurred_at ?? null,
    last_at: last.occurred_at,
    last_direction: last.direction,
    inbound,
    outbound: counted.length - inbound,
  };
}

export const HOUR_SECONDS = 3600;

/**
 * Time to the first response. Each bucket holds what is below its bound and not below the one before; the last, people
 * who never got one.
 * See ADR 14.
 */
export const RESPONSE_BUCKETS = [
  { bucket: '<5m', below_seconds: HOUR_SECONDS / 12 },
  { bucket: '<15m', below_seconds: HOUR_SECONDS / 4 },
  { bucket: '<1h', below_seconds: HOUR_SECONDS },
  { bucket: '<4h', below_seconds: 4 * HOUR_SECONDS },
  { bucket: '<24h', below_seconds: 24 * HOUR_SECONDS },
  { bucket: '>=24h', below_seconds: Number.POSITIVE_INFINITY },
  { bucket: 'never', below_seconds: null },
] as const;
export type ResponseBucket = (typeof RESPONSE_BUCKETS)[number]['bucket'];

/** @param seconds to the first response; null: there was none */
export function responseBucket(seconds: number | null): ResponseBucket {
  const bound = (one: (typeof RESPONSE_BUCKETS)[number]) => one.below_seconds ?? Number.NaN;
  const soon = seconds === null ? undefined : RESPONSE_BUCKETS.find((one) => seconds < bound(one));
  return soon?.bucket ?? 'never';
}

/** The first conversation that a person opened in the range; times in milliseconds. */
export interface OpenedConversation {
  opened_at: number;
  first_response_at: number | null;
}

/** A conversion that counts; `value` in the report's currency, null where it has none or no rate tells it. */
export interface FollowingConversion {
  occurred_at: number;
  value: number | null;
}

export type ResponseOutcome =
  | { left_out: 'converted_within_24h' | 'short_follow_up' }
  | { bucket: ResponseBucket; converted: boolean; value: number };

/**
 * Where a person is in the comparison of response times with conversion.
 *
 * The outcome is whether they converted from 24 hours to the horizon after they opened the conversation, both ends
 * included. People who converted earlier, from the instant of opening on, are left out: their answer may have come after
 * the sale. So are people who opened it less than the horizon ago; a person who is both counts as the former.
 * Conversions before the opening change nothing.
 */
export function responseOutcome(
  { opened_at, first_response_at }: OpenedConversation,
  conversions: readonly FollowingConversion[],
  horizonDays: number,
  now: number,
): ResponseOutcome {
  const landmark = opened_at + DAY_MS;
  const horizon = opened_at + horizonDays * DAY_MS;
  const isEarly = ({ occurred_at }: FollowingConversion) =>
    occurred_at >= opened_at && occurred_at < landmark;
  if (conversions.some(isEarly)) return { left_out: 'converted_within_24h' };
  if (horizon > now) return { left_out: 'short_follow_up' };
  const followed = conversions.filter(({ occurred_at }) => occurred_at >= landmark && occurred_at <= horizon);
  return {
    bucket: responseBucket(first_response_at === null ? null : (first_response_at - opened_at) / 1000),
    converted: followed.length > 0,
    value: followed.reduce((sum, { value }) => sum + (value ?? 0), 0),
  };
}
