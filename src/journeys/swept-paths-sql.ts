import { type SQL, sql } from 'drizzle-orm';
import { MAX_PATH_END } from '../domain/paths.ts';
import { type Carried, sweptJourneys } from '../stats/swept/swept-journeys-sql.ts';
import { boundsOf, type JourneyReportQuestion } from './journey-question.ts';

const CARRIED: readonly Carried[] = [
  { name: 'converted_at', type: sql`timestamptz`, value: sql`c.occurred_at` },
  { name: 'net', type: sql`numeric`, value: sql`c.net` },
  { name: 'lacks_rate', type: sql`boolean`, value: sql`c.lacks_rate` },
];

/**
 * Paths and transitions of journeys as ranges of places. The steps of an entity are numbered once. The path of a
 * journey is then a range of steps, of which both ends are looked up. A transition between two touches is in all
 * journeys whose range has both, counted by a running sum of ranges that begin and end. The touchpoint that
 * recorded the conversion is a hole in the range: it can take away its step, and the next one if the groups on
 * both sides of it are equal.
 *
 * Needs: the steps `converted` and those of `crowdedEntities`. Gives: the steps `swept_paths (touches, net,
 * lacks_rate, lag_seconds, path, steps)`, a row per journey, and `swept_transitions (previous, dimensions, outcome,
 * count)`.
 */
export function sweptPaths(question: JourneyReportQuestion): SQL {
  const { collapse } = question;
  const starts = collapse ? sql`place = 1 or dimensions is distinct from previous` : sql`true`;
  const merges = collapse ? sql`(before_dimensions = after_dimensions)::int` : sql`0`;
  return sql`${sweptJourneys(question, sql`converted`, CARRIED)},
    crowd_steps as materialized (
      select *, count(*) filter (where starts) over (partition by entity order by place) as step
      from (
        select *, ${starts} as starts
        from (select *, lag(dimensions) over (partition by entity order by place) as previous from crowd_touches) touches
      ) touches
    ), swept_spans as (
      select entity, conversion_id, low, high, recorded, touches, net, lacks_rate, converted_at,
        max(at) filter (where mark = 'first') as first_at,
        max(step) filter (where mark = 'first') as first_step, max(step) filter (where mark = 'last') as last_step,
        max(step) filter (where mark = 'before') as before_step, max(step) filter (where mark = 'recorded') as recorded_step,
        max(step) filter (where mark = 'after') as after_step, max(dimensions) filter (where mark = 'first') as first_dimensions,
        max(dimensions) filter (where mark = 'last') as last_dimensions,
        max(dimensions) filter (where mark = 'before') as before_dimensions,
        max(dimensions) filter (where mark = 'after') as after_dimensions
      from (
        select *, max(touch_at) over (partition by entity, place) as at, max(touch_step) over (partition by entity, place) as step,
          max(touch_dimensions) over (partition by entity, place) as dimensions
        from (
          select entity, place, occurred_at as touch_at, step as touch_step, dimensions as touch_dimensions,
            null as conversion_id, null::bigint as low, null::bigint as high, null::bigint as recorded, null::bigint as touches,
            null::numeric as net, null::boolean as lacks_rate, null::timestamptz as converted_at, null as mark
          from crowd_steps
          union all
          select entity, asked.place, null, null, null, conversion_id, low, high, recorded, touches, net, lacks_rate,
            converted_at, asked.mark
          from swept_journeys
          cross join lateral (values
            (first, 'first'), (last, 'last'), (0, 'journey'), (case when recorded > first and recorded < last then recorded end, 'recorded'),
            (case when recorded > first and recorded < last then recorded - 1 end, 'before'),
            (case when recorded > first and recorded < last then recorded + 1 end, 'after')
          ) asked (place, mark)
          where asked.place is not null${boundsOf(question)}
        ) listed
      ) listed
      where conversion_id is not null
      group by entity, conversion_id, low, high, recorded, touches, net, lacks_rate, converted_at
    ), swept_steps as materialized (
      select *, coalesce(last_step - first_step + 1 - hole, 0) as steps
      from (
        select *, case when recorded_step > before_step and recorded_step < after_step then 1 + ${merges} else 0 end as hole
        from swept_spans
      ) spans
    ), swept_paths as (
      select max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
        extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds, max(steps) as steps,
        coalesce(array_agg(dimensions order by nth) filter (where nth > 0), '{}') as path
      from (
        select *, max(step_dimensions) over (partition by entity, step) as dimensions
        from (
          select entity, step, dimensions as step_dimensions, null as conversion_id, null::bigint as touches,
            null::numeric as net, null::boolean as lacks_rate, null::timestamptz as converted_at,
            null::timestamptz as first_at, null::bigint as steps, null::bigint as nth
          from crowd_steps
          where starts
          union all
          select entity, first_step + nth - 1 + case when first_step + nth - 1 >= recorded_step then hole else 0 end, null,
            conversion_id, touches, net, lacks_rate, converted_at, first_at, steps, nth
          from swept_steps
          cross join lateral (
            select generate_series(0, least(steps, ${MAX_PATH_END}::int))
            union all
            select generate_series(greatest(${MAX_PATH_END}::int + 1, steps - ${MAX_PATH_END}::int + 1), steps)
          ) shown (nth)
        ) listed
      ) listed
      where conversion_id is not null
      group by conversion_id
    ), swept_transitions as (
      select previous, dimensions, null::boolean as outcome, journeys as count
      from (
        select *, sum(delta) over (partition by entity order by place) as journeys
        from (
          select entity, place, previous, dimensions, 0 as delta, starts and place > 1 as is_transition
          from crowd_steps
          union all
          select entity, bound.place, null, null, bound.delta, false
          from swept_steps
          cross join lateral (values
            (low + 2, 1), (high + 1, -1),
            (case when recorded >= low + 2 then recorded end, -1), (case when recorded >= low + 2 then recorded + 1 end, 1),
            (case when recorded < high then recorded + 1 end, -1), (case when recorded < high then recorded + 2 end, 1)
          ) bound (place, delta)
          where high > low and bound.place is not null
        ) listed
      ) listed
      where is_transition and journeys > 0
      union all
      select ends.previous, ends.dimensions, ends.outcome, 1
      from swept_steps
      cross join lateral (values
        (null, first_dimensions, null, touches > 0), (last_dimensions, null, true, true),
        (before_dimensions, after_dimensions, null, recorded_step is not null)
      ) ends (previous, dimensions, outcome, occurs)
      where ends.occurs${collapse ? sql` and (ends.outcome or ends.previous is distinct from ends.dimensions)` : sql``}
    )`;
}
