import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/**
 * The adjustments of a conversion. A retraction is final; otherwise the last restatement by (occurred_at, id)
 * decides. The join is one index probe per conversion, because most conversions have no adjustment.
 *
 * Needs: `c.id`, a conversion. Gives: a join with `n.retracted, n.restated_value`, both null
 * without adjustments.
 */
export function joinNetAdjustments(workspaceId: string): SQL {
  return sql`
    left join lateral (
      select bool_or(a.kind = 'retraction') as retracted,
        (array_agg(a.value order by a.occurred_at desc, a.id desc) filter (where a.kind = 'restatement'))[1] as restated_value
      from adjustments a
      where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = c.id
      group by a.conversion_id
    ) n on true`;
}

/**
 * The conversion has no retraction. This is one index probe per conversion. Without `offset 0` it would
 * become a join of steps whose sizes the planner does not know.
 *
 * Needs: the id of a conversion, `c.id` unless given. Gives: a condition.
 */
export function isUnretracted(workspaceId: string, conversionId: SQL = sql`c.id`): SQL {
  return sql`not exists (
            select
            from adjustments a
            where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = ${conversionId} and a.kind = 'retraction'
            offset 0
          )`;
}
