import { type SQL, sql } from 'drizzle-orm';

/** A workspace with link facts that wait to be settled. */
export interface PendingWorkspace {
  workspace_id: string;
}

/** The workspaces with link facts that wait to be settled, for the hourly trigger. */
export function pendingWorkspaces(): SQL {
  return sql`
    select l.workspace_id from identity_links l where l.pending
    union
    select c.workspace_id from link_cursors c`;
}

/** One step of settling. One row: `is_left`, whether facts still wait; see `migrations/functions/settle_links.sql`. */
export function settlePendingLinks(workspaceId: string, facts: number): SQL {
  return sql`select settle_pending_links(${workspaceId}::uuid, ${facts}::int) as is_left`;
}
