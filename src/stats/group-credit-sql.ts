import { type SQL, sql } from 'drizzle-orm';
import { type CreditQuestion, intervalOfConversion } from './credit-question.ts';
import { eachModel, weight, worth } from './credit-sql.ts';
import { creditColumns } from './swept-credit-sql.ts';

/** Sums of credit by group, and totals of conversions. */

/**
 * The sums of each group and interval.
 *
 * Needs: the steps of `creditByJourney` and `sweptInfluence`. Gives: the step `by_group (interval, dimensions, touchpoints,
 * influenced, assisted, weight_0, worth_0 …)`.
 * @param isNew a condition on `ranked`, that a touchpoint is counted; null for all
 */
export function creditByGroup(question: CreditQuestion, isNew: SQL | null): SQL {
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  return sql`by_group as (
      select interval, dimensions, sum(touchpoints)::int as touchpoints, sum(influenced)::int as influenced,
        sum(assisted)::int as assisted, ${each((i) => sql`sum(${weight(i)}) as ${weight(i)}, sum(${worth(i)}) as ${worth(i)}`)}
      from (
        select interval, dimensions, 0 as touchpoints, count(*) as influenced,
          count(*) filter (where not is_last) as assisted,
          ${each((i) => sql`sum(${weight(i)}) as ${weight(i)}, coalesce(sum(${weight(i)} * net::float8), 0) as ${worth(i)}`)}
        from by_journey
        group by interval, dimensions
        union all
        select interval, dimensions, count(*), 0, 0, ${each(() => sql`0, 0`)}
        from (
          select distinct touchpoint_id, interval, dimensions
          from ranked
          ${isNew ? sql`where ${isNew}` : sql``}
        ) distinct_touchpoints
        group by interval, dimensions
        union all
        select interval, dimensions, touchpoints, 0, -lasts, ${each((i) => sql`${creditColumns(i).net}, ${creditColumns(i).value}`)}
        from swept_credit
        union all
        select interval, dimensions, 0, influenced, influenced, ${each(() => sql`0, 0`)}
        from swept_influence
        where influenced > 0
      ) counted
      group by interval, dimensions
    )`;
}

/**
 * The conversions that were chosen, with what totals sum.
 *
 * Needs: the steps `converted` and `attributed`. Gives: a select of `interval, currency, conversions, value,
 * gross_conversions, gross_value, attributed_conversions, attributed_value, valued, lacks_rate`, a row per interval and
 * currency. Amounts are numeric; `valued` counts the conversions with a value, `lacks_rate` those without a rate among them.
 */
export function conversionSums(question: CreditQuestion): SQL {
  return sql`
    select interval, currency, count(*) filter (where not retracted) as conversions,
      coalesce(sum(net) filter (where not retracted), 0) as value, count(*) as gross_conversions,
      coalesce(sum(gross), 0) as gross_value, count(*) filter (where is_attributed) as attributed_conversions,
      coalesce(sum(net) filter (where is_attributed), 0) as attributed_value,
      count(*) filter (where lacks_rate) as lacks_rate, count(net) as valued
    from (
      select c.*, ${intervalOfConversion(question)} as interval, c.id in (select conversion_id from attributed) as is_attributed
      from converted c
      offset 0
    ) c
    group by interval, currency`;
}
