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
