import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { dayOf, exchangeRates, fxRateOf, type MoneyQuestion } from './fx-sql.ts';
import {
  adjustedConversions,
  isAdjusted,
  isUnretracted,
  MANY_ADJUSTED,
  restatedValue,
} from './net-conversion-sql.ts';

export interface CountedQuestion extends MoneyQuestion {
  goals: readonly string[];
  /** Conversions after this instant are ignored. */
  now: string;
  /** Exchange rates are looked up from this instant on; an earlier value in another currency has no rate. */
  from: string;
}

/**
 * The conversions of the goals, by person, that count until now. Retracted ones do not count,
 * and a goal that counts once counts only the person's first. All of history is read, because
 * the first conversion depends on it.
 *
 * Needs: no step. Gives: the steps `adjusted`, `held`, `fx` and `counted (id, person_id, occurred_at, net, lacks_rate)`;
 * `net` is in the report's currency, null without a value or without a rate.
 */
export function countedConversions(question: CountedQuestion): SQL {
  const { workspace_id, goals, now, from } = question;
  return sql`
    ${adjustedConversions(workspace_id, MANY_ADJUSTED)},
    held as materialized (
      select *, row_number() over (partition by person_id, goal order by occurred_at, id) as nth
      from (
        select c.id, c.person_id, c.goal, c.occurred_at, c.currency, g.counting,
          coalesce(${restatedValue(workspace_id, sql`c.is_adjusted`)}, c.value) as value, ${dayOf(question, sql`c.occurred_at`)} as day
        from (
          select c.id, c.person_id, c.goal, c.occurred_at, c.currency, c.value, ${isAdjusted(MANY_ADJUSTED, sql`c.id`)} as is_adjusted
          from conversions c
          where c.workspace_id = ${tenant(workspace_id)} and c.goal = any(${sql.param(goals)}::text[])
            and c.occurred_at <= ${now}::timestamptz
          offset 0
        ) c
        join goals g on g.workspace_id = ${tenant(workspace_id)} and g.key = c.goal
        where ${isUnretracted(workspace_id, sql`c.id`, sql`c.is_adjusted`)}
      ) unretracted
    ), ${exchangeRates(question, sql`select currency, day from held where occurred_at >= ${from}::timestamptz`)},
    counted as materialized (
      select id, person_id, occurred_at, value * rate as net, value is not null and rate is null as lacks_rate
      from (
        select *, ${fxRateOf(question, sql`currency`, sql`day`)} as rate
        from held
        where counting = 'every' or nth = 1
      ) rated
    )`;
}
