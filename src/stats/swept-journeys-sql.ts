import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { DAY_MS } from '../domain/time.ts';
import { type CreditQuestion, intervalOf } from './credit-sql.ts';
import { entityColumns, entityOf, isOfEntity } from './entity-sql.ts';
import { creditable, groupOf } from './journey-sql.ts';

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

/** Conversions of an entity in the range up to which each journey lists its touches. */
export const MAX_LISTED_JOURNEYS = 32;

/** With more groups than one for so many touches, running counts per group cost more than the lists. */
const TOUCHES_PER_GROUP = 8;

/**
 * Halvings of `time_decay` in a block. Running sums start anew in each block, so that they do not overflow.
 * Touches more than one block before the newest one weigh less than 2^-64 of it, and count as 0.
 */
const BLOCK_HALVINGS = 64;

/** The entity of a row as one text. */
function entityKey({ scope }: CreditQuestion, row: SQL): SQL {
  if (scope === 'person') return sql`${row}.person_id::text`;
  return sql`coalesce('account ' || ${row}.account_id, 'person ' || ${row}.person_id)`;
}

/**
 * Splits conversions by whether their entity is swept.
 *
 * Needs: `source`, a step with the columns of `converted`. Gives: the steps `crowded`, `crowd_touches`, `swept
 * (entity)` and `listed_conversions`, the conversions of all other entities.
 */
export function sweptEntities(question: CreditQuestion, source: SQL): SQL {
  const { workspace_id, scope, where, with_retracted } = question;
  const columns =
    scope === 'person'
      ? sql`c.person_id, null::text as account_id`
      : sql`case when c.account_id is null then c.person_id end as person_id, c.account_id`;
  const touches = entityColumns(scope).map(
    (column) => sql`
        select ${entityKey(question, sql`c`)} as entity, t.id, t.occurred_at, t.channel = 'direct' as is_direct,
          ${groupOf(question.group_by)} as dimensions
        from crowded c
        join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isOfEntity(column)}
          and (t.${column.name}, t.occurred_at) >= (c.${column.name}, c.from_at)
          and (t.${column.name}, t.occurred_at) <= (c.${column.name}, c.to_at)
        where ${creditable(where)}`,
  );
  return sql`
    crowded as materialized (
      select ${columns}, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
      from ${source} c
      ${with_retracted ? sql`` : sql`where not c.retracted`}
      group by ${entityOf(scope, sql`c`)}
      having count(*) > ${MAX_LISTED_JOURNEYS}
    ), crowd_touches as materialized (
      select *, max(place) filter (where not is_direct) over (partition by entity order by place) as non_direct
      from (
        select *, row_number() over (partition by entity order by occurred_at, id) as place,
          dense_rank() over (partition by entity order by dimensions) as group_number
        from (${sql.join(touches, sql` union all `)}
        ) t
      ) t
    ), swept as materialized (
      select entity
      from crowd_touches
      group by entity
      having max(group_number) * ${TOUCHES_PER_GROUP}::int <= count(*)
    ), listed_conversions as materialized (
      select *
      from ${source} c
      where ${entityKey(question, sql`c`)} not in (select entity from swept)
    )`;
}

/** The columns of a journey that its rows repeat. */
const JOURNEY = sql`entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
          last_non_direct, lead, opportunity`;
/** The same for the rows of touches in a list. */
const NO_JOURNEY = sql`entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
          null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
          null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
          null::bigint as lead, null::bigint as opportunity`;

/** The position in the journey of a place in the list of the entity. */
const positionOf = (place: SQL) => sql`(${place} - low - coalesce(recorded < ${place}, false)::int)`;

/** The place itself, or the one before if the touchpoint there recorded the conversion; null outside the journey. */
const inJourney = (place: SQL) =>
  sql`nullif(greatest(${place} - coalesce(recorded = ${place}, false)::int, low), low)`;

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
    ), ${models.includes('time_decay') ? decays(question) : sql``}swept_rows as (
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

/** Halvings since the start of the range. */
function halvingsOf({ from, settings }: CreditQuestion, at: SQL): SQL {
  const halfLife = (settings.half_life_days * DAY_MS) / 1000;
  return sql`extract(epoch from ${at} - ${from}::timestamptz)::float8 / ${halfLife}::float8`;
}

/**
 * The decay of each group of swept journeys, from running sums in blocks. Sums are numeric, so that differences
 * of them are exact; a touchpoint that recorded the conversion is taken out before scaling.
 *
 * Needs: the steps `crowd_touches`, `swept_journeys` and `swept_touches`. Gives: the steps `decaying` and
 * `swept_decays` with the columns of a journey, `dimensions` and `decay`, and a comma.
 */
function decays(question: CreditQuestion): SQL {
  const block = (halvings: SQL) => sql`floor(${halvings} / ${BLOCK_HALVINGS}::int)`;
  const term = (halvings: SQL) =>
    sql`power(2::float8, ${halvings} - ${BLOCK_HALVINGS}::int * ${block(halvings)})::numeric`;
  return sql`decaying as materialized (
      select *
      from (
        select *, ${halvingsOf(question, sql`occurred_at`)} as halvings, max(${halvingsOf(question, sql`occurred_at`)})
          filter (where not is_recorded) over (partition by conversion_id) as newest
        from swept_touches
      ) touches
      where is_recorded or place = ${inJourney(sql`high`)}
    ), swept_decays as (
      select ${JOURNEY}, dimensions,
        sum(decay::float8 * power(2::float8, ${BLOCK_HALVINGS}::int * block - newest)) as decay
      from (
        select ${JOURNEY}, dimensions, newest, block, sum(decay) as decay
        from (
          select ${JOURNEY}, dimensions, newest, block, sign * coalesce(seen, 0) as decay
          from (
            select *, sum(term) over (partition by entity, group_number, block order by place) as seen,
              max(touch_dimensions) over (partition by entity, group_number) as dimensions
            from (
              select ${NO_JOURNEY}, group_number, place, dimensions as touch_dimensions, ${block(sql`halvings`)} as block,
                ${term(sql`halvings`)} as term, null::float8 as newest, 0 as sign
              from (select *, ${halvingsOf(question, sql`occurred_at`)} as halvings from crowd_touches) touches
              union all
              select ${JOURNEY}, group_number, bound.place, null, ${block(sql`newest`)} - blocks_ago, null, newest, bound.sign
              from decaying
              cross join (values (0), (1)) blocks (blocks_ago)
              cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
              cross join lateral generate_series(1, groups) group_number
              where not is_recorded
            ) listed
          ) summed
          where conversion_id is not null
          union all
          select ${JOURNEY}, dimensions, newest, ${block(sql`halvings`)}, -${term(sql`halvings`)}
          from decaying
          where is_recorded and newest is not null
            and ${block(sql`halvings`)} between ${block(sql`newest`)} - 1 and ${block(sql`newest`)}
        ) parts
        group by ${JOURNEY}, dimensions, newest, block
      ) blocks
      where decay > 0
      group by ${JOURNEY}, dimensions
    ), `;
}

/**
 * The distinct touchpoints of swept journeys per interval and group. Journeys of an interval are merged to
 * ranges without overlap, whose touches are counted once. A touchpoint that recorded conversions is left out if no
 * other journey of the interval has it.
 *
 * Needs: the steps of `sweptJourneys`. Gives: a select of `interval, dimensions, touchpoints`.
 */
export const sweptTouchpoints = sql`
        select interval, dimensions, sum(touchpoints) as touchpoints
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
