import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

export interface SeenTimes {
  first_seen_at: Date | null;
  last_seen_at: Date | null;
}

/**
 * When somebody was first and last seen, by touchpoints and conversions. Voided touchpoints do not count, and
 * neither do the conversions that they recorded.
 *
 * Needs: no alias. Gives: a select of `first_seen_at, last_seen_at`, one row, null if never seen.
 * @param isOwn the condition that a row, given by its alias, is theirs
 */
export function seenOf(workspaceId: string, isOwn: (row: SQL) => SQL): SQL {
  return sql`
    select least(touched.first_at, converted.first_at) as first_seen_at,
      greatest(touched.last_at, converted.last_at) as last_seen_at
    from (
      select min(t.occurred_at) as first_at, max(t.occurred_at) as last_at
      from touchpoints t
      where t.workspace_id = ${tenant(workspaceId)} and ${isOwn(sql`t`)} and t.voided_at is null
    ) touched
    cross join (
      select min(c.occurred_at) as first_at, max(c.occurred_at) as last_at
      from conversions c
      left join lateral (
        select t.voided_at from touchpoints t where t.workspace_id = ${tenant(workspaceId)} and t.id = c.touchpoint_id offset 0
      ) recorder on true
      where c.workspace_id = ${tenant(workspaceId)} and ${isOwn(sql`c`)} and recorder.voided_at is null
    ) converted`;
}
