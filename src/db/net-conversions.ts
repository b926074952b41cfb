import { type SQL, sql } from 'drizzle-orm';
import { tenant } from './tenant.ts';

/**
 * The adjustments of a workspace, one row for each adjusted conversion: `conversion_id, retracted, restated_value`.
 * A retraction is final; else the last restatement by (occurred_at, id) decides.
 * @param among narrows to some conversions, as a condition on `a.conversion_id`
 */
export function netAdjustments(workspaceId: string, among?: SQL): SQL {
  return sql`
    select a.conversion_id,
      bool_or(a.kind = 'retraction') as retracted,
      (array_agg(a.value order by a.occurred_at desc, a.id desc) filter (where a.kind = 'restatement'))[1] as restated_value
    from adjustments a
    where a.workspace_id = ${tenant(workspaceId)}${among ? sql` and ${among}` : sql``}
    group by a.conversion_id`;
}
