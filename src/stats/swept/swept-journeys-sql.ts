import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { entityColumns, isOfEntity } from '../entity-sql.ts';
import { creditable, groupOf } from '../journey-sql.ts';
import type { SweptQuestion } from './swept-entities-sql.ts';

/**
 * Journeys of entities with many conversions. The same touches are in many of their journeys, so listing each
 * journey's touches costs touches × conversions. Here the touches of the entity are listed once, each with its
 * place in the order of the entity, from 1. A journey is then a range of places, `(low, high]`, without the touchpoint
 * that recorded the conversion.
 *
 * Steps look each other up in a `union all` with a window over the common key: a join would be a nested loop
 * if the planner expects one row.
 */

/** A column of conversions that the steps pass on. */
export interface Carried {
  name: string;
  type: SQL;
  /** Over `c`, the conversion. */
  value: SQL;
  /** The column of touches with the largest value of their entity. */
  most?: string;
}

/** An instant whose last touch at or before it is looked up. */
export interface Mark {
  name: string;
  /** Over `c`, the conversion; null without one. */
  at: SQL;
}

/**
 * Events × groups that cost as much as touches × intervals: a journey has about twenty events. Up to there, sums over
 * the journeys of an entity are made by group.
 */
const EVENTS_OF_JOURNEY = 16;

const column = (name: string): SQL => sql`${sql.identifier(name)}`;
const list = <T>(of: readonly T[], make: (one: T) => SQL): SQL =>
  sql.join(of.map((one) => sql`, ${make(one)}`));

/**
 * The touches and the journeys of crowded entities. Touches and bounds of journeys are one list in the order of time;
 * running counts give each bound the place of the last touch before it.
 *
 * Needs: the steps of `crowdedEntities`, and `source`, a step with the columns of `converted`. Gives: steps, among them
 * `crowd_touches (entity, id, occurred_at, is_direct, dimensions, place, by_group, group_number, <most>)` and `swept_journeys (entity, conversion_id,
 * <carried>, by_group, groups, touches, low, high, recorded, recorded_at, recorded_dimensions, first, last, last_at, last_non_direct,
 * <marks>)`. `recorded` is null if the touchpoint that recorded the conversion is not in the range, `first` and `last`
 * if the journey is empty, a mark if the journey has no touch at or before it. `by_group` is how sums of the entity are
 * made, see `sumsByGroup`; `groups` and `group_number` are null without intervals.
 * @param intervals the number of intervals in the range, null if the query has none
 */
export function sweptJourneys(
  question: SweptQuestion,
  source: SQL,
  carried: readonly Carried[],
  marks: readonly Mark[] = [],
  intervals: number | null = null,
): SQL {
  const { workspace_id, where, with_retracted } = question;
  const inRange = (place: SQL) =>
    sql`nullif(greatest(${place} - coalesce(recorded = ${place}, false)::int, low), low)`;
  const most = carried.flatMap((one) => (one.most === undefined ? [] : [[one.name, one.most] as const]));
  const recordedBy = sql.join(
    entityColumns(question.scope).map((each) => sql`(${isOfEntity(each)})`),
    sql` or `,
  );
  return sql`
    swept_conversions as materialized (
      select c.*, r.occurred_at as recorded_at, r.dimensions as recorded_dimensions
      from ${source} c
      left join lateral (
        select t.occurred_at, ${groupOf(question.group_by)} as dimensions
        from touchpoints t
        where t.workspace_id = ${tenant(workspace_id)} and t.id = c.touchpoint_id and (${recordedBy}) and ${creditable(where)}
        offset 0
      ) r on true
      where c.is_crowded${with_retracted ? sql`` : sql` and not c.retracted`}
    ), swept_marks as materialized (
      select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, ${byGroup(intervals)} as by_group,
        max(group_number) over (partition by entity) as groups${list(most, ([name, as]) => sql`max(${column(name)}) over (partition by entity) as ${column(as)}`)}
      from (
        select *, count(touch_at) over sorted as place
        from (
          ${touchesOfCrowd(question, carried, intervals)}
          union all
          select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
            recorded_dimensions${list(carried, ({ value }) => value)}
          from swept_conversions c
          cross join lateral (values
            (c.opens_at, -1, '', 'opens'), (c.used_up_to, 1, '', 'opens'), (c.occurred_at, 1, '', 'closes'),
            (c.recorded_at, 0, c.touchpoint_id, 'before'), (c.recorded_at, 0, c.touchpoint_id, 'recorded')${list(marks, ({ name, at }) => sql`(${at}, 1, '', ${name}::text)`)}
          ) bound (at, side, id, mark)
          where bound.at is not null
        ) listed
        window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from 'before')
      ) listed
      window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from 'before')
    ), crowd_touches as not materialized (
      select entity, id, touch_at as occurred_at, is_direct, dimensions, place, by_group, group_number${list(most, ([, as]) => column(as))}
      from swept_marks
      where conversion_id is null
    ), swept_bounds as (
      select *, case when recorded_place > low and recorded_place <= high then recorded_place end as recorded
      from (
        select entity, conversion_id, bool_or(by_group) as by_group, max(groups) as groups, recorded_at, recorded_dimensions${list(carried, ({ name }) => column(name))},
          max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
          max(place) filter (where mark = 'recorded') as recorded_place,
          max(last_at) filter (where mark = 'closes') as last_at, max(last_at) filter (where mark = 'before') as before_at,
          max(non_direct) filter (where mark = 'closes') as non_direct,
          max(non_direct) filter (where mark = 'before') as before_non_direct${list(
            marks,
            ({ name }) => sql`max(place) filter (where mark = ${name}::text) as ${column(name)}`,
          )}
        from swept_marks
        where conversion_id is not null
        group by entity, conversion_id, recorded_at, recorded_dimensions${list(carried, ({ name }) => column(name))}
      ) bounds
    ), swept_journeys as materialized (
      select entity, conversion_id${list(carried, ({ name }) => column(name))}, by_group, groups, high - low - (recorded is not null)::int as touches,
        low, high, recorded, recorded_at, recorded_dimensions,
        case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
        ${inRange(sql`high`)} as last, case when recorded = high then before_at else last_at end as last_at,
        nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct${list(
          marks,
          ({ name }) => sql`${inRange(column(name))} as ${column(name)}`,
        )}
      from swept_bounds
    )`;
}

/**
 * Whether sums of the entity are made by group.
 *
 * Needs: `entity, mark, touch_at, group_number`. Gives: a boolean expression.
 */
function byGroup(intervals: number | null): SQL {
  if (intervals === null) return sql`false`;
  const entity = sql`over (partition by entity)`;
  return sql`coalesce(max(group_number) ${entity}, 0) * count(*) filter (where mark = 'closes') ${entity} * ${EVENTS_OF_JOURNEY}::int
          <= count(touch_at) ${entity} * ${intervals}::int`;
}

/**
 * The touches of crowded entities, as rows of the list of marks.
 *
 * Needs: the step `crowded`. Gives: a select.
 */
function touchesOfCrowd(question: SweptQuestion, carried: readonly Carried[], intervals: number | null): SQL {
  const { workspace_id, scope, where } = question;
  const none = list(carried, ({ name, type }) => sql`null::${type} as ${column(name)}`);
  const branches = entityColumns(scope).map(
    (each) => sql`
          select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
            t.channel = 'direct' as is_direct, ${groupOf(question.group_by)} as dimensions, null::bigint as group_number,
            null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions${none}
          from crowded c
          join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isOfEntity(each)}
            and (t.${each.name}, t.occurred_at) >= (c.${each.name}, c.from_at)
            and (t.${each.name}, t.occurred_at) <= (c.${each.name}, c.to_at)
          where ${creditable(where)}`,
  );
  const touches = sql.join(branches, sql` union all `);
  if (intervals === null) return touches;
  return sql`
          select entity, at, side, id, mark, touch_at, is_direct, dimensions,
            dense_rank() over (partition by entity order by dimensions) as group_number, conversion_id, recorded_at,
            recorded_dimensions${list(carried, ({ name }) => column(name))}
          from (${touches}) touches`;
}
