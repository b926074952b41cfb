import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { exchangeRates, fxRateOf } from '../fx-sql.ts';
import { type ChosenSums, monthOf, settling } from './chosen-sums.ts';
import { goalsOf } from './kept-days-sql.ts';
import { keptModels } from './kept-question.ts';
import { ratesOfMonths } from './kept-sums-sql.ts';

/**
 * Sums whole months whose days are all settled and none of them open. The gap of a touchpoint is then counted from the
 * beginning of the month; one that leads to a day of the same month counts for no range.
 */
export function insertMonths(workspaceId: string, chosen: ChosenSums): SQL {
  const { question_id, question } = chosen;
  const key = sql`${workspaceId}::uuid, ${question_id}::uuid`;
  const of = (alias: SQL) => isOf(workspaceId, chosen, alias);
  const sums = (of: (i: SQL) => SQL) =>
    sql`array[${sql.join(
      keptModels(question).map((_, i) => sql`sum(${of(sql`${i + 1}::int`)})`),
      sql`, `,
    )}]`;
  const money = {
    workspace_id: workspaceId,
    currency: chosen.currency,
    workspace_currency: chosen.currency,
    workspace_timezone: question.timezone,
  };
  return sql`
    with ${settling(workspaceId, chosen)},
    ${wholeMonths(workspaceId, chosen)}, kept_amounts as materialized (
      select t.day, t.currency
      from whole w
      cross join lateral (
        select t.day, t.currency
        from credit_totals t
        where ${of(sql`t`)} and t.day >= w.month and t.day < w.next_month
        offset 0
      ) t
    ), ${exchangeRates(money, sql`select currency, day from kept_amounts`)},
    kept_totals as materialized (
      select day, currency, ${fxRateOf(money, sql`currency`, sql`day`)} as rate
      from kept_amounts
    ), kept_rates as (${ratesOfMonths(chosen.currency)}
    ), held as materialized (
      select w.month, x.*, coalesce((${fxRateOf(money, sql`x.currency`, sql`x.day`)})::float8, 0) as rate
      from whole w
      cross join lateral (
        select x.*
        from credit_cells x
        where ${of(sql`x`)} and not x.is_month and x.day >= w.month and x.day < w.next_month
        offset 0
      ) x
    ), repeats as (${repeatsOfMonths}
    ), summed as (
      select month, dimensions, sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        sum(new_touches)::int as new_touches, coalesce(max(repeat_gaps), '{}') as repeat_gaps,
        coalesce(max(repeat_touches), '{}') as repeat_touches, max(credits) as credits, max(credited_values) as credited_values
      from (
        select x.month, x.dimensions, sum(x.influenced) as influenced, sum(x.assisted) as assisted,
          sum(x.new_touches) as new_touches, null::smallint[] as repeat_gaps, null::int[] as repeat_touches,
          ${sums((i) => sql`x.credits[${i}]`)} as credits, ${sums((i) => sql`x.credited_values[${i}] * x.rate`)} as credited_values
        from held x
        group by x.month, x.dimensions
        union all
        select month, dimensions, 0, 0, 0, repeat_gaps, repeat_touches, null, null
        from repeats
      ) sums
      group by month, dimensions
    ), cells as (
      insert into credit_cells (workspace_id, question_id, is_month, day, currency, number, dimensions, group_hash,
        influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values)
      select ${key}, true, month, ${chosen.currency}::text, row_number() over (partition by month order by dimensions), dimensions,
        hash_array_extended(dimensions, 0), influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values
      from summed
      returning number
    ), counted as (
      update credit_questions q
      set cells = q.cells + (select count(*) from cells)::int
      where q.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid
    )
    insert into credit_months (workspace_id, question_id, month, currency, rates)
    select ${key}, w.month, ${chosen.currency}::text, coalesce((select r.rates from kept_rates r where r.month = w.month), '')
    from whole w`;
}

/** The rows of a table that are of the question. */
function isOf(workspaceId: string, { question_id }: ChosenSums, alias: SQL): SQL {
  return sql`${alias}.workspace_id = ${tenant(workspaceId)} and ${alias}.question_id = ${question_id}::uuid`;
}

/** Needs: the step `settling`. Gives: the step `whole (month, next_month)`, the months whose days are settled and not open. */
function wholeMonths(workspaceId: string, chosen: ChosenSums): SQL {
  const { first_day, last_day, question } = chosen;
  const zone = sql`${question.timezone}::text`;
  const days = isOf(workspaceId, chosen, sql`d`);
  return sql`whole as materialized (
      select m.month::date as month, (m.month + interval '1 month')::date as next_month
      from settling
      cross join generate_series(${monthOf(first_day)}::timestamp, ${last_day}::date::timestamp, interval '1 month') m (month)
      where (m.month + interval '1 month')::date - m.month::date = (
        select count(*)
        from credit_days d
        where ${days} and d.day >= m.month::date and d.day < (m.month + interval '1 month')::date
          and d.settings = (select credit_settings(${workspaceId}::uuid, ${sql.param(goalsOf(question))}::text[]))
      ) and not exists (
        select
        from (
          select k.made_by, (k.from_at at time zone ${zone})::date as first_day, (k.until_at at time zone ${zone})::date as last_day
          from credit_marks k
          where k.workspace_id = ${tenant(workspaceId)} and not k.is_added and k.goal = any(${sql.param(question.goals)}::text[])
            and k.from_at < (m.month + interval '1 month') at time zone ${zone} and k.until_at >= m.month at time zone ${zone}
          offset 0
        ) k
        cross join lateral (
          select d.horizon
          from credit_days d
          where ${days} and d.day between k.first_day and k.last_day
          offset 0
        ) d
        where not pg_visible_in_snapshot(k.made_by, d.horizon)
        offset 0
      )
    )`;
}

/** Needs: the step `held`. Gives: a select of `month, dimensions, repeat_gaps, repeat_touches`. */
const repeatsOfMonths: SQL = sql`
      select month, dimensions, array_agg(gap::smallint order by gap) as repeat_gaps,
        array_agg(this_or_more::int order by gap) as repeat_touches
      from (
        select month, dimensions, gap,
          sum(sum(touches)) over (partition by month, dimensions order by gap desc) as this_or_more
        from (
          select x.month, x.dimensions, r.gap - (x.day - x.month) as gap,
            r.touches - coalesce(lead(r.touches) over (partition by x.day, x.currency, x.number order by r.gap), 0) as touches
          from held x
          cross join lateral unnest(x.repeat_gaps, x.repeat_touches) r (gap, touches)
        ) of_days
        where gap > 0
        group by month, dimensions, gap
      ) gaps
      group by month, dimensions`;

/** A workspace that keeps sums, with its money settings. */
export interface KeepingWorkspace {
  id: string;
  currency: string;
  timezone: string;
}

/**
 * Drops the sums of months whose exchange rates, or whose workspace's currency, have changed since. They are computed
 * again; reports read the sums of days meanwhile.
 */
export function dropStaleMonths({ id, currency, timezone }: KeepingWorkspace): SQL {
  const money = { workspace_id: id, currency, workspace_currency: currency, workspace_timezone: timezone };
  return sql`
    with kept_amounts as materialized (
      select t.question_id, t.day, t.currency
      from credit_months m
      cross join lateral (
        select t.question_id, t.day, t.currency
        from credit_totals t
        where t.workspace_id = ${tenant(id)} and t.question_id = m.question_id
          and t.day >= m.month and t.day < (m.month + interval '1 month')::date
        offset 0
      ) t
      where m.workspace_id = ${tenant(id)}
    ), ${exchangeRates(money, sql`select currency, day from kept_amounts`)},
    kept_totals as materialized (
      select question_id, day, currency, ${fxRateOf(money, sql`currency`, sql`day`)} as rate
      from kept_amounts
    ), current as materialized (
      select question_id, month, rates from (${ratesOfMonths(currency, sql`question_id, `)}) r
    )
    delete from credit_months m
    where m.workspace_id = ${tenant(id)} and (
      m.currency <> ${currency}::text
      or (m.question_id, m.month, m.rates) not in (select question_id, month, rates from current)
        and (m.rates <> '' or (m.question_id, m.month) in (select question_id, month from current))
    )`;
}
