import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { conversionConditions } from '../conversions-in-range-sql.ts';
import type { CreditQuestion } from '../credit-question.ts';
import { type EntityColumn, entityColumns, entityIds, isOfEntity } from '../entity-sql.ts';
import { countsAtAll, creditable, groupOf } from '../journey-sql.ts';
import { isUnretracted } from '../net-conversion-sql.ts';

/**
 * Distinct touchpoints, as sums that add up over days. A touchpoint is in the journeys of several conversions, so the
 * touchpoints of two days do not add up. But each touchpoint of a day has at most one last earlier day on which a
 * conversion had it in its journey, some days before: its gap. In a range, a touchpoint counts on the day whose gap leads
 * to before the range.
 *
 * Touchpoints and windows of journeys are one list in the order of time. A touchpoint is in a journey if, among the windows
 * that began up to it, the latest end is not before it; and that end is the last conversion that has it. This costs
 * touchpoints + conversions of an entity, whatever their numbers.
 */

/** Local days, both included, as ISO dates. */
export interface Days {
  first_day: string;
  last_day: string;
}

/** The local day of an instant. */
export const localDay = ({ timezone }: Pick<CreditQuestion, 'timezone'>, at: SQL): SQL =>
  sql`(${at} at time zone ${timezone}::text)::date`;

/**
 * The first instant of a local day. Where clocks go back to midnight, Postgres takes the second midnight: in Havana, and on
 * the Azores every year.
 *
 * Needs: `day`, a date. Gives: a timestamptz expression.
 */
export function startOfDay({ timezone }: Pick<CreditQuestion, 'timezone'>, day: SQL): SQL {
  const midnight = sql`(${day})::timestamp at time zone ${timezone}::text`;
  const hourBefore = sql`(${midnight} - interval '1 hour')`;
  return sql`case when ${localDay({ timezone }, hourBefore)} = (${day}) then ${hourBefore} else ${midnight} end`;
}

/**
 * A local day of which a part lies beyond the start of another one: clocks went back from a minute after midnight, as they
 * did in Newfoundland until 2011. Such days are not in the order of time.
 *
 * Needs: `day`, a date. Gives: a condition.
 */
export function isTorn(question: Pick<CreditQuestion, 'timezone'>, day: SQL): SQL {
  const within = (start: SQL) =>
    localDay(question, sql`(${startOfDay(question, start)} + interval '59 minutes')`);
  return sql`(${within(sql`${day} + 1`)} <= ${day} or ${within(day)} < ${day})`;
}

/**
 * The touchpoints of the journeys of each day.
 *
 * Needs: the steps `goal_settings` and `converted`, the conversions of these days that are summed. Conversions that are
 * not summed count as earlier ones, also those of a day on which no conversion of the entity is summed. Gives: steps, among them `day_touches (day, currency, dimensions, new_touches,
 * repeat_gaps, repeat_touches)`, with the columns of `credit_cells`. The touchpoints of an entity are under one of the
 * currencies of its conversions of the day.
 */
export function heldTouches(question: CreditQuestion, { first_day }: Days): SQL {
  const { scope } = question;
  const union = (make: (column: EntityColumn) => SQL) =>
    sql.join(entityColumns(scope).map(make), sql` union all `);
  const isHeld = (end: string, ends: string) => sql`(
          ${sql.identifier(end)} > at
          or ${sql.identifier(end)} = at
            and (${sql.identifier(`${ends}_min`)} <> id or ${sql.identifier(`${ends}_max`)} <> id)
        ) is true`;
  return sql`
    held_entities as materialized (
      select person_id, account_id, entity, min(from_at) as from_at, max(to_at) as to_at, array_agg(day) as days,
        array_agg(currency) as currencies
      from (
        select ${entityIds(scope)}, c.entity, ${localDay(question, sql`c.occurred_at`)} as day,
          min(c.opens_at) as from_at, max(c.occurred_at) as to_at, min(c.currency) as currency
        from converted c
        where not c.retracted
        group by 1, 2, 3, 4
      ) by_day
      group by person_id, account_id, entity
    ), held_windows as materialized (
      select c.entity, c.days, c.occurred_at - g.lookback as opens_at, c.occurred_at, coalesce(c.touchpoint_id, '') as recorded,
        ${localDay(question, sql`c.occurred_at`)} as day, c.id in (select id from converted) as is_summed
      from (${conversionsOfEntities(question, sql`held_entities`)}
        offset 0
      ) c
      join goal_settings g on g.key = c.goal
      where ${sql.join([isUnretracted(question.workspace_id), countsAtAll(question.workspace_id, scope), ...conversionConditions(question, sql`c.`)], sql` and `)}
    ), held_listed as (
      ${union((column) => touchesByDay(question, column))}
      union all
      select w.entity, d.day, '', bound.at, bound.side, null, null, bound.ends_at, bound.recorded, w.is_summed and w.day = d.day,
        w.day = d.day
      from held_windows w
      cross join lateral unnest(w.days) d (day)
      cross join lateral (
        values (w.opens_at, -1, w.occurred_at, null), (w.occurred_at, 1, null, w.recorded)
      ) bound (at, side, ends_at, recorded)
      where w.day = d.day or w.day < ${first_day}::date or w.day < d.day and not w.is_summed
    ), held_placed as (
      select *, ${endsOf('summed', sql`is_summed`)}, ${endsOf('here', sql`is_here`)}, ${endsOf('before', sql`not is_here`)}
      from held_listed
      window sorted as (partition by entity, day order by at, side), instant as (partition by entity, day, at)
    ), held as (
      select day, currency, dimensions, is_summed_held,
        day - greatest(lag(day) over (partition by entity, id order by day), before_day) as gap
      from (
        select entity, day, currency, id, dimensions, ${isHeld('summed_end', 'summed_ends')} as is_summed_held,
          ${isHeld('here_end', 'here_ends')} as is_held,
          case when ${isHeld('before_end', 'before_ends')} then ${localDay(question, sql`before_end`)} end as before_day
        from held_placed
        where side = 0
      ) placed
      where is_held
    ), day_touches as materialized (
      select day, currency, dimensions, coalesce(sum(touches) filter (where gap is null), 0)::int as new_touches,
        coalesce(array_agg(gap::smallint order by gap) filter (where gap is not null), '{}') as repeat_gaps,
        coalesce(array_agg(this_or_more::int order by gap) filter (where gap is not null), '{}') as repeat_touches
      from (
        select day, currency, dimensions, gap, count(*) as touches,
          sum(count(*)) over (partition by day, currency, dimensions order by gap desc nulls last) as this_or_more
        from held
        where is_summed_held
        group by day, currency, dimensions, gap
      ) by_gap
      group by day, currency, dimensions
    )`;
}

/**
 * Needs: the windows `sorted` and `instant` of `held_listed`, and `which`, a condition on its rows. Gives: the latest
 * end of the windows that began up to the row, and the least and the greatest touchpoint that recorded a conversion at the
 * row's instant, an empty text for none. That touchpoint is not in the journey which ends there.
 */
function endsOf(name: string, which: SQL): SQL {
  const column = (suffix: string) => sql.identifier(`${name}_${suffix}`);
  return sql`max(ends_at) filter (where ${which}) over sorted as ${column('end')},
        min(recorded) filter (where ${which}) over instant as ${column('ends_min')},
        max(recorded) filter (where ${which}) over instant as ${column('ends_max')}`;
}

/**
 * The conversions in the span of each entity. Bounds compare rows for the reason in `entity-sql.ts`.
 *
 * Needs: the step `goal_settings`, and `entities (person_id, account_id, from_at, to_at)`, a step. Gives: a select of the
 * columns of that step and of conversions.
 */
export function conversionsOfEntities(question: CreditQuestion, entities: SQL): SQL {
  const branches = entityColumns(question.scope).map((column) => conversionsBy(question, column, entities));
  return sql.join(branches, sql` union all `);
}

function conversionsBy(
  { workspace_id }: CreditQuestion,
  { name, applies }: EntityColumn,
  entities: SQL,
): SQL {
  return sql`
        select c.*, w.id, w.goal, w.occurred_at, w.touchpoint_id, w.currency, w.properties
        from ${entities} c
        cross join goal_settings g
        cross join lateral (
          select w.*
          from conversions w
          where w.workspace_id = ${tenant(workspace_id)} and ${applies} and w.${name} = c.${name}
            and (w.${name}, w.goal, w.occurred_at) >= (c.${name}, g.key, c.from_at)
            and (w.${name}, w.goal, w.occurred_at) <= (c.${name}, g.key, c.to_at)
          offset 0
        ) w`;
}

/** Needs: the step `held_entities`. Gives: a select of the touchpoints of each entity, once for each of its days. */
function touchesByDay({ workspace_id, where, group_by }: CreditQuestion, column: EntityColumn): SQL {
  const { name } = column;
  return sql`
      select c.entity, d.day, d.currency, t.occurred_at as at, 0 as side, t.id, ${groupOf(group_by)} as dimensions,
        null::timestamptz as ends_at, null as recorded, false as is_summed, false as is_here
      from held_entities c
      join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isOfEntity(column)}
        and (t.${name}, t.occurred_at) >= (c.${name}, c.from_at)
        and (t.${name}, t.occurred_at) <= (c.${name}, c.to_at)
      cross join lateral unnest(c.days, c.currencies) d (day, currency)
      where ${creditable(where)}`;
}
