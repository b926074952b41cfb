import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../stats/credit-question.ts';
import { creditByPlace, eachModel, weight, worth } from '../stats/credit-sql.ts';
import { conversionSums, creditByGroup, foldedListedJourneys } from '../stats/group-credit-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';
import { foldedJourneys, sweptInfluence } from '../stats/swept-influence-sql.ts';

/** The effective query of the attribution report. */
export interface AttributionQuestion extends CreditQuestion {
  goals: readonly string[];
  limit: number;
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
}

/**
 * The attribution report in one statement.
 *
 * Strategy: (1) Select the conversions of the range with the bounds of their journeys. (2) Join the
 * touchpoints of the same people (or accounts) once, by the index in journey order. (3) Give each touch its
 * position and its weight under every model at once, with window functions. (4) Sum twice: by conversion and
 * group, where influenced and assisted conversions are counted, then by group. Distinct touchpoints are
 * counted separately. A `union all` adds the two up, so that null groups need no join. (5) Fold groups beyond
 * the limit into one row per interval.
 *
 * Steps never join each other. The planner does not know their sizes: in a workspace without statistics it
 * expects one row and would use a nested loop. For the same reason `distinct` starts with the id: in the order of the
 * groups the planner would sort all touches. `in` as an output column is a hash look-up whatever the
 * planner expects (with a join, the totals of 19,700 conversions took 33 s).
 */
export function attributionStatement(question: AttributionQuestion): SQL {
  const { limit } = question;
  const named = [...question.goals, ...Object.values(question.milestones ?? {})];
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  return sql`
    with ${creditByPlace(question)},
    ${sweptInfluence(question)},
    ${creditByGroup(question, null)}, placed as materialized (
      select *, row_number() over (order by ${weight(0)} desc, interval, dimensions) > ${limit} as folded
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
      select interval, dimensions, false as other, touchpoints, influenced, assisted,
        array[${each((i) => sql`${weight(i)}`)}] as credits, array[${each((i) => sql`${worth(i)}`)}] as values
      from placed
      where not folded
      union all
      select interval, null, true, touchpoints, influenced, assisted,
        array[${each((i) => sql`${weight(i)}`)}], array[${each((i) => sql`${worth(i)}`)}]
      from folded
    )
    select (${knownGoals(question.workspace_id, named)}) as goals,
      (select json_agg(totals) from (${totals(question)}) totals) as totals,
      (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups`;
}

/**
 * The totals of the range, and of each interval if the query has one.
 *
 * Needs: the steps `converted` and `attributed`. Gives: a select of the columns of `AttributionTotals`.
 */
function totals(question: AttributionQuestion): SQL {
  const byInterval = question.interval !== null;
  return sql`
    select ${byInterval ? sql`interval` : sql`null::text as interval`},
      coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
      coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
      coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
      coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
    from (${conversionSums}) sums
    ${byInterval ? sql`group by grouping sets ((), (interval)) order by interval nulls first` : sql``}`;
}
