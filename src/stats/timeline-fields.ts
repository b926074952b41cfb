import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { RESOURCES } from '../domain/settings.ts';
import { TIMELINE_TYPES, type TimelineType } from '../domain/timeline.ts';
import { DIRECTIONS, KINDS } from '../domain/touchpoint-fields.ts';
import { instantOut } from '../http/fields.ts';
import { decodeCursor, pageOf } from '../http/paging.ts';
import type { TimelinePlace } from './timeline-sql.ts';

/** The history of a person, or of everyone at an account, on the wire. */

/** The resources whose items can assert that identities are one person. */
export const LinkingResource = z.enum(RESOURCES).exclude(['adjustments']);

const instant = () => z.string().meta({ format: 'date-time' });

const ofTouchpoint = <T extends z.ZodType>(schema: T) =>
  schema.nullable().meta({ description: 'For touchpoints only, else null.' });
const ofConversion = <T extends z.ZodType>(schema: T) =>
  schema.nullable().meta({ description: 'For conversions only, else null.' });
const ofLink = <T extends z.ZodType>(schema: T) =>
  schema.nullable().meta({ description: 'For links only, else null.' });

/** One entry of a history. Fields of other types are null, so that the entries also form a table. */
export const TimelineEntry = z
  .object({
    type: z.enum(TIMELINE_TYPES),
    id: z
      .string()
      .meta({ description: 'Id of the touchpoint or conversion; for a link, of the item that asserted it.' }),
    occurred_at: instant(),
    kind: ofTouchpoint(z.enum(KINDS)),
    channel: ofTouchpoint(z.string()),
    direction: ofTouchpoint(z.enum(DIRECTIONS)),
    conversation: ofTouchpoint(z.object({ id: z.string(), topic: z.string().nullable() })),
    voided_at: ofTouchpoint(instant()),
    goal: ofConversion(z.string()),
    value: ofConversion(z.number()),
    net_value: ofConversion(z.number()),
    currency: ofConversion(z.string()),
    retracted: ofConversion(z.boolean()),
    namespaces: ofLink(z.array(z.string())),
    skipped: ofLink(z.boolean()),
    resource: ofLink(LinkingResource),
  })
  .meta({ id: 'TimelineEntry' });
export type TimelineEntry = z.output<typeof TimelineEntry>;

/** The fields of the other types in an entry. */
export const EMPTY_ENTRY: Omit<TimelineEntry, 'type' | 'id' | 'occurred_at'> = {
  kind: null,
  channel: null,
  direction: null,
  conversation: null,
  voided_at: null,
  goal: null,
  value: null,
  net_value: null,
  currency: null,
  retracted: null,
  namespaces: null,
  skipped: null,
  resource: null,
};

export const timelineExample: TimelineEntry[] = [
  {
    ...EMPTY_ENTRY,
    type: 'conversion',
    id: 'order-1',
    occurred_at: '2026-05-03T09:30:00.000Z',
    goal: 'purchase',
    value: 99.9,
    net_value: 99.9,
    currency: 'EUR',
    retracted: false,
  },
  {
    ...EMPTY_ENTRY,
    type: 'link',
    id: 'tweet-1',
    occurred_at: '2026-05-01T12:00:00.000Z',
    namespaces: ['email', 'x'],
    skipped: false,
    resource: 'touchpoints',
  },
  {
    ...EMPTY_ENTRY,
    type: 'touchpoint',
    id: 'tweet-1',
    occurred_at: '2026-05-01T12:00:00.000Z',
    kind: 'mention',
    channel: 'x',
    direction: 'inbound',
    conversation: { id: 'thread-9', topic: 'pricing' },
  },
];

/** An entry as the database returns it. */
export interface StoredEntry<T extends TimelineType = TimelineType> {
  type: T;
  id: string;
  sort_id: string;
  occurred_at: Date;
  person_id: string;
  fields: Partial<typeof EMPTY_ENTRY>;
}

/** An entry, or the one row without a type that stands for no entries. */
export type TimelineRow<T extends TimelineType = TimelineType> = (StoredEntry<T> & OfPage) | { type: null };

export function timelineEntryOut<T extends TimelineType>(row: StoredEntry<T>): TimelineEntry & { type: T } {
  const voidedAt = row.fields.voided_at ?? null;
  return {
    type: row.type,
    id: row.id,
    occurred_at: instantOut(row.occurred_at),
    ...EMPTY_ENTRY,
    ...row.fields,
    voided_at: voidedAt === null ? null : new Date(voidedAt).toISOString(),
  };
}

function isEntry<T extends TimelineType>(row: TimelineRow<T>): row is StoredEntry<T> & OfPage {
  return row.type !== null;
}

/** The page that consists of the rows of `timelineOf`. */
export function timelinePageOf<T extends TimelineType, E>(
  rows: TimelineRow<T>[],
  entryOut: (row: StoredEntry<T>) => E,
) {
  const page = pageOf(
    rows.filter((row) => isEntry(row)),
    (row: StoredEntry<T>) => row,
    (row) => ({ at: instantOut(row.occurred_at), id: `${row.type}:${row.sort_id}` }),
  );
  return { ...page, data: page.data.map(entryOut) };
}

const PLACE = new RegExp(`^(${TIMELINE_TYPES.join('|')}):(.+)$`, 's');

/** The place in a history that a cursor names; null without one. @throws ApiError invalid_request */
export function placeOf(text: string | undefined): TimelinePlace | null {
  const cursor = decodeCursor(text, PLACE);
  const [, type, sortId] = cursor?.id.match(PLACE) ?? [];
  if (!cursor || type === undefined || sortId === undefined) return null;
  return { at: cursor.at, type: type as TimelineType, sort_id: sortId };
}
