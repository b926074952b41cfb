import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/**
 * The adjustments of a conversion, as a join. A retraction is final; else the last restatement by (occurred_at, id)
 * decides. One index probe for each conversion: most have no adjustment.
 *
 * Needs: `c.id`, a conversion. Gives: `n.retracted, n.restated_value`, both null where there are no adjustments.
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
 * The conversion has no retraction. One index probe for each: without `offset 0` it would be a join, of steps whose
 * sizes are not known.
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
