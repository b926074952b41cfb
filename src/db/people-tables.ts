import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ErasureReceipt } from '../domain/people.ts';
import type { LinkingResource } from '../domain/settings.ts';
import { bytes, contentVersion, id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

export const people = pgTable(
  'people',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: uuid('id').notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
    /** The survivor, if this person was merged into another one. */
    merged_into: uuid('merged_into'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    // People who were merged into a person are re-pointed when that person is merged too.
    index('people_merged').on(t.workspace_id, t.merged_into).where(sql`merged_into is not null`),
  ],
);

export const identities = pgTable(
  'identities',
  {
    workspace_id: workspaceId(),
    namespace: id('namespace').notNull(),
    /** HMAC-SHA256 of the normalised value under the workspace's secret. */
    value_hash: bytes('value_hash').notNull(),
    hash_version: smallint('hash_version').notNull(),
    /** A short name for the identity, held by every row that came with it. */
    id: bigint('id', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    person_id: uuid('person_id').notNull(),
    /** The normalised value, only in workspaces with `identity_storage: plain`. */
    value: text('value'),
    /** 64 bits of the keyed hash of the value without its namespace. Null: stored by 0.1.0, and not named since. */
    text_hash: bigint('text_hash', { mode: 'bigint' }),
    created_at: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.namespace, t.value_hash] }),
    unique('identities_id').on(t.workspace_id, t.id),
    index('identities_person').on(t.workspace_id, t.person_id),
    // Finds the values to remove once plain storage is turned off.
    index('identities_plain').on(t.workspace_id, t.id).where(sql`value is not null`).concurrently(),
  ],
);

/**
 * Link facts: a set of identities that an item asserted to be one person. The rows of one fact
 * share `link_id`, the hash of the set, so a pair that is sent a million times is one fact,
 * dated by the earliest item that asserted it.
 *
 * Only the marks of a row are ever updated. An item with an earlier date adds rows with the next `assertion`
 * and clears `is_current` of the previous ones. An unlink clears it too, and adds no rows. Readers use
 * current rows only; the other rows show what was known at any `received_at`.
 */
export const identity_links = pgTable(
  'identity_links',
  {
    workspace_id: workspaceId(),
    link_id: bytes('link_id').notNull(),
    identity_id: bigint('identity_id', { mode: 'number' }).notNull(),
    /** 1, 2, 3 …: increases when the fact gets an earlier date, or is asserted again after an unlink. */
    assertion: integer('assertion').notNull().default(1),
    is_current: boolean('is_current').notNull().default(true),
    from_secret_key: boolean('from_secret_key').notNull(),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    /** When an administrator ended the fact, or an item of a secret key replaced the page's that asserted it. */
    unlinked_at: instant('unlinked_at'),
    resource: text('resource').$type<LinkingResource>().notNull(),
    item_id: id('item_id').notNull(),
    /** Kept but not applied, because it would put two user_ids, or too many identities, in one person. */
    skipped: boolean('skipped').notNull().default(false),
    /** Not settled yet, and so not applied: settling it takes more work than one request may do. */
    pending: boolean('pending').notNull().default(false),
    /** Whether one of the identities of the fact is a user_id. */
    holds_user_id: boolean('holds_user_id').notNull(),
    /** The first part of the order of facts: 0 for a secret key, 1 for a publishable one. */
    precedence: smallint('precedence').generatedAlwaysAs(sql`(not from_secret_key)::int`).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.link_id, t.identity_id, t.assertion] }),
    index('identity_links_identity').on(t.workspace_id, t.identity_id, t.occurred_at),
    index('identity_links_applied')
      .on(t.workspace_id, t.identity_id, t.precedence, t.occurred_at, t.item_id)
      .where(sql`is_current and not skipped`),
    index('identity_links_skipped')
      .on(t.workspace_id, t.identity_id, t.holds_user_id, t.precedence, t.occurred_at, t.item_id)
      .where(sql`is_current and skipped`),
    index('identity_links_pending')
      .on(t.workspace_id, t.precedence, t.occurred_at, t.item_id)
      .where(sql`pending`),
  ],
);

/**
 * Identities whose skipped facts beyond a place in the order have to be examined again; see
 * `migrations/functions/settle_links.sql`.
 */
export const link_cursors = pgTable(
  'link_cursors',
  {
    workspace_id: workspaceId(),
    identity_id: bigint('identity_id', { mode: 'number' }).notNull(),
    precedence: smallint('precedence').notNull(),
    occurred_at: instant('occurred_at').notNull(),
    item_id: id('item_id').notNull(),
    resource: text('resource').notNull(),
    link_id: bytes('link_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.identity_id] })],
);

/**
 * Trait and consent assertions about people: rows, never updates. Present traits and consent
 * follow the latest ones.
 */
export const person_updates = pgTable(
  'person_updates',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    person_id: uuid('person_id').notNull(),
    /** Null after the person is erased, like the hash. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    content_hash: bytes('content_hash'),
    traits: jsonb('traits').$type<Record<string, unknown>>(),
    /** Whether later touchpoints may be stored; null if the update does not contain consent. */
    analytics_consent: boolean('analytics_consent'),
    /** The version of the canonical form that `content_hash` is of, see `domain/canonical.ts`. */
    content_version: contentVersion(),
    /** False if it came with a publishable key, and an item of a secret key may replace it. */
    from_secret_key: boolean('from_secret_key').notNull().default(true),
    /** The link fact that the item asserts, if it came with a publishable key and has two identities or more. */
    page_link_id: bytes('page_link_id'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('person_updates_from_page').on(t.workspace_id, t.id).where(sql`not from_secret_key`).concurrently(),
    index('person_updates_page_link')
      .on(t.workspace_id, t.page_link_id, t.occurred_at, t.id)
      .where(sql`page_link_id is not null`)
      .concurrently(),
    index('person_updates_person').on(t.workspace_id, t.person_id, t.occurred_at),
    index('person_updates_consent')
      .on(t.workspace_id, t.person_id, t.occurred_at)
      .where(sql`analytics_consent is not null`),
    // Shows at once that nobody has withheld consent.
    index('person_updates_refused').on(t.workspace_id, t.person_id).where(sql`not analytics_consent`),
  ],
);

/**
 * Identities whose person was erased. Items that name them and occurred at or before the erasure are dropped.
 */
export const tombstones = pgTable(
  'tombstones',
  {
    workspace_id: workspaceId(),
    namespace: id('namespace').notNull(),
    value_hash: bytes('value_hash').notNull(),
    erased_at: instant('erased_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.namespace, t.value_hash] })],
);

/**
 * Receipts of erasures, by every id that the person ever had, so that a repeated request gets
 * the same answer.
 */
export const erasures = pgTable(
  'erasures',
  {
    workspace_id: workspaceId(),
    person_id: uuid('person_id').notNull(),
    erased_at: instant('erased_at').notNull(),
    receipt: jsonb('receipt').$type<ErasureReceipt>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.person_id] })],
);
