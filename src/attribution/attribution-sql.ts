import { type SQL, sql } from 'drizzle-orm';
import { type CreditQuestion, creditByJourney, eachModel, intervalOf, weight } from '../stats/credit-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';

export interface AttributionQuestion extends CreditQuestion {
  goals: readonly string[];
  limit: number;
}

/** Of conversions: in all (`interval` null) and, if asked, by interval. Amounts as exact decimals in text. */
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

/** `credits` and `values` in the order of the models. */
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

export interface AttributionAnswer {
  /** Of all goals named, those that exist. */
  goals: string[] | null;
  totals: AttributionTotals[];
  groups: GroupRow[];
}

/**
 * The attribution report in one statement.
 *
 * Strategy: (1) the conversions of the range with the bounds of their journeys; (2) one join to the touchpoints of
 * the same people (or accounts), by the index in journey order; (3) window functions give each touch its place and its
 * weight under every model at once; (4) two sums: first for each conversion and group, which is what influenced and
 * assisted count, then for each group. Distinct touchpoints are counted beside, and both are added up by a
 * `union all`, so that null groups need no join. Groups beyond the limit fold into one row for each interval.
 *
 * Steps never join each other: their sizes are not known to the planner, which in a workspace it has no statistics
 * of expects one row and would loop. `in` as an output column is a hash look-up whatever it expects (with a join,
 * the totals of 19,700 conversions took 33 s).
 */
export function attributionStatement(question: AttributionQuestion): SQL {
  const { limit } = question;
  const named = [...question.goals, ...Object.values(question.milestones ?? {})];
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  return sql`
    with ${creditByJourney(question)},
    by_group as (
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
        from (select distinct interval, dimensions, touchpoint_id from ranked) distinct_touchpoints
        group by interval, dimensions
      ) counted
      group by interval, dimensions
    ), placed as materialized (
      select *, row_number() over (order by ${weight(0)} desc, interval, dimensions) > ${limit} as folded
      from by_group
    ), folded_journeys as (
      select interval, conversion_id, bool_or(is_last) as is_last
      from (
        select j.*, (coalesce(j.interval, ''), j.dimensions) in (
          select coalesce(interval, ''), dimensions from placed where folded
        ) as folded
        from by_journey j
        offset 0
      ) j
      where folded
      group by interval, conversion_id
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

const worth = (i: number) => sql.identifier(`worth_${i}`);

function totals(question: AttributionQuestion): SQL {
  const byInterval = question.interval !== null;
  return sql`
    select ${byInterval ? sql`interval` : sql`null::text as interval`},
      count(*) filter (where not retracted)::int as conversions,
      coalesce(sum(net) filter (where not retracted), 0)::text as value,
      count(*)::int as gross_conversions,
      coalesce(sum(gross), 0)::text as gross_value,
      count(*) filter (where is_attributed)::int as attributed_conversions,
      coalesce(sum(net) filter (where is_attributed), 0)::text as attributed_value,
      count(*) filter (where lacks_rate)::int as lacks_rate
    from (
      select c.*, ${intervalOf(question, sql`c.occurred_at`)} as interval, c.id in (select conversion_id from by_journey) as is_attributed
      from converted c
      offset 0
    ) c
    ${byInterval ? sql`group by grouping sets ((), (interval)) order by interval nulls first` : sql``}`;
}
