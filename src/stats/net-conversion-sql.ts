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
 * The ids of adjusted conversions, for look-ups by hash. Few conversions have an adjustment, so reading the ids once
 * costs less than a probe per conversion (258,000 conversions, 9,000 adjustments: 3 ms instead of 600 ms). Where the
 * workspace has more of them than `most`, the step is not complete, and every conversion is probed: the work is bounded
 * by the conversions that are asked for, not by the adjustments that are stored.
 *
 * Needs: no step, but for those of `most`, an expression of type bigint. Gives: the step `adjusted (conversion_id)`.
 */
export function adjustedConversions(workspaceId: string, most: SQL): SQL {
  return sql`adjusted as materialized (
      select a.conversion_id
      from adjustments a
      where a.workspace_id = ${tenant(workspaceId)}
      order by a.conversion_id
      limit ${most}
    )`;
}

/** The number of ids that cost as much as the probes of all of history. */
export const MANY_ADJUSTED = sql`50000`;

/**
 * The conversion may have adjustments.
 *
 * Needs: the step `adjusted`, `most`, its limit, and the id of a conversion. Gives: a condition.
 */
export function isAdjusted(most: SQL, conversionId: SQL): SQL {
  return sql`((select count(*) >= ${most} from adjusted) or ${conversionId} in (select conversion_id from adjusted))`;
}

/**
 * The value of a conversion after its last restatement, by (occurred_at, id).
 *
 * Needs: `c.id` and `isAdjusted`, a boolean column of `c`. Gives: a numeric expression, null without a restatement.
 */
export function restatedValue(workspaceId: string, isAdjusted: SQL): SQL {
  return sql`case when ${isAdjusted} then (
          select a.value
          from adjustments a
          where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = c.id and a.kind = 'restatement'
          order by a.occurred_at desc, a.id desc
          limit 1
        ) end`;
}

/**
 * The conversion has no retraction. This is one index probe per conversion, or per conversion that may have
 * adjustments. Without `offset 0` it would become a join of steps whose sizes the planner does not know.
 *
 * Needs: the id of a conversion, `c.id` unless given; `adjusted`, the condition that it may have adjustments, if there
 * is one. Gives: a condition.
 */
export function isUnretracted(workspaceId: string, conversionId: SQL = sql`c.id`, adjusted?: SQL): SQL {
  const probe = sql`not exists (
            select
            from adjustments a
            where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = ${conversionId} and a.kind = 'retraction'
            offset 0
          )`;
  return adjusted === undefined ? probe : sql`(not ${adjusted} or ${probe})`;
}

/**
 * `isUnretracted`, for all of history.
 *
 * Needs: the step `adjusted` with the limit `MANY_ADJUSTED`, and `c.id`, the id of a conversion. Gives: a condition.
 */
export function isUnretractedOfMany(workspaceId: string): SQL {
  return isUnretracted(workspaceId, sql`c.id`, isAdjusted(MANY_ADJUSTED, sql`c.id`));
}
