import {
  boolean,
  date,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { PlainModel } from '../domain/attribution.ts';
import { AUDIT_ACTIONS } from '../domain/audit.ts';
import type { OpeningHours } from '../domain/business-hours.ts';
import {
  COUNTINGS,
  type DailyCaps,
  GOAL_KINDS,
  type GoalMatch,
  IDENTITY_STORAGES,
  KEY_KINDS,
  SCOPES,
} from '../domain/settings.ts';
import { STAGES } from '../domain/touchpoint-fields.ts';
import { bytes, contentVersion, id, instant, workspaceId } from './columns.ts';

export const workspaces = pgTable('workspaces', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  timezone: text('timezone').notNull().default('UTC'),
  currency: text('currency').notNull().default('USD'),
  identity_storage: text('identity_storage', { enum: IDENTITY_STORAGES }).notNull().default('hashed'),
  default_country: text('default_country'),
  /**
   * Days after which conversions are deleted; touchpoints are deleted a year later. Null: nothing is deleted.
   */
  retention_days: integer('retention_days'),
  /** Whether an e-mail address at a company domain makes its person a member of that account. */
  accounts_from_email: boolean('accounts_from_email').notNull().default(false),
  /** Hours in which messages are answered; null: always. */
  business_hours: jsonb('business_hours').$type<OpeningHours>(),
  /** The attribution model of reports that show only one. */
  default_model: text('default_model').$type<PlainModel>().notNull().default('linear'),
  /** Whether values from publishable keys count, although anybody can read such a key in a page. */
  trust_publishable_values: boolean('trust_publishable_values').notNull().default(false),
  created_at: instant('created_at').notNull().defaultNow(),
  /** The oldest form among the content hashes of its rows, see `domain/canonical.ts`. */
  content_version: contentVersion(),
});

export const inWorkspace = (column: ReturnType<typeof workspaceId>) =>
  column.references(() => workspaces.id, { onDelete: 'cascade' });

export const keys = pgTable(
  'keys',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: id('id').notNull(),
    name: text('name').notNull(),
    kind: text('kind', { enum: KEY_KINDS }).notNull(),
    scopes: text('scopes', { enum: SCOPES }).array().notNull(),
    /** SHA-256 of the token; the token itself is shown once and never stored. */
    token_hash: bytes('token_hash').notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
    expires_at: instant('expires_at'),
    /**
     * For a publishable key, the origins that may use it, normalised. Null for a secret key,
     * which no page may use.
     */
    allowed_origins: text('allowed_origins').array(),
    /** For a publishable key, the goals that it may record. Null: any, as release 0.1.0 had it. */
    goals: text('goals').array(),
    /** For a publishable key; null: the defaults. */
    daily_caps: jsonb('daily_caps').$type<DailyCaps>(),
    /** The last UTC day on which a request with the key was answered; null if it was never used. */
    last_used_on: date('last_used_on'),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    // The only index that does not begin with a workspace, because the key determines the workspace.
    uniqueIndex('keys_token_hash').on(t.token_hash),
  ],
);

/**
 * The key material of a workspace, which never changes, sealed once for each deployment secret that opens it (ADR 28).
 * Rows are only added and removed; losing the last one of a workspace loses its key material.
 */
export const identity_keys = pgTable(
  'identity_keys',
  {
    workspace_id: inWorkspace(workspaceId()),
    /** The fingerprint of the deployment secret: 16 hex digits. */
    secret_id: id('secret_id').notNull(),
    /** 64 bytes, AES-GCM under a key derived from that secret: a nonce of 12 bytes, then the ciphertext. */
    sealed_key: bytes('sealed_key').notNull(),
    /** That of the workspace's identities. 1: derived from the secret of release 0.1.0; 2: random. */
    hash_version: smallint('hash_version').notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.secret_id] })],
);

export const goals = pgTable(
  'goals',
  {
    workspace_id: inWorkspace(workspaceId()),
    key: id('key').notNull(),
    name: text('name').notNull(),
    kind: text('kind', { enum: GOAL_KINDS }).notNull(),
    stage: text('stage', { enum: STAGES }),
    lookback_days: integer('lookback_days').notNull().default(90),
    default_value: numeric('default_value'),
    currency: text('currency'),
    counting: text('counting', { enum: COUNTINGS }).notNull().default('every'),
    match: jsonb('match').$type<GoalMatch>(),
    created_at: instant('created_at').notNull().defaultNow(),
    updated_at: instant('updated_at').notNull().defaultNow(),
    archived_at: instant('archived_at'),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.key] })],
);

/**
 * Actions of admin keys, and read tokens that were created. It contains ids and names of settings without their values,
 * and nothing personal. Requests can insert and read entries, and neither change nor delete them.
 */
export const audit_log = pgTable(
  'audit_log',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: id('id').notNull(),
    occurred_at: instant('occurred_at').notNull(),
    /** The key of the request, or `root`. */
    key_id: id('key_id').notNull(),
    action: text('action', { enum: AUDIT_ACTIONS }).notNull(),
    target_id: id('target_id'),
    /** The settings that the request named, without their values. */
    fields: text('fields').array(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('audit_log_occurred').on(t.workspace_id, t.occurred_at),
  ],
);

/**
 * Earlier versions of rows that were replaced: workspaces, goals, exchange rates and spend. The trigger
 * `keep_row_version` writes them, so statements do not have to.
 */
export const row_versions = pgTable(
  'row_versions',
  {
    workspace_id: inWorkspace(workspaceId()),
    table_name: text('table_name').notNull(),
    /** The primary key of the row without its workspace, its columns joined by `/`. */
    row_key: id('row_key').notNull(),
    /** 1, 2, 3 … in the order of replacement. */
    version: integer('version').notNull(),
    replaced_at: instant('replaced_at').notNull(),
    /** The row as it was before the replacement. */
    was: jsonb('was').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.table_name, t.row_key, t.version] })],
);
