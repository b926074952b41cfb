import { type Name, type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { MAX_RATE_AGE_DAYS } from '../domain/fx.ts';

/** In which currency a report counts, and what tells the rates. */
export interface MoneyQuestion {
  workspace_id: string;
  currency: string;
  /** Across which rates may lead; and the zone whose days they are of. */
  workspace_currency: string;
  workspace_timezone: string;
}

/** The day of an instant, as rates and spend count days. */
export function dayOf({ workspace_timezone }: Pick<MoneyQuestion, 'workspace_timezone'>, at: SQL): SQL {
  return sql`(${at} at time zone ${workspace_timezone})::date`;
}

const FX = sql.identifier('fx');

/**
 * The step `fx (rates)`: one row with the rates of all other currencies and days among `amounts (currency, day)`, as a
 * JSON object. The domain's `rateOn` is the definition.
 *
 * An object, because a join needs to know how many rates there are, which a planner does not; to look a member up is
 * quick however many they are.
 * @param name of the step, where a statement has two
 */
export function exchangeRates(question: MoneyQuestion, amounts: SQL, name: Name = FX): SQL {
  const { workspace_id, currency, workspace_currency } = question;
  const [here, home] = [sql`${currency}::text`, sql`${workspace_currency}::text`];
  const direct = (from: SQL, to: SQL) => directRate(workspace_id, from, to);
  return sql`${name} as materialized (
    select jsonb_object_agg(pair.currency || ' ' || pair.day, coalesce(
      ${direct(sql`pair.currency`, here)},
      case when ${home} not in (pair.currency, ${here}) then ${direct(sql`pair.currency`, home)} * ${direct(home, here)} end
    )) as rates
    from (
      select distinct amounts.currency, amounts.day, amounts.day - ${MAX_RATE_AGE_DAYS}::int as oldest
      from (${amounts}) amounts
      where amounts.currency <> ${here}
    ) pair
  )`;
}

/** Of the pair on `pair.day`: two look-ups by the primary key, as quoted and the other way around. */
function directRate(workspaceId: string, from: SQL, to: SQL): SQL {
  const latest = (base: SQL, quote: SQL, rate: SQL, isInverse: SQL) => sql`(
          select r.date, ${isInverse} as is_inverse, ${rate} as rate
          from fx_rates r
          where r.workspace_id = ${tenant(workspaceId)} and r."from" = ${base} and r."to" = ${quote}
            and r.date between pair.oldest and pair.day
          order by r.date desc
          limit 1
        )`;
  return sql`(
        select known.rate
        from (
          ${latest(from, to, sql`r.rate`, sql`0`)}
          union all
          ${latest(to, from, sql`1 / r.rate`, sql`1`)}
        ) known
        order by known.date desc, known.is_inverse
        limit 1
      )`;
}

/** After `exchangeRates`: what one unit of a currency was worth on a day; null where no rate tells, or for no currency. */
export function rateOf({ currency }: MoneyQuestion, of: SQL, day: SQL, name: Name = FX): SQL {
  return sql`case
        when ${of} = ${currency} then 1
        else ((select rates from ${name}) ->> (${of} || ' ' || ${day}))::numeric
      end`;
}
