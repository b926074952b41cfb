import * as z from 'zod';
import { type OfPage, PAGE_BYTES } from '../db/page-sql.ts';
import { unstorable } from '../domain/json.ts';
import { ApiError } from './errors.ts';

/** A position in a list, newest first: the next page begins after this row. */
export interface Cursor {
  at: string;
  id: string;
}

/** A position in a list by id: the next page begins after this one. */
export interface IdCursor {
  id: string;
}

/**
 * The longest id is a generated one: `tp.<goal>:<id>`, from a goal of 64 and a sender's id of 255 characters. On a
 * timeline, the type precedes it.
 */
const MAX_ID_LENGTH = 345;

const CursorId = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .refine((id) => unstorable(id).length === 0);

const CursorContent = z.tuple([z.iso.datetime().refine((text) => !text.startsWith('0')), CursorId]);

const IdCursorContent = z.tuple([CursorId]);

/** `?limit=` and `?cursor=` of every list. */
export const PageQuery = z.object({
  limit: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({
      description: `The number of rows in a page, 1 to 1000. A page has fewer rows, and \`has_more\` is true, if they are more than ${PAGE_BYTES / 1024 ** 2} MiB.`,
    }),
  cursor: z.string().optional().meta({ description: '`next_cursor` of the previous page.' }),
});

export function encodeCursor(cursor: Cursor | IdCursor): string {
  const content = 'at' in cursor ? [cursor.at, cursor.id] : [cursor.id];
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** @param idPattern for lists whose ids hold more than the id of a row */
export function decodeCursor(text: string | undefined, idPattern = /^/): Cursor | null {
  if (text === undefined) return null;
  const parsed = CursorContent.safeParse(contentOf(text));
  if (parsed.success && idPattern.test(parsed.data[1])) return { at: parsed.data[0], id: parsed.data[1] };
  throw cursorError();
}

/**
 * The id in the cursor of a list by id.
 * @param idPattern the pattern of its ids
 */
export function decodeIdCursor(text: string | undefined, idPattern: RegExp): string | null {
  if (text === undefined) return null;
  const parsed = IdCursorContent.safeParse(contentOf(text));
  if (parsed.success && idPattern.test(parsed.data[0])) return parsed.data[0];
  throw cursorError();
}

function cursorError(): ApiError {
  return new ApiError('invalid_request', 'The cursor is invalid; send `next_cursor` as it was returned.', {
    errors: [
      { pointer: '?cursor', detail: 'Not a cursor of this list; send `next_cursor` as it was returned.' },
    ],
  });
}

function contentOf(text: string): unknown {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
  } catch (error) {
    // Not base64, or no JSON in it: a forged cursor, which the schema of the caller rejects.
    if (error instanceof SyntaxError || error instanceof DOMException) return undefined;
    throw error;
  }
}

/**
 * The page on the wire.
 * @param rows the rows of `cutToPage`
 * @param rowOut the wire form of a row
 */
export function pageOf<R extends object, T>(
  rows: (R & OfPage)[],
  rowOut: (row: R) => T,
  cursorOf: (row: T) => Cursor | IdCursor,
) {
  const data = rows.map((row) => rowOut(withoutPage(row)));
  const last = data.at(-1);
  const hasMore = rows.at(-1)?.has_next ?? false;
  return { data, has_more: hasMore, next_cursor: hasMore && last ? encodeCursor(cursorOf(last)) : null };
}

function withoutPage<R extends object>(row: R & OfPage): R {
  const { has_next: _has, page_bytes: _bytes, ...rest } = row as R & OfPage & { page_bytes?: unknown };
  return rest as unknown as R;
}

/** The schema of a page of `item`. */
export function PageOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().meta({ description: 'Null on the last page.' }),
  });
}
