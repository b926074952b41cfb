import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import type { Interval } from '../../domain/time.ts';
import type { CreditQuestion } from '../credit-question.ts';
import { eachModel } from '../credit-sql.ts';
import { exchangeRates, fxRateOf } from '../fx-sql.ts';
import { type KeptQuestion, keptModels } from './kept-question.ts';

/**
 * The sums of kept days (ADR 31). Whole months are read from the sums of months, which are converted to the workspace's
 * currency, if the rates of their days are still those that they were converted at.
 */

/** Intervals that a whole month is part of. */
const isWithinMonths = (interval: Interval | null) => interval === null || interval === 'month';

/** Needs: `day`, a date. Gives: a text expression, as `intervalOf`. */
export function intervalOfDay({ interval }: Pick<CreditQuestion, 'interval'>, day: SQL): SQL {
  if (interval === null) return sql`null::text`;
  return sql`to_char(date_trunc(${interval}::text, ${day}::timestamp), 'YYYY-MM-DD')`;
}

/**
 * The totals and the credit of days.
 *
 * Needs: the steps of `settledDays`. Gives: the steps `kept_totals`, the rows of `credit_totals`, with `rate`, null without one; `fx`;
 * `kept_months`; `kept_parts`; and `kept_credit (interval, dimensions, touchpoints, influenced, assisted, credits, credited_values)`,
 * the last two in the order of the query's models. `kept_credit` is empty if some day or month has more groups than the
 * report shows.
 */
export function keptCredit(question: CreditQuestion & { limit: number }, kept: KeptQuestion): SQL {
  const { workspace_id, currency, interval, limit } = question;
  const ours = (alias: SQL) =>
    sql`${alias}.workspace_id = ${tenant(workspace_id)} and ${alias}.question_id = (select id from noted)`;
  const models = keptModels(kept);
  const place = (i: number) => sql`${models.indexOf(question.models[i] ?? 'linear') + 1}::int`;
  const start = interval === null ? sql`null` : sql`date_trunc(${interval}::text, day::timestamp)::date`;
  return sql`
    kept_amounts as materialized (
      select t.*
      from right_days d
      cross join lateral (
        select t.*
        from credit_totals t
        where ${ours(sql`t`)} and t.day = d.day
        offset 0
      ) t
    ), ${exchangeRates(question, sql`select currency, day from kept_amounts`)},
    kept_totals as materialized (
      select t.*, ${fxRateOf(question, sql`t.currency`, sql`t.day`)} as rate
      from kept_amounts t
    ), kept_rates as materialized (${ratesOfMonths(currency)}
    ), kept_months as materialized (
      select m.month
      from credit_months m
      where ${ours(sql`m`)} and ${isWithinMonths(interval)} and m.currency = ${currency}::text
        and m.rates = coalesce((select r.rates from kept_rates r where r.month = m.month), '')
        and m.month >= (select first_day from asked) and m.month < (select last_day from asked)
        and (m.month + interval '1 month')::date - m.month = (
          select count(*)
          from right_days d
          where d.day >= m.month and d.day < (m.month + interval '1 month')::date
        )
    ), kept_parts as materialized (
      select *, day - greatest((select first_day from asked), ${start}) as days_before,
        ${intervalOfDay(question, sql`day`)} as interval
      from (
        select true as is_month, month as day, ${currency}::text as currency, 1::float8 as rate from kept_months
        union all
        select false, day, currency, rate::float8
        from kept_totals
        where date_trunc('month', day::timestamp)::date not in (select month from kept_months)
      ) parts
    ), kept_size as materialized (
      select not exists (
        select
        from kept_parts p
        cross join lateral (
          select x.number
          from credit_cells x
          where ${ours(sql`x`)} and x.is_month = p.is_month and x.day = p.day and x.currency = p.currency
            and x.number > ${limit}::int
          limit 1
        ) x
      ) as is_small
    ), kept_credit as materialized (
      select x.interval, x.dimensions collate "C" as dimensions,
        sum(x.new_touches + coalesce(x.repeat_touches[width_bucket(x.days_before::smallint, x.repeat_gaps) + 1], 0))::int as touchpoints,
        sum(x.influenced)::int as influenced, sum(x.assisted)::int as assisted,
        array[${eachModel(question, (i) => sql`sum(x.credits[${place(i)}])`)}] as credits,
        array[${eachModel(question, (i) => sql`coalesce(sum(x.credited_values[${place(i)}] * x.rate), 0)`)}] as credited_values
      from (
        select p.interval, p.days_before, p.rate, x.*
        from kept_parts p
        cross join lateral (
          select x.*
          from credit_cells x
          where ${ours(sql`x`)} and x.is_month = p.is_month and x.day = p.day and x.currency = p.currency
          offset 0
        ) x
        where (select is_small from kept_size)
        offset 0
      ) x
      group by x.group_hash, x.interval, x.dimensions
    )`;
}

/**
 * The exchange rates of each month, as a text to compare with.
 *
 * Needs: the step `kept_totals (day, currency, rate)`. Gives: a select of `month, rates`; months without another currency
 * are left out.
 * @param also further columns to group by, each with a comma
 */
export function ratesOfMonths(currency: string, also: SQL = sql``): SQL {
  return sql`
      select ${also}date_trunc('month', day::timestamp)::date as month,
        md5(string_agg(concat_ws(' ', currency, day, rate), ',' order by currency collate "C", day)) as rates
      from kept_totals
      where currency <> ${currency}::text
      group by ${also}date_trunc('month', day::timestamp)::date`;
}

/** The groups of the kept days are at most as many as the report shows. Needs: the steps of `keptCredit`. */
export function hasFewGroups({ limit }: { limit: number }): SQL {
  return sql`(select is_small from kept_size) and (select count(*) from kept_credit) <= ${limit}::int`;
}
