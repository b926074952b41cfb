/**
 * Everything that is hashed, signed or encrypted, and the key it is under. `test/sql/keyed-columns.test.ts` finds the
 * columns of a migrated database that are missing here.
 */

/**
 * - `workspace`: the key material of the workspace, which no rotation changes
 * - `deployment`: a secret of the deployment; it is wrapped or signed anew when that rotates
 * - `none`: a plain SHA-256, or random
 */
export type KeyedUnder = 'workspace' | 'deployment' | 'none';

export interface KeyedColumn {
  table: string;
  column: string;
  content: string;
  under: KeyedUnder;
}

const LINK = 'HMAC of the set of identities';
const TEXT = 'HMAC of a normalised text, 64 bits of it';
const CONTENT = 'HMAC of the content as it was sent';
const DERIVED_ID = 'the sender’s id, or an HMAC of the Idempotency-Key and the position in the batch';

export const KEYED_COLUMNS: readonly KeyedColumn[] = [
  { table: 'identities', column: 'value_hash', content: 'HMAC of the normalised value', under: 'workspace' },
  { table: 'tombstones', column: 'value_hash', content: 'HMAC of the normalised value', under: 'workspace' },
  { table: 'identity_links', column: 'link_id', content: LINK, under: 'workspace' },
  { table: 'link_cursors', column: 'link_id', content: LINK, under: 'workspace' },
  { table: 'identities', column: 'text_hash', content: TEXT, under: 'workspace' },
  { table: 'rejections', column: 'text_hashes', content: TEXT, under: 'workspace' },
  { table: 'touchpoints', column: 'page_link_id', content: LINK, under: 'workspace' },
  { table: 'conversions', column: 'page_link_id', content: LINK, under: 'workspace' },
  { table: 'person_updates', column: 'page_link_id', content: LINK, under: 'workspace' },
  { table: 'touchpoints', column: 'content_hash', content: CONTENT, under: 'workspace' },
  { table: 'conversions', column: 'content_hash', content: CONTENT, under: 'workspace' },
  { table: 'adjustments', column: 'content_hash', content: CONTENT, under: 'workspace' },
  { table: 'person_updates', column: 'content_hash', content: CONTENT, under: 'workspace' },
  { table: 'spend', column: 'content_hash', content: CONTENT, under: 'workspace' },
  { table: 'row_versions', column: 'was', content: `of spend: ${CONTENT}`, under: 'workspace' },
  { table: 'touchpoints', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'conversions', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'adjustments', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'person_updates', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'spend', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'row_versions', column: 'row_key', content: `of spend: ${DERIVED_ID}`, under: 'workspace' },
  { table: 'replaced_items', column: 'id', content: DERIVED_ID, under: 'workspace' },
  { table: 'replaced_items', column: 'was', content: DERIVED_ID, under: 'workspace' },
  { table: 'rejections', column: 'id', content: 'HMAC of the resource and the item', under: 'workspace' },
  { table: 'rejections', column: 'item_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'rejections', column: 'item_encrypted', content: 'the item, AES-GCM', under: 'workspace' },
  { table: 'rejections', column: 'item_digest', content: 'HMAC of the item', under: 'workspace' },
  { table: 'rejections', column: 'identity_hashes', content: 'HMACs of the values', under: 'workspace' },
  { table: 'identity_links', column: 'item_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'link_cursors', column: 'item_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'account_facts', column: 'source_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'adjustments', column: 'conversion_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'conversions', column: 'touchpoint_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'credit_marks', column: 'conversion_id', content: DERIVED_ID, under: 'workspace' },
  { table: 'identity_keys', column: 'sealed_key', content: 'the key material, AES-GCM', under: 'deployment' },
  { table: 'identity_keys', column: 'secret_id', content: 'fingerprint of the secret', under: 'deployment' },
  { table: 'keys', column: 'token_hash', content: 'SHA-256 of 256 random bits', under: 'none' },
  { table: 'credit_cells', column: 'group_hash', content: 'a hash of the group, for sorting', under: 'none' },
  { table: 'slow_reports', column: 'question', content: 'SHA-256 of the request', under: 'none' },
];

/** The same outside the database. */
export const KEYED_ELSEWHERE: readonly { place: string; content: string; under: KeyedUnder }[] = [
  { place: 'messages of the queue and dead letters', content: 'the items, AES-GCM', under: 'workspace' },
  { place: 'read tokens', content: 'a signature, HS256', under: 'deployment' },
];
