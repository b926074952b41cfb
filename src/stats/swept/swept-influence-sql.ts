import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../credit-question.ts';

/**
 * The journeys that hold each group, in one of two ways, as sums are made (`sumsByGroup`).
 *
 * By place: a journey is counted at its last touch of the group, that is at a touch which it contains while it ends
 * before the next touch of the group. Among journeys whose window opens by the same rule, a later one never begins
 * before an earlier one. So those that begin before the touch are a number of first ones, and those that end before
 * it as well; running counts give both. A touchpoint that recorded a conversion is not in that journey: if the journey
 * has no other touch of its group, one is taken away.
 *
 * By group: the touches of the group up to both ends of the journey are counted.
 *
 * Needs: the steps of `sweptCredit`. Gives: the steps `swept_held` (with intervals) and `swept_influence (interval,
 * dimensions, influenced)`.
 */
export function sweptInfluence({ interval }: CreditQuestion): SQL {
  const byGroup =
    interval === null
      ? sql``
      : sql`
        union all
        select interval, dimensions, 1
        from swept_held`;
  return sql`${interval === null ? sql`` : heldByGroup}swept_influence as (
      select interval, dimensions, sum(influenced)::bigint as influenced
      from (
        select interval, dimensions, greatest(least(begun, coalesce(lead(ended) over (
            partition by entity, interval, opening, dimensions order by place
          ), journeys)) - ended, 0) as influenced
        from (
          select *, count(*) filter (where mark = 1) over earlier as ended, count(*) filter (where mark = -1) over earlier as begun,
            count(*) filter (where mark = 1) over (partition by entity, interval, opening) as journeys
          from (
            select entity, interval, opening, place, 0 as mark, dimensions
            from swept_placed
            cross join lateral generate_series(1, openings) opening
            union all
            select entity, interval, opening, bound.place, bound.mark, null
            from swept_journeys
            cross join lateral (values (low + 1, -1), (high + 1, 1)) bound (place, mark)
            where not by_group
          ) listed
          window earlier as (partition by entity, interval, opening order by place)
        ) counted
        where dimensions is not null
        union all
        select interval, dimensions, -1
        from (
          select interval, dimensions, conversion_id, sum(sign * seen) as touches
          from (
            select *, count(touch) over (partition by entity, dimensions order by place) as seen
            from (
              select entity, place, dimensions, id as touch, null as interval, null as conversion_id, 0 as sign
              from (
                select *, (entity, dimensions) in (
                  select entity, recorded_dimensions from swept_journeys where recorded is not null and not by_group
                ) as records
                from crowd_touches
                offset 0
              ) touches
              where records
              union all
              select entity, bound.place, recorded_dimensions, null, interval, conversion_id, bound.sign
              from swept_journeys
              cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
              where recorded is not null and not by_group
            ) listed
          ) counted
          where sign <> 0
          group by interval, dimensions, conversion_id
        ) held
        where touches = 1${byGroup}
      ) counted
      group by interval, dimensions
    )`;
}

/**
 * Needs: the steps `crowd_touches` and `swept_journeys`. Gives: the step `swept_held (interval, conversion_id,
 * dimensions, is_last)`, a row for each journey and group that it holds, and a comma.
 */
const heldByGroup: SQL = sql`swept_held as materialized (
      select interval, conversion_id, dimensions, bool_or(is_last) as is_last
      from (
        select interval, conversion_id, dimensions, sign * seen as touches, mark = 'last' and here > 0 as is_last
        from (
          select *, count(touch) over (partition by entity, group_number order by place) as seen,
            count(touch) over (partition by entity, group_number, place) as here,
            max(touch_dimensions) over (partition by entity, group_number) as dimensions
          from (
            select entity, group_number, place, id as touch, dimensions as touch_dimensions, null as interval,
              null as conversion_id, null as mark, 0 as sign
            from crowd_touches
            where by_group
            union all
            select entity, group_number, bound.place, null, null, interval, conversion_id, bound.mark, bound.sign
            from swept_journeys
            cross join lateral (values (low, 'low', -1), (high, 'high', 1), (last, 'last', 0)) bound (place, mark, sign)
            cross join lateral generate_series(1, groups) group_number
            where by_group and touches > 0
          ) listed
        ) counted
        where conversion_id is not null
        union all
        select interval, conversion_id, recorded_dimensions, -1, false
        from swept_journeys
        where by_group and touches > 0 and recorded is not null
      ) counted
      group by interval, conversion_id, dimensions
      having sum(touches) > 0
    ), `;

/**
 * The swept journeys that hold a group beyond the limit.
 *
 * Needs: the step `placed (interval, dimensions, folded)`, and the steps of `sweptInfluence`. Gives: a select of
 * `interval, is_last`.
 */
export function foldedJourneys({ interval }: CreditQuestion): SQL {
  const isFolded = sql`(coalesce(interval, ''), dimensions) in (select coalesce(interval, ''), dimensions from placed where folded)`;
  const byGroup =
    interval === null
      ? sql``
      : sql`
      union all
      select interval, bool_or(is_last)
      from (select *, ${isFolded} as folded from swept_held offset 0) held
      where folded
      group by interval, conversion_id`;
  return sql`select interval, is_last
      from (
        select interval, conversion_id, coalesce(bool_or(here > 0) filter (where mark = 'last'), false) as is_last,
          sum(case mark when 'low' then -before when 'high' then before when 'recorded' then -here end) as held
        from (
          select *, sum(folded) over (partition by entity, interval order by place) as before,
            sum(folded) over (partition by entity, interval, place) as here
          from (
            select entity, interval, place, null as conversion_id, null as mark, (${isFolded})::int as folded
            from swept_placed
            union all
            select entity, interval, asked.place, conversion_id, asked.mark, 0
            from swept_journeys
            cross join lateral (values (low, 'low'), (high, 'high'), (recorded, 'recorded'), (last, 'last')) asked (place, mark)
            where asked.place is not null and not by_group
          ) listed
        ) listed
        where conversion_id is not null
        group by interval, conversion_id
      ) held
      where held > 0${byGroup}`;
}
