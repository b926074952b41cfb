import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../stats/credit-question.ts';
import { creditByPlace, eachModel, weight, worth } from '../stats/credit-sql.ts';
import { conversionSums, creditByGroup, foldedListedJourneys } from '../stats/group-credit-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';
import type { SumsUsed } from '../stats/kept/after-sums.ts';
import type { KeptQuestion } from '../stats/kept/kept-question.ts';
import { foldedJourneys, sweptInfluence } from '../stats/swept/swept-influence-sql.ts';

/** The effective query of the attribution report. */
export interface AttributionQuestion extends CreditQuestion {
  goals: readonly string[];
  limit: number;
  /** What the sums of its days are kept under; null: everything is computed. */
  kept: KeptQuestion | null;
}

/**
 * Totals of the range (`interval` null) and, if requested, of each interval. Amounts are exact decimal text.
 */
export interface AttributionTotals {
  interval: string | null;
  conversions: number;
  value: string;
  gross_conversions: number;
  gross_value: string;
  attributed_conversions: number;
  attributed_value: string;
  lacks_rate: number;
}

/** A group of one interval. `credits` and `values` are in the order of the models. */
export interface GroupRow {
  interval: string | null;
  dimensions: (string | null)[];
  other: boolean;
  touchpoints: number;
  influenced: number;
  assisted: number;
  credits: number[];
  values: number[];
}

/** The one row of the statement. */
export interface AttributionAnswer {
  /** The goals that exist, among those of the query and its milestones. */
  goals: string[] | null;
  totals: AttributionTotals[];
  groups: GroupRow[];
  sums: SumsUsed | null;
}

/**
 * The attribution report in one statement.
 *
 * Strategy: (1) Select the conversions of the range with the bounds of their journeys. (2) Join the
 * touchpoints of the same people (or accounts) once, by the index in journey order. (3) Give each touch its
 * place in its journey with window functions, all in one order. (4) Sum twice: by group and place, then, weighed under
 * every model, by group. Distinct touchpoints and journeys are counted separately. A `union all` adds
 * the two up, so that null groups need no join. (5) Fold groups beyond the limit into one row per interval.
 *
 * Steps never join each other. The planner does not know their sizes: in a workspace without statistics it
 * expects one row and would use a nested loop. For the same reason `distinct` starts with the id: in the order of the
 * groups the planner would sort all touches. `in` as an output column is a hash look-up whatever the
 * planner expects (with a join, the totals of 19,700 conversions took 33 s).
 */
export function attributionStatement(question: AttributionQuestion): SQL {
  return sql`
    with ${creditSteps(question)}
    select (${goalsOfQuestion(question)}) as goals, (${totalsOf(conversionSums, question)}) as totals,
      (${groupsInOrder}) as groups, null::json as sums`;
}

/** The goals that exist, among those of the query and its milestones. Gives: a scalar subquery, without parentheses. */
export function goalsOfQuestion({ workspace_id, goals, milestones }: AttributionQuestion): SQL {
  return knownGoals(workspace_id, [...goals, ...Object.values(milestones ?? {})]);
}

/**
 * Needs: no step. Gives: steps, among them `converted`, `attributed` and `answer (interval, dimensions, other, touchpoints,
 * influenced, assisted, credits, values)`.
 */
export function creditSteps(question: AttributionQuestion): SQL {
  const { limit } = question;
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  const isFolded = sql`row_number() over (order by ${weight(0)} desc, interval, dimensions) > ${limit}`;
  return sql`${creditByPlace(question)},
    ${sweptInfluence(question)},
    ${creditByGroup(question, null)}, placed as materialized (
      select *, ${isFolded} as folded
      from by_group
    ), folded_journeys as (${foldedListedJourneys(question)}
      union all
      ${foldedJourneys(question)}
    ), folded as (
      select interval, sum(touchpoints)::int as touchpoints,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
        ${each((i) => sql`sum(${weight(i)}) as ${weight(i)}, sum(${worth(i)}) as ${worth(i)}`)}
      from placed p
      where folded
      group by interval
    ), answer as (
      select interval, dimensions, false as other, touchpoints, influenced, assisted, ${creditLists(question)}
      from placed
      where not folded
      union all
      select interval, null, true, touchpoints, influenced, assisted, ${creditLists(question)}
      from folded
    )`;
}

/** Needs: the columns of `creditByGroup`. Gives: the columns `credits, values`, an element for each model. */
export function creditLists(question: AttributionQuestion): SQL {
  const list = (column: (i: number) => SQL) => sql`array[${eachModel(question, column)}]`;
  return sql`${list(weight)} as credits, ${list(worth)} as values`;
}

/** Needs: the step `answer`. Gives: a scalar subquery, without parentheses: a JSON list of `GroupRow`. */
export const groupsInOrder: SQL = sql`select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer`;

/**
 * The totals of the range, and of each interval if the query has one.
 *
 * Needs: `sums`, a select as `conversionSums`. Gives: a scalar subquery, without parentheses: a JSON list of
 * `AttributionTotals`.
 */
export function totalsOf(sums: SQL, { interval }: Pick<CreditQuestion, 'interval'>): SQL {
  return sql`select json_agg(totals)
      from (
        select ${interval === null ? sql`null::text as interval` : sql`interval`},
          coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
          coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
          coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
          coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
        from (${sums}) sums
        ${interval === null ? sql`` : sql`group by grouping sets ((), (interval)) order by interval nulls first`}
      ) totals`;
}
