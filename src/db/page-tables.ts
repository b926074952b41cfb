import { sql } from 'drizzle-orm';
import { bigint, date, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { RESOURCES } from '../domain/settings.ts';
import { id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

/** Rows that came with a publishable key and were replaced by an item of a secret key, as they were. */
export const replaced_items = pgTable(
  'replaced_items',
  {
    workspace_id: inWorkspace(workspaceId()),
    resource: text('resource', { enum: RESOURCES }).notNull(),
    id: id('id').notNull(),
    /** Null after the person is erased. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    occurred_at: instant('occurred_at').notNull(),
    replaced_at: instant('replaced_at').notNull().defaultNow(),
    /** The columns of the row, without those of the fields that an erasure empties. */
    was: jsonb('was').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.resource, t.id] }),
    index('replaced_items_identity').on(t.workspace_id, t.identity_id).where(sql`identity_id is not null`),
    index('replaced_items_occurred').on(t.workspace_id, t.resource, t.occurred_at),
  ],
);

/**
 * Usage of publishable keys by day, counted against their caps. A key has several rows for a day, so that requests do
 * not wait for each other: each request adds to a row that no other request has locked, or inserts one.
 */
export const key_usage = pgTable(
  'key_usage',
  {
    workspace_id: inWorkspace(workspaceId()),
    key_id: id('key_id').notNull(),
    /** In UTC. */
    day: date('day').notNull(),
    slot: integer('slot').notNull(),
    items: integer('items').notNull().default(0),
    rejections: integer('rejections').notNull().default(0),
    default_value_conversions: integer('default_value_conversions').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.key_id, t.day, t.slot] })],
);
