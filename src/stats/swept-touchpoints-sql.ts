import { sql } from 'drizzle-orm';

/**
 * The distinct touchpoints of swept journeys per interval and group. Journeys of an interval are merged to
 * ranges without overlap, whose touches are counted once. A touchpoint that recorded conversions is left out if no
 * other journey of the interval has it.
 *
 * Needs: the steps of `sweptJourneys`. Gives: a select of `interval, dimensions, touchpoints`.
 */
export const sweptTouchpoints = sql`
        select interval, dimensions, sum(touchpoints)::bigint as touchpoints
        from (
          select interval, dimensions, sign * seen as touchpoints
          from (
            select *, count(touch) over (partition by entity, group_number order by place) as seen,
              max(touch_dimensions) over (partition by entity, group_number) as dimensions
            from (
              select entity, group_number, place, id as touch, dimensions as touch_dimensions, null as interval, 0 as sign
              from crowd_touches
              union all
              select entity, group_number, bound.place, null, null, interval, bound.sign
              from (
                select entity, interval, groups, min(low) as low, max(high) as high
                from (
                  select *, count(*) filter (where starts_anew) over (partition by entity, interval order by low, conversion_id) as island
                  from (
                    select *, (low >= max(high) over (
                      partition by entity, interval order by low, conversion_id rows between unbounded preceding and 1 preceding
                    )) is not false as starts_anew
                    from swept_journeys
                  ) ranges
                ) ranges
                group by entity, interval, groups, island
              ) islands
              cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
              cross join lateral generate_series(1, groups) group_number
            ) listed
          ) counted
          where sign <> 0
          union all
          select interval, dimensions, -1
          from (
            select *, sum(delta) over (partition by entity, interval order by place) as journeys
            from (
              select entity, interval, bound.place, bound.delta, null::text[] as dimensions, 0 as recorded_by
              from swept_journeys
              cross join lateral (values (low, 1), (high, -1)) bound (place, delta)
              union all
              select entity, interval, place - 1, 0, dimensions, count(*)
              from swept_touches
              where is_recorded
              group by entity, interval, place, dimensions
            ) listed
          ) covered
          where recorded_by > 0 and recorded_by = journeys
        ) counted
        group by interval, dimensions
        having sum(touchpoints) > 0`;
