import { type SQL, sql } from 'drizzle-orm';
import { nestedStatement } from '../db/dialect.ts';
import { conversionSums } from '../stats/group-credit-sql.ts';
import { goodDays, openConversions, openDays, settledDays, stateOfDays } from '../stats/kept-days-sql.ts';
import type { KeptQuestion } from '../stats/kept-question.ts';
import { hasFewGroups, intervalOfDay, keptCredit } from '../stats/kept-sums-sql.ts';
import { isUnsummed, summedTouches } from '../stats/kept-touches-sql.ts';
import {
  type AttributionQuestion,
  attributionStatement,
  creditSteps,
  goalsOfQuestion,
  groupsInOrder,
  totalsOf,
} from './attribution-sql.ts';

/**
 * The attribution report from kept sums (ADR 31), in one statement and one snapshot: the sums of the days whose sums are
 * right, and the credit of all other conversions, computed by the one definition in a nested statement. Rows: one
 * `AttributionAnswer`.
 */
export function keptAttribution(question: AttributionQuestion, kept: KeptQuestion): SQL {
  return sql`
    with ${settledDays(question, kept)}, ${keptCredit(question, kept)}, ${goodDays(question, hasFewGroups(question))},
    open as materialized (
      select ${nestedStatement(openCredit(question), stateOfDays)} as answer
      where exists (select from near_spans) or exists (select from unseen where is_added)
    ), kept_days as materialized (
      select day from good_days where (select coalesce((select (answer ->> 'kept')::boolean from open), true))
    ), answer as (
      select interval, dimensions, other, sum(touchpoints)::int as touchpoints, sum(influenced)::int as influenced,
        sum(assisted)::int as assisted, ${sumsOf(question, 'credits')} as credits, ${sumsOf(question, 'values')} as values
      from (
        select interval, dimensions, false as other, touchpoints, influenced, assisted, credits, credited_values as values
        from kept_credit
        where exists (select from kept_days)
        union all
        select g.interval, g.dimensions collate "C", g.other, g.touchpoints, g.influenced, g.assisted, g.credits, g.values
        from open
        cross join lateral json_to_recordset(open.answer -> 'groups') g (
          interval text, dimensions text[], other boolean, touchpoints bigint, influenced bigint, assisted bigint,
          credits float8[], values float8[]
        )
      ) groups
      group by interval, dimensions, other
    )
    select (${goalsOfQuestion(question)}) as goals, (${totalsOf(allTotals(question), question)}) as totals,
      (${groupsInOrder}) as groups, ${sumsUsed} as sums`;
}

/** The array of sums of the elements of arrays, one for each model. */
function sumsOf({ models }: AttributionQuestion, column: string): SQL {
  const sums = models.map((_, i) => sql`sum(${sql.identifier(column)}[${i + 1}::int])`);
  return sql`array[${sql.join(sums, sql`, `)}]`;
}

/** The credit of the conversions that are in no sum. Gives: a statement of one row, a JSON object. */
function openCredit(question: AttributionQuestion): SQL {
  const asked = { ...question, kept: null };
  return sql`
    with ${creditSteps(asked, {
      before: sql`${openDays(question)}, `,
      source: openConversions(question, sql`open_spans`, sql`kept_days`),
      touches: sql`${summedTouches(question)}, `,
      isNew: isUnsummed,
      isWhole: sql`not exists (select from kept_days)`,
    })}
    select json_build_object(
      'groups', (${groupsInOrder}),
      'totals', (select coalesce(json_agg(sums), '[]') from (${conversionSums}) sums),
      'conversions', (select count(*) from converted),
      'kept', exists (select from kept_days)
    )`;
}

/** Needs: the steps of `keptAttribution`. Gives: a select as `conversionSums`. */
function allTotals(question: AttributionQuestion): SQL {
  const columns = sql`interval, currency, conversions, value, gross_conversions, gross_value, attributed_conversions,
        attributed_value, lacks_rate`;
  return sql`
          select ${intervalOfDay(question, sql`day`)} as interval, currency, conversions, coalesce(net * rate, 0) as value,
            gross_conversions, coalesce(gross * rate, 0) as gross_value, attributed as attributed_conversions,
            coalesce(attributed_net * rate, 0) as attributed_value, case when rate is null then valued else 0 end as lacks_rate
          from kept_totals
          where exists (select from kept_days)
          union all
          select ${columns}
          from open
          cross join lateral json_to_recordset(open.answer -> 'totals') t (
            interval text, currency text, conversions bigint, value numeric, gross_conversions bigint, gross_value numeric,
            attributed_conversions bigint, attributed_value numeric, lacks_rate bigint
          )`;
}

/** Needs: the steps of `keptAttribution`. Gives: a JSON expression of `SumsUsed`. */
const sumsUsed: SQL = sql`json_build_object(
        'kept', (select count(*) from kept_days),
        'open', (select count(*) from settled) - (select count(*) from kept_days),
        'raw', coalesce((select (answer ->> 'conversions')::int from open), 0),
        'question', (
          select json_build_object('id', id, 'is_kept', is_kept, 'is_noted', is_noted)
          from noted
        )
      )`;

/** The statement of a report: from sums if its sums can be kept, else computed. */
export function attributionFrom(question: AttributionQuestion): SQL {
  return question.kept ? keptAttribution(question, question.kept) : attributionStatement(question);
}
