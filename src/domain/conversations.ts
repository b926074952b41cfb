import { inJourneyOrder } from './journey.ts';
import { DAY_MS } from './time.ts';
import type { Direction } from './touchpoint-fields.ts';

/** `waiting`: the last message is inbound. `answered`: it is outbound. */
export const CONVERSATION_STATES = ['waiting', 'answered'] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];

/** A touchpoint of a conversation. */
export interface Message {
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  /** Touchpoints without a direction are not part of the conversation. */
  direction: Direction | null;
  voided: boolean;
}

/** The state of a conversation. Times in milliseconds since 1970. */
export interface ConversationSummary {
  /** Time of the opening message; null without an inbound one. */
  opened_at: number | null;
  opening_id: string | null;
  first_response_at: number | null;
  /** Time of the last message, inbound or outbound. */
  last_at: number;
  last_direction: Direction;
  /** Number of inbound messages. */
  inbound: number;
  /** Number of outbound messages, those before the opening included. */
  outbound: number;
}

/**
 * Summarises the touchpoints of one conversation. Those that have a direction and are not voided count, in
 * the order of time, then id compared bytewise, so the order of arrival does not matter.
 *
 * The first inbound message opens the conversation. The first outbound message after it is the first
 * response; earlier outbound messages are counted and answer nothing.
 * @returns null if no touchpoint counts
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

/** Seconds of an hour. */
export const HOUR_SECONDS = 3600;

/**
 * Buckets of the time to the first response. A bucket ends below its bound, in seconds, and begins at the
 * bound of the previous bucket. The last one holds people who never got a response.
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

/**
 * The bucket of a response time.
 * @param seconds from opening to first response; null without a response
 */
export function responseBucket(seconds: number | null): ResponseBucket {
  const bound = (one: (typeof RESPONSE_BUCKETS)[number]) => one.below_seconds ?? Number.NaN;
  const soon = seconds === null ? undefined : RESPONSE_BUCKETS.find((one) => seconds < bound(one));
  return soon?.bucket ?? 'never';
}

/** The first conversation that a person opened in the range. Times in milliseconds since 1970. */
export interface OpenedConversation {
  opened_at: number;
  first_response_at: number | null;
}

/** A conversion that counts. */
export interface FollowingConversion {
  /** Milliseconds since 1970. */
  occurred_at: number;
  /** In the report's currency; null without a value or without an exchange rate. */
  value: number | null;
}

/** The bucket and outcome of a person, or the reason why the person is left out of the comparison. */
export type ResponseOutcome =
  | { left_out: 'converted_within_24h' | 'short_follow_up' }
  | { bucket: ResponseBucket; converted: boolean; value: number };

/**
 * Places a person in the comparison of response times with conversion.
 *
 * The outcome is a conversion in the period from 24 hours to `horizonDays` after the opening,
 * both ends included. A person who converted in the first 24 hours, from the instant of opening
 * on, is left out, because the response may have come after the sale. A person who opened the
 * conversation less than `horizonDays` ago is left out too. A person to whom both apply counts
 * as the former. Conversions before the opening have no effect.
 * @param horizonDays days of 86,400 s
 * @param now milliseconds since 1970
 * See ADR 14.
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
