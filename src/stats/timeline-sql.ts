import { type SQL, sql } from 'drizzle-orm';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import type { TimelineType } from '../domain/timeline.ts';
import { joinNetAdjustments } from './net-conversion-sql.ts';

/**
 * Entries of a history, of one person or of everyone at an account, with the columns `type, id, sort_id,
 * occurred_at, person_id, fields`, in the order (occurred_at desc, type, sort_id).
 */

/** The place of the last row of a page. `sort_id` is unique within its type. */
export interface TimelinePlace {
  at: string;
  type: TimelineType;
  sort_id: string;
}

/** The bounds of a page of a history; null for no bound. */
export interface TimelinePage {
  workspace_id: string;
  from: Date | null;
  to: Date | null;
  after: TimelinePlace | null;
  limit: number;
}

/**
 * The bounds and the cursor of a page, for entries of one type.
 *
 * Needs: `at` and `sortId`, expressions of the row's time and sort id. Gives: a condition.
 */
export function within(page: TimelinePage, type: TimelineType, at: SQL, sortId: SQL): SQL {
  const { from, to, after } = page;
  const conditions = [sql`true`];
  if (from) conditions.push(sql`${at} >= ${from.toISOString()}::timestamptz`);
  if (to) conditions.push(sql`${at} < ${to.toISOString()}::timestamptz`);
  if (after) {
    const bound = sql`${after.at}::timestamptz`;
    conditions.push(type < after.type ? sql`${at} < ${bound}` : sql`${at} <= ${bound}`);
    if (type === after.type)
      conditions.push(sql`(${at} < ${bound} or ${sortId} > ${after.sort_id}::text collate "C")`);
  }
  return sql.join(conditions, sql` and `);
}

/**
 * The touchpoints of a page, at most one more than its limit.
 *
 * Needs: `whose`, a condition on `t`, a touchpoint. Gives: a select of entries.
 */
export function touchpointEntries(page: TimelinePage, whose: SQL): SQL {
  return sql`
    select 'touchpoint' as type, t.id, t.id as sort_id, t.occurred_at, t.person_id,
      jsonb_build_object(
        'kind', t.kind, 'channel', t.channel, 'direction', t.direction, 'voided_at', t.voided_at,
        'conversation', case when t.conversation is not null then jsonb_build_object('id', t.conversation, 'topic', t.topic) end
      ) as fields
    from touchpoints t
    where t.workspace_id = ${tenant(page.workspace_id)}
      and ${whose}
      and ${within(page, 'touchpoint', sql`t.occurred_at`, sql`t.id`)}
    order by t.occurred_at desc, t.id
    limit ${page.limit + 1}`;
}

/**
 * The conversions of a page, at most one more than its limit. The page is cut before adjustments are read.
 *
 * Needs: `whose`, a condition on `c`, a conversion. Gives: a select of entries.
 */
export function conversionEntries(page: TimelinePage, whose: SQL): SQL {
  return sql`
    select 'conversion' as type, c.id, c.id as sort_id, c.occurred_at, c.person_id,
      jsonb_build_object(
        'goal', c.goal, 'value', c.value, 'currency', c.currency, 'retracted', coalesce(n.retracted, false),
        'net_value', case when n.retracted then 0 else coalesce(n.restated_value, c.value) end
      ) as fields
    from (
      select c.*
      from conversions c
      where c.workspace_id = ${tenant(page.workspace_id)}
        and ${whose}
        and ${within(page, 'conversion', sql`c.occurred_at`, sql`c.id`)}
      order by c.occurred_at desc, c.id
      limit ${page.limit + 1}
    ) c
    ${joinNetAdjustments(page.workspace_id)}`;
}

/**
 * The statement for one page of the history of `owner`. It returns one row of nulls if the range has no
 * entries, and no row if the owner does not exist.
 * @param owner a select of at most one row
 * @param name the name under which `entries` refer to the owner
 * @param entries one select per type, each cut to the page
 */
export function timelineOf(owner: SQL, name: 'person' | 'account', entries: SQL[], limit: number): SQL {
  const all = sql.join(
    entries.map((one) => sql`(${one})`),
    sql` union all `,
  );
  const rows = sql`
      select *
      from (${all}) every_entry
      order by every_entry.occurred_at desc, every_entry.type collate "C", every_entry.sort_id collate "C"
      limit ${limit + 1}`;
  const order = sql`held.occurred_at desc, held.type collate "C", held.sort_id collate "C"`;
  return sql`
    with ${sql.identifier(name)} as materialized (${owner})
    select entry.*
    from ${sql.identifier(name)}
    left join lateral (${cutToPage(rows, order, limit)}) entry on true
    order by entry.occurred_at desc, entry.type collate "C", entry.sort_id collate "C"`;
}
