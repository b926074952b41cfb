import { type SQL, sql } from 'drizzle-orm';
import { type CreditQuestion, intervalOf } from './credit-question.ts';
import { inJourney, JOURNEY, NO_JOURNEY, positionOf } from './swept-columns-sql.ts';
import { sweptDecays } from './swept-decay-sql.ts';
import { entityKey } from './swept-entities-sql.ts';

/**
 * Journeys of entities with many conversions. The same touches are in many of their journeys, so listing each
 * journey's touches costs touches × conversions. Here the touches of the entity are listed once, each with its
 * place. A journey is then a range of places, `(low, high]`, without the touchpoint that recorded the
 * conversion. Few touches have a weight of their own (the first, the last, the last non-direct one and those of
 * milestones); the others weigh the same, and counting them per group takes two running counts.
 *
 * Steps look each other up in a `union all` with a window over the common key: a join would be a nested loop
 * if the planner expects one row.
 */

/**
 * The rows of swept journeys, which `weighted` reads beside the ranked touches of the others.
 *
 * Needs: the steps of `sweptEntities`, and `source`, the step that they split. Gives: steps, among them
 * `swept_rows` with the columns of `ranked` that weights need, `times`, the number of touches that the row
 * stands for, and `decay`. A row of several touches has a position between two touches. A row with the decay
 * of a group has `times` 0.
 */
export function sweptJourneys(question: CreditQuestion, source: SQL): SQL {
  const { milestones, models, with_retracted } = question;
  const milestoneBounds = milestones
    ? sql`, (lead_at, 1, 'lead'), (opportunity_at, 1, 'opportunity')`
    : sql``;
  return sql`
    swept_conversions as materialized (
      select *, ${intervalOf(question, sql`c.occurred_at`)} as interval
      from (
        select c.*, ${entityKey(question, sql`c`)} as entity, ${entityKey(question, sql`c`)} in (select entity from swept) as is_swept
        from ${source} c
        offset 0
      ) c
      where is_swept${with_retracted ? sql`` : sql` and not retracted`}
    ), swept_bounds as (
      select entity, conversion_id, max(interval) as interval, max(gross) as gross, max(net) as net,
        bool_or(retracted) as retracted, max(touchpoint_id) as touchpoint_id, max(groups) as groups,
        max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
        max(place) filter (where mark = 'lead') as lead, max(place) filter (where mark = 'opportunity') as opportunity
      from (
        select *, count(touch) over (partition by entity order by at, side) as place,
          max(group_number) over (partition by entity) as groups
        from (
          select entity, occurred_at as at, 0 as side, id as touch, group_number, null as conversion_id,
            null as interval, null::numeric as gross, null::numeric as net, null::boolean as retracted,
            null as touchpoint_id, null as mark
          from crowd_touches
          union all
          select entity, bound.at, bound.side, null, null, id, interval, gross, net, retracted, touchpoint_id, bound.mark
          from swept_conversions
          cross join lateral (
            values (opens_at, -1, 'opens'), (used_up_to, 1, 'opens'), (occurred_at, 1, 'closes')${milestoneBounds}
          ) bound (at, side, mark)
          where bound.at is not null
        ) marks
      ) marks
      where conversion_id is not null
      group by entity, conversion_id
    ), swept_recorded as (
      select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity,
        case when recorded > low and recorded <= high then recorded end as recorded
      from (
        select *, max(place) over (partition by entity, touchpoint_id) as recorded
        from (
          select entity, id as touchpoint_id, place, null as conversion_id, null as interval, null::numeric as gross,
            null::numeric as net, null::boolean as retracted, null::bigint as low, null::bigint as high,
            null::bigint as groups, null::bigint as lead, null::bigint as opportunity
          from crowd_touches
          union all
          select entity, touchpoint_id, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity
          from swept_bounds
        ) listed
      ) listed
      where conversion_id is not null
    ), swept_last as (
      select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded,
        max(non_direct) filter (where not is_before) as at_end, max(non_direct) filter (where is_before) as before_recorded
      from (
        select *, max(touch_non_direct) over (partition by entity, place) as non_direct
        from (
          select entity, place, non_direct as touch_non_direct, null as conversion_id, null as interval,
            null::numeric as gross, null::numeric as net, null::boolean as retracted, null::bigint as low,
            null::bigint as high, null::bigint as groups, null::bigint as lead, null::bigint as opportunity,
            null::bigint as recorded, false as is_before
          from crowd_touches
          union all
          select entity, asked.place, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead,
            opportunity, recorded, asked.is_before
          from swept_recorded
          cross join lateral (values (high, false), (recorded - 1, true)) asked (place, is_before)
          where asked.place is not null
        ) listed
      ) listed
      where conversion_id is not null
      group by entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded
    ), swept_journeys as materialized (
      select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded,
        high - low - (recorded is not null)::int as touches,
        nullif(greatest(case when at_end = recorded then before_recorded else at_end end, low), low) as last_non_direct,
        ${inJourney(sql`lead`)} as lead, ${inJourney(sql`opportunity`)} as opportunity
      from swept_last
    ), swept_touches as materialized (
      select ${JOURNEY}, place, dimensions, occurred_at, is_recorded
      from (
        select *, max(touch_dimensions) over (partition by entity, place) as dimensions,
          max(touch_at) over (partition by entity, place) as occurred_at
        from (
          select ${NO_JOURNEY}, place, dimensions as touch_dimensions, occurred_at as touch_at, false as is_recorded
          from crowd_touches
          union all
          select ${JOURNEY}, own.place, null, null, coalesce(own.place = recorded, false)
          from swept_journeys
          cross join lateral (
            select distinct place
            from (values
              (case when touches > 0 then low + 1 + coalesce(recorded = low + 1, false)::int end),
              (case when touches > 0 then ${inJourney(sql`high`)} end), (last_non_direct), (lead), (opportunity), (recorded)
            ) places (place)
            where place is not null
          ) own
        ) listed
      ) listed
      where conversion_id is not null
    ), swept_rest as (
      select ${JOURNEY}, segment_end, dimensions, sum(times) as times
      from (
        select ${JOURNEY}, segment_end, dimensions, sign * seen as times
        from (
          select *, count(touch) over (partition by entity, group_number order by place) as seen,
            max(touch_dimensions) over (partition by entity, group_number) as dimensions
          from (
            select ${NO_JOURNEY}, group_number, place, id as touch, dimensions as touch_dimensions, null::bigint as segment_end, 0 as sign
            from crowd_touches
            union all
            select ${JOURNEY}, group_number, bound.place, null, null, segment.ends, bound.sign
            from swept_journeys
            cross join lateral (${segments}) segment
            cross join lateral (values (segment.starts, -1), (segment.ends, 1)) bound (place, sign)
            cross join lateral generate_series(1, groups) group_number
          ) listed
        ) counted
        where conversion_id is not null
        union all
        select ${JOURNEY}, segment.ends, dimensions, -1
        from swept_touches
        cross join lateral (${segments}) segment
        where place > segment.starts and place <= segment.ends
      ) counted
      group by ${JOURNEY}, segment_end, dimensions
      having sum(times) > 0
    ), ${models.includes('time_decay') ? sweptDecays(question) : sql``}swept_rows as (
      select conversion_id, interval, dimensions, gross, net, retracted, touches, position, times, decay,
        ${positionOf(sql`last_non_direct`)} as last_non_direct, ${positionOf(sql`lead`)} as lead_position,
        ${positionOf(sql`opportunity`)} as opportunity_position
      from (
        select ${JOURNEY}, dimensions, ${positionOf(sql`place`)}::float8 as position, 1 as times, 0::float8 as decay
        from swept_touches
        where not is_recorded
        union all
        select ${JOURNEY}, dimensions, ${positionOf(inJourney(sql`segment_end`))} - 0.5, times, 0
        from swept_rest
        ${
          models.includes('time_decay')
            ? sql`union all
        select ${JOURNEY}, dimensions, touches + 0.5, 0, decay
        from swept_decays`
            : sql``
        }
      ) rows
    )`;
}

/**
 * The parts of a journey in which touches without a weight of their own weigh the same: they end at the touches of
 * milestones and at the end.
 *
 * Needs: a row of `swept_journeys`. Gives: a select of `starts` (exclusive) and `ends`, places.
 */
const segments = sql`
              select coalesce(lag(ends) over (order by ends), low) as starts, ends
              from (select distinct ends from (values (lead), (opportunity), (high)) all_ends (ends) where ends is not null) parts`;
