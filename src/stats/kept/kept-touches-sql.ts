import { type SQL, sql } from 'drizzle-orm';
import { conversionConditions } from '../conversions-in-range-sql.ts';
import { type CreditQuestion, intervalOf } from '../credit-question.ts';
import { entityIds } from '../entity-sql.ts';
import { countsAtAll } from '../journey-sql.ts';
import { isUnretracted } from '../net-conversion-sql.ts';
import { conversionsOfEntities, localDay, startOfDay } from './held-touches-sql.ts';

/**
 * The touchpoints of open conversions that the sums of kept days count already. A touchpoint counts on the first day of
 * the range, or of the interval, on which a conversion has it in its journey: if a summed conversion of that day has it,
 * it is in the sums.
 *
 * Among the conversions of one goal, if any has a touchpoint, the next one has it, because its window opens first. So the
 * touchpoints and the conversions of an entity are one list, in the order of time, and windows over the goal give
 * each touchpoint the next conversion and the next summed one. This costs touchpoints + conversions.
 *
 * Needs: the steps `goal_settings`, `converted`, `ranked`, `kept_days`, and `added (id)`, the conversions of these days that
 * are not summed. Gives: the step `summed_touches (touchpoint_id, interval)`, the interval an empty text without one, and
 * others.
 */
export function summedTouches(question: CreditQuestion): SQL {
  const { workspace_id, scope } = question;
  const day = localDay(question, sql`c.occurred_at`);
  const conditions = [
    isUnretracted(workspace_id),
    countsAtAll(workspace_id, scope),
    ...conversionConditions(question, sql`c.`),
  ];
  const opens = startOfInterval(question, intervalOf(question, sql`c.occurred_at`));
  return sql`
    near_entities as materialized (
      select ${entityIds(scope)}, c.entity, min(greatest(c.opens_at, ${opens})) as from_at,
        max(${startOfDay(question, sql`${day} + 1`)}) - interval '1 millisecond' as to_at
      from converted c
      where not c.retracted
      group by 1, 2, 3
    ), near_conversions as materialized (
      select *
      from (
        select *, bool_or(is_summed) over (partition by entity) as has_summed
        from (
          select c.entity, c.goal, c.occurred_at, coalesce(c.touchpoint_id, '') as recorded,
            ${day} in (select day from kept_days) and c.id not in (select id from added) as is_summed
          from (${conversionsOfEntities(question, sql`near_entities`)}
            offset 0
          ) c
          join goal_settings g on g.key = c.goal
          where ${sql.join(conditions, sql` and `)}
        ) c
      ) c
      where has_summed
    ), near_touches as materialized (
      select entity, touchpoint_id, coalesce(interval, '') as interval, occurred_at,
        greatest(occurred_at, ${startOfInterval(question, sql`interval`)}) as from_at
      from (
        select *, entity in (select entity from near_conversions) as is_near
        from ranked
        offset 0
      ) ranked
      where is_near
    ), near_listed as (
      select t.entity, g.key as goal, t.from_at as at, t.touchpoint_id, t.interval, t.occurred_at, g.lookback,
        null as recorded, false as is_summed
      from near_touches t
      cross join goal_settings g
      union all
      select entity, goal, occurred_at, null, null, null, null, recorded, is_summed
      from near_conversions
    ), summed_touches as materialized (
      select touchpoint_id, interval
      from (
        select touchpoint_id, interval, ${nextOf('any')} as first_at, ${nextOf('summed')} as summed_at
        from (
          select *, ${conversionsOf('any', sql`recorded is not null`)}, ${conversionsOf('summed', sql`is_summed`)}
          from near_listed
          window later as (partition by entity, goal order by at desc groups between unbounded preceding and 1 preceding),
            instant as (partition by entity, goal, at)
        ) placed
        where touchpoint_id is not null
      ) next
      group by touchpoint_id, interval
      having ${localDay(question, sql`min(first_at)`)} = ${localDay(question, sql`min(summed_at)`)}
    )`;
}

/** The first instant of an interval in the range. Needs: `interval`, as `intervalOf`. Gives: a timestamptz expression. */
function startOfInterval(question: CreditQuestion, interval: SQL): SQL {
  const from = sql`${question.from}::timestamptz`;
  return question.interval === null
    ? from
    : sql`greatest(${from}, ${startOfDay(question, sql`(${interval})::date`)})`;
}

/** A touchpoint of `ranked` that no sum counts. Needs: the step `summed_touches`. Gives: a condition. */
export const isUnsummed: SQL = sql`(touchpoint_id, coalesce(interval, '')) not in (select touchpoint_id, interval from summed_touches)`;

/**
 * Needs: the windows `later` and `instant` of `near_listed`, and `which`, a condition on its rows. Gives: the columns of
 * `nextOf`: the next conversion after the row; and the least and the greatest touchpoint that recorded a conversion at the row's
 * instant, an empty text for none. That touchpoint is not in the journey which ends there.
 */
function conversionsOf(name: string, which: SQL): SQL {
  const { next, least, greatest } = columnsOf(name);
  return sql`min(at) filter (where ${which}) over later as ${next},
            min(recorded) filter (where ${which}) over instant as ${least},
            max(recorded) filter (where ${which}) over instant as ${greatest}`;
}

/** The first conversion that has the touchpoint in its journey. Needs: a row of `placed`. Gives: an expression, null for none. */
function nextOf(name: string): SQL {
  const { next, least, greatest } = columnsOf(name);
  const first = sql`case when ${least} <> touchpoint_id or ${greatest} <> touchpoint_id then at else ${next} end`;
  return sql`case when ${first} - lookback <= occurred_at then ${first} end`;
}

const columnsOf = (name: string) => ({
  next: sql.identifier(`${name}_next`),
  least: sql.identifier(`${name}_least`),
  greatest: sql.identifier(`${name}_greatest`),
});
