import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/**
 * Removes values of identities that workspaces with hashed storage still hold, at most `limit`, and returns how many it
 * removed as `rows`. They were stored before plain storage was turned off, or within 30 seconds after it by an isolate
 * with the old setting. Rows that another transaction has locked are left for the next run.
 * @param workspaceId only those of this workspace
 */
export function clearPlainValues(limit: number, workspaceId?: string): SQL {
  const isConcerned = workspaceId === undefined ? sql`true` : sql`w.id = ${tenant(workspaceId)}`;
  return sql`
    with stale as materialized (
      select held.workspace_id, held.id
      from workspaces w
      cross join lateral (
        select i.workspace_id, i.id
        from identities i
        where i.workspace_id = w.id and i.value is not null
        limit ${limit}
        for update skip locked
      ) held
      where w.identity_storage = 'hashed' and ${isConcerned}
      limit ${limit}
    ), cleared as (
      update identities i set value = null
      from stale
      where i.workspace_id = stale.workspace_id and i.id = stale.id
      returning i.id
    )
    select count(*)::int as rows from cleared`;
}
