import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { Interval } from '../domain/time.ts';
import type { CreditQuestion } from './credit-question.ts';
import { eachModel } from './credit-sql.ts';
import { fxRateOf } from './fx-sql.ts';
import { type KeptQuestion, keptModels } from './kept-question.ts';

/**
 * The sums of kept days (ADR 31). Whole months are read from the sums of months, but only amounts in the report's own
 * currency: those in others have a rate for each day.
 */

/** Intervals that a whole month is part of. */
const isWithinMonths = (interval: Interval | null) => interval === null || interval === 'month';

/** Needs: `day`, a date. Gives: a text expression, as `intervalOf`. */
export function intervalOfDay({ interval }: Pick<CreditQuestion, 'interval'>, day: SQL): SQL {
  if (interval === null) return sql`null::text`;
  return sql`to_char(date_trunc(${interval}::text, ${day}::timestamp), 'YYYY-MM-DD')`;
}

/**
 * Whether the groups of days are at most as many as the report shows: the row of all others would need their journeys.
 *
 * Needs: the steps of `keptDays` up to `days`. Gives: a condition.
 */
export function hasFewGroups(question: CreditQuestion & { limit: number }, days: SQL): SQL {
  const ofMonth = isWithinMonths(question.interval);
  const isSummed = ofMonth
    ? sql`date_trunc('month', day::timestamp)::date in (select month from ${monthsOf(question)} m)`
    : sql`false`;
  return sql`(select cells from noted) <= ${question.limit}::int or ${question.limit}::int >= (
          select count(*)
          from (
            select x.dimensions, ${intervalOfDay(question, sql`x.day`)}
            from (
              select day, is_month
              from (select distinct case when is_summed then date_trunc('month', day::timestamp)::date else day end as day, is_summed as is_month
                from (select day, ${isSummed} as is_summed from ${days} offset 0) days
              ) days
              offset 0
            ) d
            cross join lateral (${cellsOf(question, sql`x.is_month = d.is_month and x.day = d.day`)}) x
            group by 1, 2
          ) groups
        )`;
}

/** Needs: the step `noted`. Gives: a subquery of the months that are summed. */
function monthsOf({ workspace_id }: CreditQuestion): SQL {
  return sql`(
          select m.month
          from credit_months m
          where m.workspace_id = ${tenant(workspace_id)} and m.question_id = (select id from noted)
            and m.month >= (select first_day from asked) and m.month < (select last_day from asked)
        )`;
}

/** Needs: the step `noted`, and `which`, a condition on `x`. Gives: a select of cells. */
function cellsOf({ workspace_id }: CreditQuestion, which: SQL): SQL {
  return sql`
          select x.*
          from credit_cells x
          where x.workspace_id = ${tenant(workspace_id)} and x.question_id = (select id from noted) and ${which}
          offset 0`;
}

/**
 * Needs: the steps of `keptDays`. Gives: the step `kept_totals`, the rows of `credit_totals` of kept days.
 */
export function keptTotals({ workspace_id }: CreditQuestion): SQL {
  return sql`
    kept_totals as materialized (
      select t.*
      from kept_days d
      cross join lateral (
        select t.*
        from credit_totals t
        where t.workspace_id = ${tenant(workspace_id)} and t.question_id = (select id from noted) and t.day = d.day
        offset 0
      ) t
    )`;
}

/**
 * The credit of kept days.
 *
 * Needs: the steps of `keptDays`, and `fx`. Gives: the steps `kept_months`, `kept_cells` and `kept_credit (interval,
 * dimensions, touchpoints, influenced, assisted, credits, credited_values)`, the last two in the order of the query's models.
 */
export function keptCredit(question: CreditQuestion, kept: KeptQuestion): SQL {
  const { currency, interval } = question;
  const models = keptModels(kept);
  const place = (i: number) => sql`${models.indexOf(question.models[i] ?? 'linear') + 1}::int`;
  const months = isWithinMonths(interval)
    ? monthsOf(question)
    : sql`(select null::date as month where false)`;
  const first = interval === null ? sql`null` : sql`date_trunc(${interval}::text, day::timestamp)::date`;
  return sql`
    kept_months as materialized (
      select m.month
      from ${months} m
      where (m.month + interval '1 month')::date - m.month = (
        select count(*)
        from kept_days d
        where d.day >= m.month and d.day < (m.month + interval '1 month')::date
      )
    ), kept_single as materialized (
      select day, date_trunc('month', day::timestamp)::date in (select month from kept_months) as is_in_month
      from kept_days
    ), kept_cells as (
      select x.*
      from kept_months d
      cross join lateral (${cellsOf(question, sql`x.is_month and x.day = d.month and x.currency = ${currency}::text`)}) x
      union all
      select x.*
      from (select day from kept_single where not is_in_month) d
      cross join lateral (${cellsOf(question, sql`not x.is_month and x.day = d.day`)}) x
      union all
      select x.*
      from (select day from kept_single where is_in_month) d
      cross join lateral (
        ${cellsOf(question, sql`not x.is_month and x.day = d.day and x.currency < ${currency}::text`)}
      ) x
      union all
      select x.*
      from (select day from kept_single where is_in_month) d
      cross join lateral (
        ${cellsOf(question, sql`not x.is_month and x.day = d.day and x.currency > ${currency}::text`)}
      ) x
    ), kept_credit as (
      select ${intervalOfDay(question, sql`day`)} as interval, dimensions collate "C" as dimensions,
        sum(new_touches + coalesce(
          repeat_touches[width_bucket((day - greatest((select first_day from asked), ${first}))::smallint, repeat_gaps) + 1], 0
        )) as touchpoints,
        sum(influenced) as influenced, sum(assisted) as assisted,
        array[${eachModel(question, (i) => sql`sum(credits[${place(i)}])`)}] as credits,
        array[${eachModel(question, (i) => sql`coalesce(sum(credited_values[${place(i)}] * rate), 0)`)}] as credited_values
      from (
        select x.*, (${fxRateOf(question, sql`x.currency`, sql`x.day`)})::float8 as rate
        from kept_cells x
        offset 0
      ) x
      group by 1, 2
    )`;
}
