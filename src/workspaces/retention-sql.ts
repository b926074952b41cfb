import { type SQL, sql } from 'drizzle-orm';

/** A journey looks back a year at most, so touchpoints are kept that much longer. */
const TOUCHPOINTS_EXTRA_DAYS = 365;

/**
 * Deletes conversions that are older than the retention of their workspace, with their adjustments; at most `limit`,
 * and the next run deletes the rest. Returns the ids of the deleted conversions.
 */
export function purgeConversions(limit: number): SQL {
  return sql`
    with old as materialized (${rowsPastRetention(sql`conversions`, 0, limit)}),
    unadjusted as (
      delete from adjustments a
      using old
      where a.workspace_id = old.workspace_id and a.conversion_id = old.id
    )
    delete from conversions c
    using old
    where c.workspace_id = old.workspace_id and c.id = old.id
    returning c.id`;
}

/** The same for touchpoints. */
export function purgeTouchpoints(limit: number): SQL {
  return sql`
    with old as materialized (${rowsPastRetention(sql`touchpoints`, TOUCHPOINTS_EXTRA_DAYS, limit)})
    delete from touchpoints t
    using old
    where t.workspace_id = old.workspace_id and t.id = old.id
    returning t.id`;
}

/** The same for rows of both, and of updates of people, that came from pages and were replaced. */
export function purgeReplacedItems(limit: number): SQL {
  return sql`
    with old as materialized (
      select w.id as workspace_id, past.resource, past.id
      from workspaces w
      cross join lateral (
        select held.resource, held.id
        from (values ('conversions', 0), ('touchpoints', ${TOUCHPOINTS_EXTRA_DAYS}::int), ('people', ${TOUCHPOINTS_EXTRA_DAYS}::int))
          kept (resource, extra_days)
        cross join lateral (
          select r.resource, r.id
          from replaced_items r
          where r.workspace_id = w.id and r.resource = kept.resource
            and r.occurred_at < now() - make_interval(days => w.retention_days + kept.extra_days)
          limit ${limit}
        ) held
      ) past
      where w.retention_days is not null
      limit ${limit}
    )
    delete from replaced_items r
    using old
    where r.workspace_id = old.workspace_id and r.resource = old.resource and r.id = old.id
    returning r.id`;
}

/** Deletes what publishable keys recorded on days that are over, at most `limit` rows. */
export function purgeKeyUsage(limit: number): SQL {
  return sql`
    delete from key_usage
    where (workspace_id, key_id, day, slot) in (
      select workspace_id, key_id, day, slot
      from key_usage
      where day < (now() at time zone 'UTC')::date - 1
      limit ${limit}
    )
    returning slot`;
}

/**
 * Rows that are older than the retention of their workspace and `extraDays`, at most `limit`.
 *
 * Needs: nothing. Gives: `workspace_id, id`.
 */
function rowsPastRetention(table: SQL, extraDays: number, limit: number): SQL {
  return sql`
    select w.id as workspace_id, past.id
    from workspaces w
    cross join lateral (
      select held.id
      from ${table} held
      where held.workspace_id = w.id
        and held.occurred_at < now() - make_interval(days => w.retention_days + ${extraDays}::int)
      limit ${limit}
    ) past
    where w.retention_days is not null
    limit ${limit}`;
}
