import { jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { id, instant, workspaceId } from './columns.ts';
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
