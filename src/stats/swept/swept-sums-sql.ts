import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../credit-question.ts';

/** What each touch of a journey gets, as events: at a place, a column grows by so much for all touches from there on. */
export interface Events {
  /** The step with `entity, interval, place, by_group, groups` and the columns; and `block`, if it has blocks. */
  step: SQL;
  columns: readonly SQL[];
  /** The weight of a touch, over a row of `crowd_touches`. */
  weight: SQL;
  /** The block of a touch; events only apply to touches of their block. Null: there are none. */
  block: SQL | null;
}

/**
 * Sums over the touches of each group, of the weight of the touch times the running sum of the events, in one of two
 * ways. By place: running sums of events at each touch of an interval, which costs touches × intervals. By group:
 * each event times the touches of the group from its place on, which costs events × groups. Without intervals the
 * first way is always the cheaper one.
 *
 * Needs: the steps `crowd_touches`, `swept_placed` and that of the events. Gives: a select of `interval, dimensions`
 * and the columns, several rows per group.
 */
export function sumsByGroup({ interval }: CreditQuestion, { step, columns, weight, block }: Events): SQL {
  const each = (make: (column: SQL) => SQL) => sql.join(columns.map(make), sql`, `);
  const [own, name] = block === null ? [sql``, sql``] : [sql`, ${block} as block`, sql`, block`];
  const byPlace = sql`
        select interval, dimensions, ${each((column) => sql`weight * ${column} as ${column}`)}
        from (
          select interval, dimensions, weight, ${each((column) => sql`sum(${column}) over here as ${column}`)}
          from (
            select entity, interval, place, dimensions, ${weight} as weight, ${each((column) => sql`0 as ${column}`)}${own}
            from swept_placed
            union all
            select entity, interval, place, null, null, ${each((column) => column)}${name}
            from ${step}
            where not by_group
          ) listed
          window here as (partition by entity, interval${name} order by place)
        ) places
        where dimensions is not null`;
  if (interval === null) return byPlace;
  return sql`${byPlace}
        union all
        select interval, dimensions, ${each((column) => sql`later * ${column}`)}
        from (
          select *, sum(weight) over (partition by entity, group_number${name} order by place desc) as later,
            max(touch_dimensions) over (partition by entity, group_number) as dimensions
          from (
            select entity, group_number, null as interval, place, dimensions as touch_dimensions, ${weight} as weight,
              ${each((column) => sql`null::numeric as ${column}`)}${own}
            from crowd_touches
            where by_group
            union all
            select entity, group_number, interval, place, null, null, ${each((column) => column)}${name}
            from ${step}
            cross join lateral generate_series(1, groups) group_number
            where by_group
          ) listed
        ) counted
        where touch_dimensions is null and later > 0`;
}
