import { type SQL, sql } from 'drizzle-orm';
import { type Bucket, MAX_PATH_END, PATH_LENGTH_BUCKETS, TIME_LAG_BUCKETS } from '../domain/paths.ts';
import { conversionsInRange } from '../stats/conversions-in-range-sql.ts';
import { groupOf, knownGoals, nullJourneys, touchesOfJourneys } from '../stats/journey-sql.ts';
import { crowdedEntities } from '../stats/swept/swept-entities-sql.ts';
import { boundsOf, type JourneyReportQuestion } from './journey-question.ts';
import { sweptPaths } from './swept-paths-sql.ts';

/** More than a diagram can show; all transitions between a hundred channels fit. */
export const MAX_TRANSITIONS = 10_000;

/** Totals of the report. Amounts are exact decimal text. */
export interface JourneyTotals {
  conversions: number;
  value: string;
  attributed_conversions: number;
  attributed_value: string;
  not_converted: number;
  lacks_rate: number;
  /** Journeys whose path was cut. */
  cut: number;
}

/** A path with its counts; `value` is exact decimal text. */
export interface PathRow {
  /** Null in the row of all other paths. */
  path: (string | null)[][] | null;
  /** The steps between the first and the last ones are left out. */
  cut: boolean;
  converted: number;
  not_converted: number;
  value: string;
}

/** A distribution; `buckets` in the order of the requested ones. */
export interface DistributionRow {
  median: number | null;
  p90: number | null;
  buckets: { journeys: number; value: string }[];
}

/**
 * A transition. `from` is null at the start of a journey; `to` is null at its end, where
 * `converted` is its outcome.
 */
export interface TransitionRow {
  from: (string | null)[] | null;
  to: (string | null)[] | null;
  converted: boolean | null;
  count: number;
}

/** The one row of the statement. */
export interface JourneyReportAnswer {
  /** The goals that exist, among those of the query. */
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
 * Strategy: (1) Select the conversions of the range and the touches of their journeys, like the attribution
 * report. (2) Select the touches of null journeys. (3) Put all touches in one list, in which each journey
 * ends with a row of its own (`touchpoint_id` null). A journey without touches is therefore present, and the
 * transition to the end is one like any other. (4) Run one window over the list; its rows are the steps of
 * the paths. (5) Sum the steps to transitions, and aggregate them to paths, which are summed in turn. Journeys of
 * entities with many conversions come from ranges of places instead (`sweptPaths`).
 *
 * Steps of the statement never join each other, for the reason given in the attribution report.
 */
export function journeyStatement(question: JourneyReportQuestion): SQL {
  return sql`
    with ${conversionsInRange(question)},
    ${nullJourneys(question, question.group_by)},
    ${crowdedEntities(question)},
    ${sweptPaths(question)},
    ${steps(question)},
    whole as (
      select converted, max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
        extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds, count(touchpoint_id) as steps,
        coalesce(array_agg(dimensions order by occurred_at, touchpoint_id) filter (where touchpoint_id is not null), '{}') as path
      from steps
      group by converted, journey
    ), journeys as materialized (
      select converted, touches, net, lacks_rate, lag_seconds, steps > 2 * ${MAX_PATH_END}::int as cut,
        case when steps > 2 * ${MAX_PATH_END}::int
          then path[:${MAX_PATH_END}::int] || path[steps - ${MAX_PATH_END}::int + 1:] else path end as path
      from whole
      union all
      select true, touches, net, lacks_rate, lag_seconds, steps > 2 * ${MAX_PATH_END}::int, path
      from swept_paths
    ), paths as materialized (
      select *, row_number() over (order by converted desc, value desc, not_converted desc, path, cut) as place
      from (
        select path, cut, count(*) filter (where converted)::int as converted,
          count(*) filter (where not converted)::int as not_converted, coalesce(sum(net), 0) as value
        from journeys
        group by path, cut
      ) counted
    ), transitions as materialized (
      select *, row_number() over (order by count desc, previous nulls first, dimensions nulls last, outcome) as place
      from (
        select previous, dimensions, outcome, sum(count)::int as count
        from (
          select previous, dimensions, case when touchpoint_id is null then converted end as outcome, count(*) as count
          from steps
          group by 1, 2, 3
          union all
          select previous, dimensions, outcome, count
          from swept_transitions
        ) listed
        group by previous, dimensions, outcome
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

/**
 * The steps of all listed journeys in the report, without repeats inside a run if runs collapse.
 *
 * Needs: the steps `converted`, `listed_conversions` and `unconverted`. Gives: the steps `listed` and `steps
 * (converted, journey, touchpoint_id, occurred_at, dimensions, converted_at, net, lacks_rate, previous, touches,
 * first_at)`.
 */
function steps(question: JourneyReportQuestion): SQL {
  const columns = sql`${groupOf(question.group_by)} as dimensions`;
  const isStep = question.collapse
    ? sql`(touchpoint_id is null or dimensions is distinct from previous)`
    : sql`true`;
  return sql`
    listed as (
      select true as converted, conversion_id as journey, touchpoint_id, occurred_at, dimensions,
        null::timestamptz as converted_at, null::numeric as net, false as lacks_rate
      from (${touchesOfJourneys(question, sql`listed_conversions`, columns)}) touched
      union all
      select true, id, null, null, null, occurred_at, net, lacks_rate
      from listed_conversions
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
      where ${isStep}${boundsOf(question)}
    )`;
}

/**
 * The totals of the report.
 *
 * Needs: the step `journeys`. Gives: a scalar subquery, without parentheses: the JSON of `JourneyTotals`.
 */
const totals = sql`
  select json_build_object(
    'conversions', count(*) filter (where converted),
    'value', coalesce(sum(net), 0)::text,
    'attributed_conversions', count(*) filter (where converted and touches > 0),
    'attributed_value', coalesce(sum(net) filter (where touches > 0), 0)::text,
    'not_converted', count(*) filter (where not converted),
    'lacks_rate', count(*) filter (where lacks_rate),
    'cut', count(*) filter (where cut)
  )
  from journeys`;

/**
 * The paths up to the limit, then one row for all others.
 *
 * Needs: the step `paths`. Gives: a scalar subquery, without parentheses: a JSON list of `PathRow`.
 */
function pathRows(limit: number): SQL {
  return sql`
    select coalesce(json_agg(json_build_object(
      'path', path, 'cut', cut, 'converted', converted, 'not_converted', not_converted, 'value', value::text
    ) order by place), '[]')
    from (
      select path, cut, converted, not_converted, value, place
      from paths
      where place <= ${limit}
      union all
      select null, false, sum(converted)::int, sum(not_converted)::int, sum(value), ${limit} + 1
      from paths
      where place > ${limit}
      having count(*) > 0
    ) shown`;
}

/**
 * The distribution of a measure over the converting journeys that have touches.
 *
 * Needs: the step `journeys`, and `measure`, one of its columns. Gives: a scalar subquery, without
 * parentheses: a JSON object, see `DistributionRow`.
 */
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
