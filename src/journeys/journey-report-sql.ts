import { type SQL, sql } from 'drizzle-orm';
import { type Bucket, PATH_LENGTH_BUCKETS, TIME_LAG_BUCKETS } from '../domain/paths.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import {
  conversionsInRange,
  groupOf,
  type JourneyQuestion,
  knownGoals,
  nullJourneys,
  touchesOfJourneys,
} from '../stats/journey-sql.ts';

/** More than a diagram shows; the matrix of a hundred channels fits. */
export const MAX_TRANSITIONS = 10_000;

export interface JourneyReportQuestion extends JourneyQuestion {
  goals: readonly string[];
  group_by: readonly Dimension[];
  collapse: boolean;
  /** Of touchpoints in a journey; null: no bound. */
  min_touches: number | null;
  max_touches: number | null;
  limit: number;
}

/** Amounts as exact decimals in text. */
export interface JourneyTotals {
  conversions: number;
  value: string;
  attributed_conversions: number;
  attributed_value: string;
  not_converted: number;
  lacks_rate: number;
}

export interface PathRow {
  /** Null in the row of all other paths. */
  path: (string | null)[][] | null;
  converted: number;
  not_converted: number;
  value: string;
}

/** `buckets` in the order of those asked for. */
export interface DistributionRow {
  median: number | null;
  p90: number | null;
  buckets: { journeys: number; value: string }[];
}

/** `from` is null at the start of a journey, `to` at its end, which `converted` tells. */
export interface TransitionRow {
  from: (string | null)[] | null;
  to: (string | null)[] | null;
  converted: boolean | null;
  count: number;
}

export interface JourneyReportAnswer {
  /** Of all goals named, those that exist. */
  goals: string[] | null;
  totals: JourneyTotals;
  paths: PathRow[];
  path_length: DistributionRow;
  time_lag: DistributionRow;
  transitions: TransitionRow[];
  transition_count: number;
}

/**
 * The report on journeys in one statement; `src/domain/paths.ts` is the definition.
 *
 * Strategy: (1) the conversions of the range and the touches of their journeys, as the attribution report has them;
 * (2) the touches of null journeys; (3) one list of all touches, in which every journey ends with a row of its own
 * (`touchpoint_id` null): so a journey without touches is there, and what comes before the end is a step like any
 * other; (4) one window over it, whose rows are the steps of the paths; (5) steps are summed to transitions, and put
 * together to paths, which are summed in turn.
 *
 * Steps of the statement never join each other, see the attribution report.
 */
export function journeyStatement(question: JourneyReportQuestion): SQL {
  return sql`
    with ${conversionsInRange(question)},
    ${nullJourneys(question, question.group_by)},
    ${steps(question)},
    journeys as materialized (
      select converted, max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
        extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds,
        coalesce(array_agg(dimensions order by occurred_at, touchpoint_id) filter (where touchpoint_id is not null), '{}') as path
      from steps
      group by converted, journey
    ), paths as materialized (
      select *, row_number() over (order by converted desc, value desc, not_converted desc, path) as place
      from (
        select path, count(*) filter (where converted)::int as converted,
          count(*) filter (where not converted)::int as not_converted, coalesce(sum(net), 0) as value
        from journeys
        group by path
      ) counted
    ), transitions as materialized (
      select *, row_number() over (order by count desc, previous nulls first, dimensions nulls last, outcome) as place
      from (
        select previous, dimensions, case when touchpoint_id is null then converted end as outcome, count(*)::int as count
        from steps
        group by 1, 2, 3
      ) counted
    )
    select (${knownGoals(question.workspace_id, question.goals)}) as goals, (${totals}) as totals,
      (${pathRows(question.limit)}) as paths,
      (${distribution(sql`touches`, PATH_LENGTH_BUCKETS)}) as path_length,
      (${distribution(sql`lag_seconds`, TIME_LAG_BUCKETS)}) as time_lag,
      (
        select coalesce(json_agg(json_build_object('from', previous, 'to', dimensions, 'converted', outcome, 'count', count) order by place), '[]')
        from transitions
        where place <= ${MAX_TRANSITIONS}
      ) as transitions,
      (select count(*)::int from transitions) as transition_count`;
}

/** The steps of all journeys in the report, those within a run left out if runs collapse. */
function steps(question: JourneyReportQuestion): SQL {
  const { group_by, collapse, min_touches, max_touches } = question;
  const columns = sql`${groupOf(group_by)} as dimensions`;
  const wanted = [
    ...(collapse ? [sql`(touchpoint_id is null or dimensions is distinct from previous)`] : []),
    ...(min_touches === null ? [] : [sql`touches >= ${min_touches}::int`]),
    ...(max_touches === null ? [] : [sql`touches <= ${max_touches}::int`]),
  ];
  return sql`
    listed as (
      select true as converted, conversion_id as journey, touchpoint_id, occurred_at, dimensions,
        null::timestamptz as converted_at, null::numeric as net, false as lacks_rate
      from (${touchesOfJourneys(question, sql`converted`, columns)}) touched
      union all
      select true, id, null, null, null, occurred_at, net, lacks_rate
      from converted
      where not retracted
      union all
      select false, journey, touchpoint_id, occurred_at, dimensions, null, null, false
      from unconverted
      union all
      select distinct false, journey, null, null::timestamptz, null::text[], null::timestamptz, null::numeric, false
      from unconverted
    ), steps as materialized (
      select *
      from (
        select *, lag(dimensions) over journey as previous, count(touchpoint_id) over whole as touches,
          min(occurred_at) over whole as first_at
        from listed
        window whole as (partition by converted, journey),
          journey as (partition by converted, journey order by occurred_at nulls last, touchpoint_id)
      ) listed
      where ${sql.join([sql`true`, ...wanted], sql` and `)}
    )`;
}

const totals = sql`
  select json_build_object(
    'conversions', count(*) filter (where converted),
    'value', coalesce(sum(net), 0)::text,
    'attributed_conversions', count(*) filter (where converted and touches > 0),
    'attributed_value', coalesce(sum(net) filter (where touches > 0), 0)::text,
    'not_converted', count(*) filter (where not converted),
    'lacks_rate', count(*) filter (where lacks_rate)
  )
  from journeys`;

/** Paths to the limit, then all others as one. */
function pathRows(limit: number): SQL {
  return sql`
    select coalesce(json_agg(json_build_object(
      'path', path, 'converted', converted, 'not_converted', not_converted, 'value', value::text
    ) order by place), '[]')
    from (
      select path, converted, not_converted, value, place
      from paths
      where place <= ${limit}
      union all
      select null, sum(converted)::int, sum(not_converted)::int, sum(value), ${limit} + 1
      from paths
      where place > ${limit}
      having count(*) > 0
    ) shown`;
}

/** Of a measure of the converting journeys that have touches. */
function distribution(measure: SQL, buckets: readonly Bucket[]): SQL {
  const counts = buckets.map(({ from, to }) => {
    const inside = sql`${measure} >= ${from}${to === null ? sql`` : sql` and ${measure} < ${to}`}`;
    return sql`json_build_object(
      'journeys', count(*) filter (where ${inside}), 'value', coalesce(sum(net) filter (where ${inside}), 0)::text
    )`;
  });
  return sql`
    select json_build_object(
      'median', percentile_cont(0.5) within group (order by ${measure}),
      'p90', percentile_cont(0.9) within group (order by ${measure}),
      'buckets', json_build_array(${sql.join(counts, sql`, `)})
    )
    from journeys
    where converted and touches > 0`;
}
