import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  real,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import type { FieldError } from '../domain/json.ts';
import { ADJUSTMENT_KINDS, RESOURCES } from '../domain/settings.ts';
import { DIRECTIONS, KINDS, STAGES } from '../domain/touchpoint-fields.ts';
import { bytes, contentVersion, id, instant, workspaceId } from './columns.ts';
import { goals, inWorkspace } from './workspace-tables.ts';

/*
 * Foreign keys lead only to small tables. The check of a foreign key between large tables is
 * planned once per session, possibly while they are empty, and may then read a whole workspace
 * for each row. Without foreign keys, rows are made from the row that they reference, in the
 * same statement, and tests look for orphans (ADR 10).
 */

export const touchpoints = pgTable(
  'touchpoints',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    person_id: uuid('person_id').notNull(),
    /** Null after the person is erased, like the hash. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    /** Computed from `account_facts`, and rewritten when they change. */
    account_id: id('account_id'),
    /**
     * The advocate, as an identity, so that merges rewrite nothing. After an erasure, one of a
     * nameless person.
     */
    referred_by_identity_id: bigint('referred_by_identity_id', { mode: 'number' }),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    voided_at: instant('voided_at'),
    content_hash: bytes('content_hash'),
    kind: text('kind', { enum: KINDS }).notNull(),
    direction: text('direction', { enum: DIRECTIONS }),
    stage: text('stage', { enum: STAGES }),
    channel: text('channel').notNull(),
    source: text('source'),
    medium: text('medium'),
    campaign: text('campaign'),
    content: text('content'),
    term: text('term'),
    conversation: id('conversation'),
    topic: text('topic'),
    sentiment: real('sentiment'),
    url: text('url'),
    referrer: text('referrer'),
    properties: jsonb('properties').$type<Record<string, unknown>>(),
    /** The version of the canonical form that `content_hash` is of, see `domain/canonical.ts`. */
    content_version: contentVersion(),
    /** False if it came with a publishable key, and an item of a secret key may replace it. */
    from_secret_key: boolean('from_secret_key').notNull().default(true),
    /** The link fact that the item asserts, if it came with a publishable key and has two identities or more. */
    page_link_id: bytes('page_link_id'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('touchpoints_from_page').on(t.workspace_id, t.id).where(sql`not from_secret_key`).concurrently(),
    index('touchpoints_page_link')
      .on(t.workspace_id, t.page_link_id, t.occurred_at, t.id)
      .where(sql`page_link_id is not null`)
      .concurrently(),
    // Journey order. The id breaks ties after the read; in the index it would cost more than it saves.
    index('touchpoints_journey').on(t.workspace_id, t.person_id, t.occurred_at),
    index('touchpoints_account')
      .on(t.workspace_id, t.account_id, t.occurred_at)
      .where(sql`account_id is not null`),
    index('touchpoints_referred_by')
      .on(t.workspace_id, t.referred_by_identity_id)
      .where(sql`referred_by_identity_id is not null`),
    // Most steps of funnels match kinds. The index has every column that they read, so rows are not visited.
    index('touchpoints_kind').on(t.workspace_id, t.kind, t.occurred_at, t.person_id, t.id, t.voided_at),
    index('touchpoints_occurred').on(t.workspace_id, t.occurred_at),
    index('touchpoints_received').on(t.workspace_id, t.received_at),
    index('touchpoints_conversation')
      .on(t.workspace_id, t.conversation, t.occurred_at)
      .where(sql`conversation is not null`),
  ],
);

export const conversions = pgTable(
  'conversions',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    goal: id('goal').notNull(),
    person_id: uuid('person_id').notNull(),
    /** Null after the person is erased, like the hash. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    /** Computed like that of a touchpoint. */
    account_id: id('account_id'),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    content_hash: bytes('content_hash'),
    value: numeric('value'),
    currency: text('currency').notNull(),
    /** The touchpoint that recorded it through a goal's `match`. It is not part of the journey. */
    touchpoint_id: id('touchpoint_id'),
    properties: jsonb('properties').$type<Record<string, unknown>>(),
    /** The version of the canonical form that `content_hash` is of, see `domain/canonical.ts`. */
    content_version: contentVersion(),
    /** False if it came with a publishable key, and an item of a secret key may replace it. */
    from_secret_key: boolean('from_secret_key').notNull().default(true),
    /** The link fact that the item asserts, if it came with a publishable key and has two identities or more. */
    page_link_id: bytes('page_link_id'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('conversions_from_page').on(t.workspace_id, t.id).where(sql`not from_secret_key`).concurrently(),
    index('conversions_page_link')
      .on(t.workspace_id, t.page_link_id, t.occurred_at, t.id)
      .where(sql`page_link_id is not null`)
      .concurrently(),
    index('conversions_goal').on(t.workspace_id, t.goal, t.occurred_at),
    index('conversions_person').on(t.workspace_id, t.person_id, t.goal, t.occurred_at),
    index('conversions_account')
      .on(t.workspace_id, t.account_id, t.goal, t.occurred_at)
      .where(sql`account_id is not null`),
    index('conversions_occurred').on(t.workspace_id, t.occurred_at),
    index('conversions_received').on(t.workspace_id, t.received_at),
    index('conversions_touchpoint').on(t.workspace_id, t.touchpoint_id).where(sql`touchpoint_id is not null`),
    foreignKey({ columns: [t.workspace_id, t.goal], foreignColumns: [goals.workspace_id, goals.key] }),
    check('conversions_value', sql`value >= 0`),
  ],
);

/** Adjustments are rows and never updates: the net value of a conversion is computed from them. */
export const adjustments = pgTable(
  'adjustments',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    conversion_id: id('conversion_id').notNull(),
    kind: text('kind', { enum: ADJUSTMENT_KINDS }).notNull(),
    value: numeric('value'),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    content_hash: bytes('content_hash').notNull(),
    /** The version of the canonical form that `content_hash` is of, see `domain/canonical.ts`. */
    content_version: contentVersion(),
    /** When it came, if its conversion was not stored yet. It is deleted, or this is cleared, when the time is over. */
    waiting_since: instant('waiting_since'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('adjustments_conversion').on(t.workspace_id, t.conversion_id),
    index('adjustments_waiting')
      .on(t.workspace_id, t.waiting_since)
      .where(sql`waiting_since is not null`)
      .concurrently(),
    check('adjustments_value', sql`value >= 0`),
  ],
);

export const rejections = pgTable(
  'rejections',
  {
    workspace_id: inWorkspace(workspaceId()),
    /** Derived from the content of the item, so that the same bad item sent again is the same rejection. */
    id: id('id').notNull(),
    resource: text('resource', { enum: RESOURCES }).notNull(),
    /** The sender's id, or the generated one. */
    item_id: text('item_id').notNull(),
    /**
     * The item as sent, AES-GCM under the workspace's secret: a nonce of 12 bytes, then the ciphertext. Of `null`, if only
     * a digest of the item is kept.
     */
    item_encrypted: bytes('item_encrypted').notNull(),
    /** HMAC-SHA256 of the item under the workspace's secret, if it is too large to be kept. */
    item_digest: bytes('item_digest'),
    /** The size of an item of which only the digest is kept. */
    item_bytes: integer('item_bytes'),
    errors: jsonb('errors').$type<FieldError[]>().notNull(),
    /** `namespace:hash` of each identity in a well-formed item, for erasures by 0.1.0. */
    identity_hashes: text('identity_hashes').array().notNull().default([]),
    /** The `text_hash` of every text in the item that could be an identity, so that an erasure finds it. */
    text_hashes: bigint('text_hashes', { mode: 'bigint' }).array().notNull().default([]),
    /** The key that sent it first, and the UTC day of that. Null: stored by 0.1.0. */
    key_id: id('key_id'),
    kept_on: date('kept_on'),
    received_at: instant('received_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('rejections_received').on(t.workspace_id, t.received_at),
    index('rejections_of_day').on(t.workspace_id, t.key_id, t.kept_on),
  ],
);
