import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../credit-question.ts';

/** The position in the journey of a place in it. Needs: `low, recorded`. Gives: an expression. */
const positionOf = (place: SQL) => sql`(${place} - low - coalesce(recorded < ${place}, false)::int)`;

/**
 * The pieces of each journey: one touch with a weight of its own, or the touches between two of them, whose position is
 * that of none.
 *
 * Needs: the step `swept_journeys`. Gives: the step `swept_pieces (entity, interval, by_group, groups, net, gross,
 * retracted, touches, position, last_non_direct, from_place, to_place, is_own, is_last)`, and `lead_position,
 * opportunity_position` for milestones.
 */
export function sweptPieces({ models, milestones }: CreditQuestion): SQL {
  const own = [
    sql`(first)`,
    sql`(last)`,
    sql`(recorded)`,
    ...(models.includes('last_non_direct') ? [sql`(last_non_direct)`] : []),
    ...(milestones ? [sql`(lead)`, sql`(opportunity)`] : []),
  ];
  const ofMilestones = milestones
    ? sql`, ${positionOf(sql`lead`)} as lead_position, ${positionOf(sql`opportunity`)} as opportunity_position`
    : sql``;
  return sql`swept_pieces as materialized (
      select entity, interval, by_group, groups, net, gross, retracted, touches, piece.position::float8 as position,
        ${positionOf(sql`last_non_direct`)} as last_non_direct${ofMilestones}, piece.from_place, piece.to_place, piece.is_own,
        (piece.from_place = last)::int as is_last
      from swept_journeys
      cross join lateral (
        select place, lag(place, 1, low) over (order by place) as previous
        from (select distinct place from (values ${sql.join(own, sql`, `)}) places (place) where place is not null) places
      ) own
      cross join lateral (values
        (own.place, own.place + 1, ${positionOf(sql`own.place`)}, true, own.place is distinct from recorded),
        (own.previous + 1, own.place, ${positionOf(sql`own.place`)} - 0.5, false, own.place - own.previous > 1)
      ) piece (from_place, to_place, position, is_own, occurs)
      where touches > 0 and piece.occurs
    )`;
}

/**
 * The touches with a weight of their own, each in its journey.
 *
 * Needs: the steps `crowd_touches` and `swept_pieces`. Gives: the step `swept_own (interval, dimensions, is_last, net,
 * gross, retracted, touches, position, last_non_direct)`, and `lead_position, opportunity_position` for milestones.
 */
export function sweptOwn({ milestones }: CreditQuestion): SQL {
  const ofMilestones = (column: (name: SQL) => SQL) =>
    milestones ? sql`, ${column(sql`lead_position`)}, ${column(sql`opportunity_position`)}` : sql``;
  return sql`swept_own as (
      select *
      from (
        select *, max(touch_dimensions) over (partition by entity, place) as dimensions
        from (
          select entity, place, dimensions as touch_dimensions, null as interval, null::int as is_last, null::float8 as net,
            null::float8 as gross, null::boolean as retracted, null::bigint as touches, null::float8 as position,
            null::bigint as last_non_direct${ofMilestones((name) => sql`null::bigint as ${name}`)}
          from crowd_touches
          union all
          select entity, from_place, null, interval, is_last, net::float8, gross::float8, retracted, touches, position,
            last_non_direct${ofMilestones((name) => name)}
          from swept_pieces
          where is_own
        ) listed
      ) listed
      where touch_dimensions is null
    )`;
}
