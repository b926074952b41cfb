import type { SQL } from 'drizzle-orm';
import { canonicalJson } from '../domain/canonical.ts';
import type { FieldError } from '../domain/json.ts';
import type { Resource } from '../domain/settings.ts';
import { MAX_ID_LENGTH } from '../http/fields.ts';
import type { RecordContext } from '../http/operation.ts';
import type { NamedItem } from './name-items.ts';
import { identityHashesOf } from './person.ts';
import { insertRejections, type RejectionRow } from './rejection-insert-sql.ts';
import { textHashing } from './text-hash.ts';

/** A rejected item with the reasons. */
export interface RejectedItem extends NamedItem {
  errors: FieldError[];
}

/** The largest item that is kept as it was sent, in bytes of its JSON text, or of its line. Of a larger one a digest is. */
export const MAX_KEPT_BYTES = 64 * 1024;

export interface RejectionsToKeep {
  /** Its rows have the ids of rejections beyond the limit of the key, which are not kept (`unkept_id`). */
  statement: SQL;
  /** The items of each rejection, by its id. */
  items: ReadonlyMap<string, RejectedItem[]>;
}

/** Items whose texts are hashed together. */
const CHUNK = 500;

/**
 * Stores rejected items as rejections, encrypted, so that nothing a tool sent is lost. The id of a rejection is a hash
 * of its content: the same bad item sent again dates its rejection anew and adds no row. The generated id of an item
 * without an id is part of the hash, because two equal ones may be two events.
 */
export async function keepRejections(
  resource: Resource,
  items: readonly RejectedItem[],
  context: RecordContext,
): Promise<RejectionsToKeep> {
  const hashesOf = textHashing(context);
  const rows: RejectionRow[] = [];
  for (let start = 0; start < items.length; start += CHUNK) {
    const chunk = items.slice(start, start + CHUNK);
    const hashes = await hashesOf(chunk.map(({ value }) => value));
    rows.push(
      ...(await Promise.all(chunk.map((item, i) => rowOf(resource, item, hashes[i] ?? null, context)))),
    );
  }
  const byId = Map.groupBy(items, (_, i) => rows[i]?.id ?? '');
  return { statement: insertRejections(resource, rows, context), items: byId };
}

/** @param textHashes null if the item has too many texts; then nothing of it is kept that could name somebody */
async function rowOf(
  resource: Resource,
  { value, id, isIdOfSender, unreadable, pointer, errors }: RejectedItem,
  textHashes: string[] | null,
  context: RecordContext,
): Promise<RejectionRow> {
  const { secrets } = context;
  const json = JSON.stringify(value ?? null);
  const bytes = new TextEncoder().encode(unreadable ? String(value) : json).length;
  const isKept = bytes <= MAX_KEPT_BYTES && textHashes !== null;
  const content = canonicalJson(value ?? null);
  return {
    id: `rj_${(await secrets.hash('rejection', `${resource} ${isIdOfSender ? '' : id} ${content}`)).slice(0, 32)}`,
    item_id: escapeUnstorable(cut(id, MAX_ID_LENGTH)),
    // Of a digest it is null, because the release before this one opens every row.
    item_encrypted: await secrets.seal(isKept ? json : 'null'),
    item_digest: isKept ? null : await secrets.hash('rejection_digest', json),
    item_bytes: isKept ? null : bytes,
    errors: textHashes ? bounded(errors, pointer) : [{ pointer, detail: TOO_MANY_TEXTS }],
    identity_hashes: textHashes ? await identityHashesOf(value, context) : [],
    text_hashes: textHashes ?? (await textHashing(context)([id]))[0] ?? [],
  };
}

/** The most reasons of a rejection, and the longest pointer: names of members are the sender's. */
const MAX_REASONS = 50;
const MAX_POINTER_LENGTH = 500;

function bounded(errors: readonly FieldError[], pointer: string): FieldError[] {
  const first = errors
    .slice(0, MAX_REASONS)
    .map((error) => ({ ...error, pointer: cut(error.pointer, MAX_POINTER_LENGTH) }));
  const more = errors.length - first.length;
  return more > 0 ? [...first, { pointer, detail: `${more} more reasons are not kept.` }] : first;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const TOO_MANY_TEXTS =
  'Only a digest of the item is kept, without the reasons, because it has over 1,000 strings, or its request far too many: an erasure could not find the people in it. Send it again, in fewer strings or a smaller batch.';

/** Makes the id of a rejected item storable: NUL and lone surrogates, which Postgres rejects, become U+FFFD. */
function escapeUnstorable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
