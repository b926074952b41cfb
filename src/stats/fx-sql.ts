import { type Name, type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { MAX_RATE_AGE_DAYS } from '../domain/fx.ts';

/** The currency of a report, and the settings that decide its exchange rates. */
export interface MoneyQuestion {
  workspace_id: string;
  currency: string;
  /** The currency that cross rates go through. */
  workspace_currency: string;
  /** The time zone of the days that rates belong to. */
  workspace_timezone: string;
}

/**
 * The day of an instant, in the calendar of rates and spend.
 *
 * Needs: `at`, a timestamptz expression. Gives: a date expression.
 */
export function dayOf({ workspace_timezone }: Pick<MoneyQuestion, 'workspace_timezone'>, at: SQL): SQL {
  return sql`(${at} at time zone ${workspace_timezone})::date`;
}

const FX = sql.identifier('fx');

/**
 * The exchange rates of a report. The domain's `rateOn` is the definition: the pair itself (`direct`), else a
 * conversion through the workspace's currency (`there`, `onward`), each as quoted or as its inverse.
 *
 * The rates are one JSON object. A join would depend on the number of rates, which the planner does not know;
 * looking up a member is fast whatever the number.
 *
 * Needs: `amounts`, a select of `currency, day`. Gives: the step `fx (rates)`, one row with the
 * rates of all other currencies and days among the amounts, as `{"USD 2026-03-29": 0.92}`; a
 * pair without a rate is not a member.
 * @param name the name of the step, if a statement has two of them
 */
export function exchangeRates(question: MoneyQuestion, amounts: SQL, name: Name = FX): SQL {
  const { workspace_id, currency, workspace_currency } = question;
  const [here, home] = [sql`${currency}::text`, sql`${workspace_currency}::text`];
  return sql`${name} as materialized (
    select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
    from (
      select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
        max(quoted.rate) filter (where leg.name = 'there') as there,
        max(quoted.rate) filter (where leg.name = 'onward') as onward
      from (
        select distinct amounts.currency, amounts.day, amounts.day - ${MAX_RATE_AGE_DAYS}::int as oldest
        from (${amounts}) amounts
        where amounts.currency <> ${here}
      ) pair
      join lateral (
        values ('direct', pair.currency, ${here}), ('there', pair.currency, ${home}), ('onward', ${home}, ${here})
      ) leg (name, base, quote) on leg.name = 'direct' or ${home} not in (pair.currency, ${here})
      cross join lateral (
        select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
        from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
        cross join lateral (
          select r.date, r.rate
          from fx_rates r
          where r.workspace_id = ${tenant(workspace_id)} and r."from" = way.base and r."to" = way.quote
            and r.date between pair.oldest and pair.day
          order by r.date desc
          limit 1
        ) latest
        order by latest.date desc, way.is_inverse
        limit 1
      ) quoted
      group by pair.currency, pair.day
    ) known
  )`;
}

/**
 * The value of one unit of a currency on a day, in the report's currency.
 *
 * Needs: the step of `exchangeRates`, and `of` and `day`, expressions of currency and date. Gives: a numeric
 * expression; null without a rate, or without a currency.
 */
export function fxRateOf({ currency }: MoneyQuestion, of: SQL, day: SQL, name: Name = FX): SQL {
  return sql`case
        when ${of} = ${currency} then 1
        else ((select rates from ${name}) ->> (${of} || ' ' || ${day}))::numeric
      end`;
}
