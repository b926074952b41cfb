import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS } from '../../domain/time.ts';
import type { CreditQuestion } from '../credit-question.ts';

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

const blockOf = (halvings: SQL) => sql`floor(${halvings} / ${BLOCK_HALVINGS}::int)`;

/** The decay of a touch since the start of its block, upside down: it grows with time. */
const growth = (halvings: SQL) =>
  sql`power(2::float8, ${halvings} - ${BLOCK_HALVINGS}::int * ${blockOf(halvings)})::numeric`;

/** The block of a touch, and its growth in it. Needs: `occurred_at`. Gives: two expressions. */
export function blockAndGrowth(question: CreditQuestion): { block: SQL; growth: SQL } {
  const halvings = halvingsOf(question, sql`occurred_at`);
  return { block: blockOf(halvings), growth: growth(halvings) };
}

/**
 * The weight of a touch under `time_decay` is its growth times a factor of the journey and the block. The factor is
 * 2^(block - newest touch) over the sum of the journey, which running sums over the touches of a block give.
 *
 * Needs: the steps `crowd_touches` and `swept_journeys`. Gives: the steps `decaying`, `swept_factors (entity, interval,
 * by_group, groups, net, gross, retracted, low, high, recorded, recorded_block, block, factor)` and others.
 */
export function sweptFactors(question: CreditQuestion): SQL {
  const touch = blockAndGrowth(question);
  const journey = sql`entity, conversion_id, interval, by_group, groups, net, gross, retracted, low, high, recorded, recorded_growth,
        recorded_block, newest`;
  return sql`growing as materialized (
      select entity, place, ${touch.block} as block, ${touch.growth} as growth
      from crowd_touches
    ), decaying as (
      select *, ${growth(sql`recorded_halvings`)} as recorded_growth, ${blockOf(sql`recorded_halvings`)} as recorded_block
      from (
        select *, ${halvingsOf(question, sql`last_at`)} as newest, ${halvingsOf(question, sql`recorded_at`)} as recorded_halvings
        from swept_journeys
        where touches > 0
      ) journeys
    ), swept_factors as (
      select *, (power(2::float8, ${BLOCK_HALVINGS}::int * block - newest)
        / sum(grown::float8 * power(2::float8, ${BLOCK_HALVINGS}::int * block - newest)) over (partition by conversion_id))::numeric as factor
      from (
        select ${journey}, block,
          sum(sign * coalesce(grown, 0)) - coalesce(max(case when recorded_block = block then recorded_growth end), 0) as grown
        from (
          select *, sum(growth) over (partition by entity, block order by place) as grown
          from (
            select entity, block, place, growth, null as conversion_id, null as interval, false as by_group, null::bigint as groups, null::numeric as net,
              null::numeric as gross, null::boolean as retracted, null::bigint as low, null::bigint as high,
              null::bigint as recorded, null::numeric as recorded_growth, null::float8 as recorded_block,
              null::float8 as newest, 0 as sign
            from growing
            union all
            select entity, ${blockOf(sql`newest`)} - blocks_ago, bound.place, null, conversion_id, interval, by_group, groups, net, gross,
              retracted, low, high, recorded, recorded_growth, recorded_block, newest, bound.sign
            from decaying
            cross join (values (0), (1)) blocks (blocks_ago)
            cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
          ) listed
        ) summed
        where conversion_id is not null
        group by ${journey}, block
      ) blocks
      where grown > 0
    )`;
}

/** The pieces of a journey in a block: the whole range, without the touchpoint that recorded the conversion. */
export const DECAY_PIECES = sql`(values
          (low + 1, high + 1, 1), (case when recorded_block = block then recorded end, recorded + 1, -1)
        ) piece (from_place, to_place, sign)`;
