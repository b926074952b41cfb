import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS } from '../domain/time.ts';
import type { CreditQuestion } from './credit-question.ts';
import { inJourney, JOURNEY, NO_JOURNEY } from './swept-columns-sql.ts';

/**
 * Halvings of `time_decay` in a block. Running sums start anew in each block, so that they do not overflow.
 * Touches more than one block before the newest one weigh less than 2^-64 of it, and count as 0.
 */
const BLOCK_HALVINGS = 64;

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
export function sweptDecays(question: CreditQuestion): SQL {
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
