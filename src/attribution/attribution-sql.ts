import { type SQL, sql } from 'drizzle-orm';
import {
  conversionsInRange,
  groupOf,
  type JourneyQuestion,
  knownGoals,
  touchesOfJourneys,
} from '../db/journeys.ts';
import type { Model } from '../domain/attribution.ts';
import type { Interval } from '../domain/time.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { type Milestones, milestonePositions, milestoneTimes } from './milestone-sql.ts';
import { decayTerm, type ModelSettings, weightSql } from './model-sql.ts';

export interface AttributionQuestion extends JourneyQuestion {
  models: readonly Model[];
  settings: ModelSettings;
  /** The goals of the models that need them, else null. */
  milestones: Milestones | null;
  group_by: readonly Dimension[];
  interval: Interval | null;
  timezone: string;
  limit: number;
}

/** Of conversions: in all (`interval` null) and, if asked, by interval. Amounts as exact decimals in text. */
export interface TotalsRow {
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
  [column: string]: unknown;
  /** Of all goals named, those that exist. */
  goals: string[] | null;
  totals: TotalsRow[];
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
export function attributionReport(question: AttributionQuestion): SQL {
  const { models, settings, limit } = question;
  const named = [...question.goals, ...Object.values(question.milestones ?? {})];
  const weights = models.map((model, i) => sql`${weightSql(model, settings)} as ${weight(i)}`);
  const each = (make: (i: number) => SQL) =>
    sql.join(
      models.map((_, i) => make(i)),
      sql`, `,
    );
  return sql`
    with ${conversionsInRange(question)},
    ${journeys(question)},
    weighted as (
      select conversion_id, interval, dimensions, net, position = touches as is_last, ${sql.join(weights, sql`, `)}
      from (select *, ${models.includes('time_decay') ? decayTerm(settings) : sql`null`} as decay from ranked) ranked
    ), by_journey as materialized (
      select conversion_id, interval, dimensions, net, bool_or(is_last) as is_last,
        ${each((i) => sql`sum(${weight(i)})::float8 as ${weight(i)}`)}
      from weighted
      group by conversion_id, interval, dimensions, net
    ), by_group as (
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

const weight = (i: number) => sql.identifier(`weight_${i}`);
const worth = (i: number) => sql.identifier(`worth_${i}`);

/** The local start date of the conversion's interval, or null. */
function intervalOf({ interval, timezone }: AttributionQuestion): SQL {
  if (interval === null) return sql`null::text`;
  return sql`to_char(date_trunc(${interval}, c.occurred_at at time zone ${timezone}), 'YYYY-MM-DD')`;
}

/** Every touch of every journey in its place, oldest first; the id breaks ties, bytewise. */
function journeys(question: AttributionQuestion): SQL {
  const { workspace_id, scope, milestones } = question;
  const dated = milestones
    ? sql`dated as materialized (
      select c.*, ${milestoneTimes(workspace_id, scope, milestones)}
      from converted c
      where not c.retracted
    ), `
    : sql``;
  const columns = sql`${intervalOf(question)} as interval, c.net, t.channel = 'direct' as is_direct,
        ${groupOf(question.group_by)} as dimensions${milestones ? sql`, c.lead_at, c.opportunity_at` : sql``}`;
  const source = milestones ? sql`dated` : sql`converted`;
  return sql`
    ${dated}touched as (${touchesOfJourneys(question, source, columns)}
    ), positioned as (
      select *, row_number() over journey as position
      from touched
      window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
    ), ranked as materialized (
      select *, count(*) over journey as touches, max(occurred_at) over journey as newest_at,
        max(position) filter (where not is_direct) over journey as last_non_direct${milestones ? sql`, ${milestonePositions}` : sql``}
      from positioned
      window journey as (partition by conversion_id)
    )`;
}

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
      select c.*, ${intervalOf(question)} as interval, c.id in (select conversion_id from by_journey) as is_attributed
      from converted c
      offset 0
    ) c
    ${byInterval ? sql`group by grouping sets ((), (interval)) order by interval nulls first` : sql``}`;
}
