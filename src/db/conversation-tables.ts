import { sql } from 'drizzle-orm';
import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { DIRECTIONS } from '../domain/touchpoint-fields.ts';
import { id, instant, workspaceId } from './columns.ts';

/**
 * The state of each conversation, computed from its touchpoints that have a direction and are not voided, in
 * the order (occurred_at, id). It follows whenever such a touchpoint is added, changed or removed. A
 * conversation without any has no row.
 */
export const conversations = pgTable(
  'conversations',
  {
    workspace_id: workspaceId(),
    id: id('id').notNull(),
    /** Time of the first inbound touchpoint, whose fields are the conversation's group; null without one. */
    opened_at: instant('opened_at'),
    opening_id: id('opening_id'),
    /** Time of the first outbound touchpoint after it. */
    first_response_at: instant('first_response_at'),
    first_response_id: id('first_response_id'),
    last_at: instant('last_at').notNull(),
    last_id: id('last_id').notNull(),
    last_direction: text('last_direction', { enum: DIRECTIONS }).notNull(),
    inbound: integer('inbound').notNull(),
    outbound: integer('outbound').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('conversations_opened').on(t.workspace_id, t.opened_at).where(sql`opened_at is not null`),
    index('conversations_last').on(t.workspace_id, t.last_at, t.id),
    // Few conversations among many are waiting.
    index('conversations_waiting').on(t.workspace_id, t.last_at, t.id).where(sql`last_direction = 'inbound'`),
  ],
);
