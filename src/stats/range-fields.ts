import * as z from 'zod';
import {
  boundOf,
  DAY_MS,
  isDate,
  LATEST_MS,
  MAX_RANGE_DAYS,
  namedRange,
  RANGES,
  type ReportRange,
} from '../domain/time.ts';
import { ApiError } from '../http/errors.ts';
import { TimeZone } from '../http/fields.ts';

/** The range of a report or a list: its query parameters, and the conversion to instants. */

const bound = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    message: 'Send a date, or an RFC 3339 instant with an offset',
  })
  .refine((text) => new Date(text).getTime() >= 0 && new Date(text).getTime() < LATEST_MS, {
    message: 'Send a time between the years 1970 and 9998',
  })
  .meta({ type: 'string', example: '2026-01-01' });

/** Query parameters of a half-open range: `from` is inside, `to` is not. */
export const RangeQuery = z.object({
  from: bound
    .optional()
    .meta({ description: 'Start of the range, included: a date (midnight in `timezone`) or an instant.' }),
  to: bound.optional().meta({
    description: `End of the range, not included: a date or an instant. In reports at most ${MAX_RANGE_DAYS} days after \`from\`.`,
    example: '2026-04-01',
  }),
  timezone: TimeZone.optional().meta({
    description: "IANA time zone of dates and intervals; default the workspace's.",
  }),
});

/** The same, with named ranges. */
export const NamedRangeQuery = RangeQuery.extend({
  range: z.enum(RANGES).optional().meta({
    description: 'A named range, instead of `from` and `to`: the local days or months that end with today.',
  }),
});

type RangeInput = z.output<typeof NamedRangeQuery>;

/** The bounds of a list. Either may be null, for no bound. @throws ApiError invalid_request */
export function boundsOf(
  query: z.output<typeof RangeQuery>,
  timezone: string,
): { from: Date | null; to: Date | null } {
  const zone = query.timezone ?? timezone;
  const from = query.from === undefined ? null : boundOf(query.from, zone);
  const to = query.to === undefined ? null : boundOf(query.to, zone);
  if (from && to && !isInOrder(query, from, to)) throw rangeError('?to', '`to` must be after `from`.');
  return { from, to };
}

/**
 * Two dates may be the same instant, where the zone skipped the days between them. The range is
 * empty then, and valid.
 */
function isInOrder(query: z.output<typeof RangeQuery>, from: Date, to: Date): boolean {
  if (query.from && query.to && isDate(query.from) && isDate(query.to)) return query.from < query.to;
  return from < to;
}

/**
 * The range of a report: `from` and `to`, or a named range, by default `30d`. @throws ApiError
 * invalid_request
 */
export function rangeOf(query: RangeInput, workspaceTimezone: string, now: Date): ReportRange {
  const timezone = query.timezone ?? workspaceTimezone;
  if (query.from === undefined && query.to === undefined) {
    return { ...namedRange(query.range ?? '30d', timezone, now), timezone, is_of_days: true };
  }
  if (query.range !== undefined) throw rangeError('?range', 'Send `range`, or `from` and `to`, not both.');
  const { from, to } = boundsOf(query, workspaceTimezone);
  if (!from || !to) throw rangeError(from ? '?to' : '?from', 'Send both `from` and `to`, or `range`.');
  if (to.getTime() - from.getTime() > MAX_RANGE_DAYS * DAY_MS) {
    throw rangeError('?from', `The range has more than ${MAX_RANGE_DAYS} days; send a shorter one.`);
  }
  return { from, to, timezone, is_of_days: isDate(query.from ?? '') && isDate(query.to ?? '') };
}

function rangeError(pointer: string, detail: string): ApiError {
  return new ApiError('invalid_request', detail, { errors: [{ pointer, detail }] });
}
