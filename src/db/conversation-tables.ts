import { sql } from 'drizzle-orm';
import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { DIRECTIONS } from '../domain/touchpoint-fields.ts';
import { id, instant, workspaceId } from './columns.ts';

/**
 * What the touchpoints of a thread add up to: computed from those that have a direction and are not voided, in the
 * order (occurred_at, id), whenever one comes or goes. A thread without any of them has no row.
 */
export const conversations = pgTable(
  'conversations',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    /** The first inbound touchpoint, whose fields are the thread's group; null while nobody wrote in. */
    opened_at: instant('opened_at'),
    opening_id: id('opening_id'),
    /** The first outbound one after it. */
    first_response_at: instant('first_response_at'),
    last_at: instant('last_at').notNull(),
    last_direction: text('last_direction', { enum: DIRECTIONS }).notNull(),
    inbound: integer('inbound').notNull(),
    outbound: integer('outbound').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('conversations_opened').on(t.workspace_id, t.opened_at).where(sql`opened_at is not null`),
    index('conversations_last').on(t.workspace_id, t.last_at, t.id),
    // Threads that wait for an answer are few among many.
    index('conversations_waiting').on(t.workspace_id, t.last_at, t.id).where(sql`last_direction = 'inbound'`),
  ],
);
