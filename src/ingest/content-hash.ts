import { type SQL, sql } from 'drizzle-orm';
import { CANONICAL_VERSION, canonicalJson, canonicalJsonV1 } from '../domain/canonical.ts';
import type { RecordContext } from '../http/operation.ts';

/** The hashes that decide whether an item is the same as the stored one, in hex. */
export interface ContentHashes {
  content_hash: string;
  /** In the form of release 0.1.0; null in workspaces that have no rows of it. */
  content_hash_v1: string | null;
}

/** Columns of stored rows that say where a row came from, and are no part of it. */
export type Provenance = 'content_hash' | 'content_version' | 'from_secret_key' | 'page_link_id';

/** In hex: the first 128 bits of the hash. */
const CONTENT_HASH_LENGTH = 32;

/**
 * @param sent the item as it was sent
 * @param parsed the same after its schema, which normalises times, amounts and texts
 * @param content normalised members, which replace those of both
 */
export async function contentHashes(
  sent: object,
  parsed: object,
  content: object,
  { secrets, workspace }: RecordContext,
): Promise<ContentHashes> {
  const hash = async (text: string) => (await secrets.hash('content', text)).slice(0, CONTENT_HASH_LENGTH);
  const hasV1 = workspace.content_version < CANONICAL_VERSION;
  return {
    content_hash: await hash(canonicalJson({ ...parsed, ...content })),
    content_hash_v1: hasV1 ? await hash(canonicalJsonV1({ ...sent, ...content })) : null,
  };
}

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
