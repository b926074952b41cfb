import { type SQL, sql } from 'drizzle-orm';
import { CANONICAL_VERSION } from '../domain/canonical.ts';

/** Fragments that compare an item with the stored one. */

/** Needs: nothing. Gives: the columns of `ContentHashes` with their types, for a record definition. */
export const HASH_COLUMNS = sql`content_hash text, content_hash_v1 text`;

/** Needs: an incoming row `i` with `HASH_COLUMNS`. Gives: `hash, hash_v1`, as columns of a select. */
export const DECODED_HASHES = sql`decode(i.content_hash, 'hex') as hash, decode(i.content_hash_v1, 'hex') as hash_v1`;

/**
 * Needs: an incoming row `i` with `DECODED_HASHES`; `stored`, a row with `content_hash, content_version`. Gives: a
 * condition, null if the stored row was erased.
 */
export function isSameContent(stored: SQL): SQL {
  return sql`${stored}.content_hash = case ${stored}.content_version when 1 then i.hash_v1 else i.hash end`;
}

/** The version of the form of `content_hash`, to be stored beside it. */
export const CONTENT_VERSION = sql`${CANONICAL_VERSION}::smallint`;
