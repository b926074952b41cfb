import * as z from 'zod';
import { decimalOf, isCurrency } from '../domain/money.ts';
import { EARLIEST_MS, isTimeZone, LATEST_MS } from '../domain/time.ts';

/** Fields that several resources share on the wire. */

export const MAX_ID_LENGTH = 255;
export const MAX_PROPERTIES_BYTES = 16 * 1024;

/** The sender's own id of an item. It should hold nothing personal, because ids outlive the person's erasure. */
export const SenderId = z.string().min(1).max(MAX_ID_LENGTH).meta({
  description: "The sender's id, unique for ever; sending it again with the same content is a no-op.",
});

const RFC_3339 = z.core.regexes.datetime({ offset: true });

/** RFC 3339 with an offset, in either case, parsed to UTC with milliseconds. */
export const Instant = z
  .string()
  .trim()
  .toUpperCase()
  .refine((text) => RFC_3339.test(text), {
    message: 'Send RFC 3339 with an offset, such as 2026-05-01T12:00:00Z',
    abort: true,
  })
  .refine((text) => new Date(text).getTime() >= EARLIEST_MS, {
    message: 'Before 1990; check whether seconds were read as milliseconds',
    abort: true,
  })
  .refine((text) => new Date(text).getTime() < LATEST_MS, {
    message: 'Send a time before the year 9999',
    abort: true,
  })
  .transform((text) => new Date(text).toISOString())
  .meta({ type: 'string', format: 'date-time', example: '2026-05-01T12:00:00Z' });

export const Currency = z
  .string()
  .trim()
  .toUpperCase()
  .refine(isCurrency, { message: 'Send an ISO 4217 code, such as EUR' })
  .meta({ description: 'ISO 4217, in either case.', example: 'EUR' });

export const TimeZone = z
  .string()
  .refine(isTimeZone, { message: 'Send an IANA time zone, such as Europe/Berlin' })
  .meta({ description: 'An IANA time zone.', example: 'Europe/Berlin' });

/** A calendar day. */
export const Day = z.iso
  .date({ message: 'Send a date, such as 2026-05-01', abort: true })
  .refine((day) => new Date(day).getTime() >= EARLIEST_MS && new Date(day).getTime() < LATEST_MS, {
    message: 'Send a day between the years 1990 and 9998',
  })
  .meta({ type: 'string', format: 'date', example: '2026-05-01' });

/** In major units: a number or, for more digits than a double holds, a decimal string. Parsed to decimal text. */
export const Amount = z
  .union([z.number(), z.string()], { message: 'Send a number below 10^13 or a decimal string' })
  .transform((amount, context) => {
    const decimal = decimalOf(amount);
    if (decimal !== null) return decimal;
    context.addIssue({ code: 'custom', message: 'Send 0 or more, below 10^13, with at most 20 decimals' });
    return z.NEVER;
  })
  .meta({ description: 'Major units, at least 0: a number or a decimal string.', example: 99.9 });

/** The longest text of the short fields of items, such as `campaign`. */
export const MAX_SHORT_TEXT = 500;

/** `source` and `medium`: compared without case, so stored in lower case. */
export const OriginText = z.string().trim().toLowerCase().min(1).max(MAX_SHORT_TEXT);

/** Free JSON of the sender, stored as it was sent. */
export const Properties = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    {
      message: 'Send a JSON object',
      abort: true,
    },
  )
  .refine((value) => new TextEncoder().encode(JSON.stringify(value)).length <= MAX_PROPERTIES_BYTES, {
    message: 'Send at most 16 KiB of JSON',
  })
  .meta({
    type: 'object',
    additionalProperties: true,
    description: 'Any JSON object of at most 16 KiB.',
    example: { plan: 'pro' },
  });

/** Key of a goal, chosen by the workspace. */
export const GoalKey = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'Use at most 64 characters of a–z, 0–9, _ and -, the first a letter or a digit',
  )
  .meta({ example: 'purchase' });

/** The id of a person: a UUID, accepted in either case. */
export const PersonId = z.uuid().meta({ example: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3' });

/** The id of an account: the sender's or, if nobody gave one, its domain. */
export const AccountId = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .meta({ description: "The sender's id of the account, or its domain.", example: 'acme.com' });

/** The wire form of an instant from the database. */
export function instantOut(value: Date): string {
  return value.toISOString();
}

/** The same for a nullable column. */
export function instantOrNull(value: Date | null): string | null {
  return value === null ? null : instantOut(value);
}

/** The wire form of `numeric`: the driver returns text, and the wire has a number. */
export function amountOut(value: string): number {
  return Number(value);
}

/** The same for a nullable column. */
export function amountOrNull(value: string | null): number | null {
  return value === null ? null : amountOut(value);
}
