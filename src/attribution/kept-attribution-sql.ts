import { type SQL, sql } from 'drizzle-orm';
import { nestedStatement } from '../db/dialect.ts';
import { creditByPlace } from '../stats/credit-sql.ts';
import { conversionSums, creditByGroup } from '../stats/group-credit-sql.ts';
import {
  keptDays,
  openConversions,
  openDays,
  settledDays,
  stateOfDays,
} from '../stats/kept/kept-days-sql.ts';
import type { KeptQuestion } from '../stats/kept/kept-question.ts';
import { hasFewGroups, intervalOfDay, keptCredit } from '../stats/kept/kept-sums-sql.ts';
import { isUnsummed, summedTouches } from '../stats/kept/kept-touches-sql.ts';
import {
  type AttributionQuestion,
  attributionStatement,
  creditLists,
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
    with ${settledDays(question, kept)}, ${keptCredit(question, kept)}, ${keptDays(question, hasFewGroups(question))},
    open as materialized (
      select case
          when exists (select from kept_days) then ${nestedStatement(openCredit(question), stateOfDays)}
          else ${nestedStatement(creditOfRange(question), sql`null`)}
        end as answer
      where exists (select from open_spans) or exists (select from added)
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
  const source = openConversions(question, sql`open_spans`, sql`kept_days`);
  const asked: AttributionQuestion = { ...question, kept: null, source, all_listed: true };
  return sql`
    with ${openDays}, ${creditByPlace(asked)},
    ${summedTouches(asked)}, ${creditByGroup(asked, isUnsummed)}, answer as (
      select interval, dimensions, false as other, touchpoints, influenced, assisted, ${creditLists(asked)}
      from by_group
    )
    select ${creditAsJson}`;
}

/** The credit of all conversions of the range. Gives: a statement as `openCredit`. */
function creditOfRange(question: AttributionQuestion): SQL {
  return sql`
    with ${creditSteps({ ...question, kept: null })}
    select ${creditAsJson}`;
}

/** Needs: the steps of `creditSteps`. Gives: a JSON expression. */
const creditAsJson: SQL = sql`json_build_object(
      'groups', (${groupsInOrder}),
      'totals', (select coalesce(json_agg(sums), '[]') from (${conversionSums}) sums),
      'conversions', (select count(*) from converted)
    )`;

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
