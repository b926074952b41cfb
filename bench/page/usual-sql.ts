import { type SQL, sql } from 'drizzle-orm';
import { LOOKBACK_DAYS } from '../workspace/size.ts';

/** The bounds of a report are instants. */
export interface UsualQuestion {
  workspace_id: string;
  from: string;
  to: string;
}

type Column = 'channel' | 'campaign';
const COLUMNS = { channel: sql`t.channel`, campaign: sql`t.campaign` } satisfies Record<Column, SQL>;

/** The SQL that a user would write for the question of a report. It names the workspace, as the user's own tables would not. */

/**
 * Needs: nothing. Gives: the step `purchases (id, person_id, occurred_at, value)`, those of the range that are not
 * retracted, with their last restated value, at the rate of their day.
 */
function purchases({ workspace_id, from, to }: UsualQuestion): SQL {
  return sql`adjusted as (
      select conversion_id, bool_or(kind = 'retraction') as retracted,
        (array_agg(value order by occurred_at desc, id desc) filter (where kind = 'restatement'))[1] as restated
      from adjustments
      where workspace_id = ${workspace_id}::uuid
      group by conversion_id
    ), purchases as (
      select c.id, c.person_id, c.occurred_at,
        (coalesce(a.restated, c.value) * case c.currency when 'USD' then 1 else fx.rate end)::float8 as value
      from conversions c
      left join adjusted a on a.conversion_id = c.id
      left join fx_rates fx on fx.workspace_id = c.workspace_id and fx."from" = c.currency and fx."to" = 'USD'
        and fx.date = (c.occurred_at at time zone 'UTC')::date
      where c.workspace_id = ${workspace_id}::uuid and c.goal = 'purchase'
        and c.occurred_at >= ${from}::timestamptz and c.occurred_at < ${to}::timestamptz
        and a.retracted is not true
    )`;
}

/** Needs: the step `purchases` as `p`. Gives: the touchpoints `t` of its journey. */
function itsTouchpoints({ workspace_id }: UsualQuestion): SQL {
  return sql`join touchpoints t on t.workspace_id = ${workspace_id}::uuid and t.person_id = p.person_id
        and t.occurred_at <= p.occurred_at
        and t.occurred_at >= p.occurred_at - make_interval(days => ${LOOKBACK_DAYS}::int)
        and t.voided_at is null and t.kind not in ('event', 'view', 'other')`;
}

/** Attribution by one model, linear. Rows: `group`, `conversions`, `value`. */
export function usualAttribution(question: UsualQuestion, columns: readonly Column[]): SQL {
  const group = sql.join(
    columns.map((column) => COLUMNS[column]),
    sql`, `,
  );
  return sql`with ${purchases(question)}, touches as (
      select array[${group}] as "group", p.value, count(*) over (partition by p.id)::float8 as touches
      from purchases p
      ${itsTouchpoints(question)}
    )
    select "group", sum(1 / touches) as conversions, sum(value / touches) as value
    from touches
    group by "group"
    order by conversions desc`;
}

/** The paths of converted journeys. Rows: `path`, `conversions`, `value`. */
export function usualPaths(question: UsualQuestion): SQL {
  return sql`with ${purchases(question)}, paths as (
      select p.id, p.value, string_agg(t.channel, ' > ' order by t.occurred_at, t.id) as path
      from purchases p
      ${itsTouchpoints(question)}
      group by p.id, p.value
    )
    select path, count(*) as conversions, sum(value) as value
    from paths
    group by path
    order by conversions desc
    limit 100`;
}

/** People at each stage at the end of the range. Rows: one. */
export function usualLifecycle({ workspace_id, to }: UsualQuestion): SQL {
  return sql`with touched as (
      select person_id, bool_or(direction = 'inbound') as conversation, bool_or(stage = 'consideration') as consideration,
        bool_or(stage = 'trial') as trial
      from touchpoints
      where workspace_id = ${workspace_id}::uuid and occurred_at < ${to}::timestamptz and voided_at is null
      group by person_id
    ), bought as (
      select person_id, count(*) as purchases
      from conversions c
      where workspace_id = ${workspace_id}::uuid and goal = 'purchase' and occurred_at < ${to}::timestamptz
        and not exists (
          select from adjustments a
          where a.workspace_id = ${workspace_id}::uuid and a.conversion_id = c.id and a.kind = 'retraction'
        )
      group by person_id
    )
    select count(*) filter (where purchases > 1) as loyalty, count(*) filter (where purchases = 1) as purchase,
      count(*) filter (where purchases is null and trial) as trial,
      count(*) filter (where purchases is null and not trial and consideration) as consideration,
      count(*) filter (where purchases is null and trial is not true and consideration is not true and conversation) as conversation
    from touched
    full join bought using (person_id)`;
}
