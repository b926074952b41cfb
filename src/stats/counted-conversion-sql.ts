import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { dayOf, exchangeRates, fxRateOf, type MoneyQuestion } from './fx-sql.ts';
import { countsAtAll } from './journey-sql.ts';
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
 * Those of some conversions that count until now. Retracted ones do not count, and a goal that counts once counts only the
 * person's first, which is found by a look-up.
 *
 * Needs: `source`, a select of conversions of the goals, each once; all of history unless given. Gives: the steps `adjusted`, `held`, `fx` and
 * `counted (id, person_id, occurred_at, net, lacks_rate)`; `net` is in the report's currency, null without a value or
 * without a rate.
 */
export function countedConversions(question: CountedQuestion, source = conversionsUntilNow(question)): SQL {
  const { workspace_id, from } = question;
  const adjusted = (id: SQL) => isAdjusted(MANY_ADJUSTED, id);
  return sql`
    ${adjustedConversions(workspace_id, MANY_ADJUSTED)},
    held as materialized (
      select c.id, c.person_id, c.occurred_at, c.currency, ${dayOf(question, sql`c.occurred_at`)} as day,
        coalesce(${restatedValue(workspace_id, sql`c.is_adjusted`)}, c.value) as value
      from (
        select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.currency, c.value, ${adjusted(sql`c.id`)} as is_adjusted
        from (${source}
          offset 0
        ) c
        offset 0
      ) c
      join goals g on g.workspace_id = ${tenant(workspace_id)} and g.key = c.goal
      where ${isUnretracted(workspace_id, sql`c.id`, sql`c.is_adjusted`)} and ${countsAtAll(workspace_id, 'person', adjusted)}
    ), ${exchangeRates(question, sql`select currency, day from held where occurred_at >= ${from}::timestamptz`)},
    counted as materialized (
      select id, person_id, occurred_at, value * rate as net, value is not null and rate is null as lacks_rate
      from (
        select *, ${fxRateOf(question, sql`currency`, sql`day`)} as rate
        from held
      ) rated
    )`;
}

/** The conversions of the goals until now. Needs: no step. Gives: a select. */
export function conversionsUntilNow({ workspace_id, goals, now }: CountedQuestion): SQL {
  return sql`
          select c.*
          from conversions c
          where c.workspace_id = ${tenant(workspace_id)} and c.goal = any(${sql.param(goals)}::text[])
            and c.occurred_at <= ${now}::timestamptz`;
}
