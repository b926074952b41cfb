import { jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { bytes, id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

/** Saved funnels. */
export const funnels = pgTable(
  'funnels',
  {
    workspace_id: inWorkspace(workspaceId()),
    key: id('key').notNull(),
    name: text('name').notNull(),
    /** The body of the report without its range, with defaults applied. */
    definition: jsonb('definition').$type<FunnelDefinition>().notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
    updated_at: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.key] })],
);

/** Requests for reports that ran out of time, and until when they are answered at once. */
export const slow_reports = pgTable(
  'slow_reports',
  {
    workspace_id: inWorkspace(workspaceId()),
    /** SHA-256 of the request. */
    question: bytes('question').notNull(),
    until_at: instant('until_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.question] })],
);
