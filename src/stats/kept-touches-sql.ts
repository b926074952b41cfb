import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { conversionConditions } from './conversions-in-range-sql.ts';
import { type CreditQuestion, intervalOf, intervalOfConversion } from './credit-question.ts';
import { localDay, startOfDay } from './held-touches-sql.ts';
import { countsAtAll, touchesOfJourneys } from './journey-sql.ts';
import { isUnretracted } from './net-conversion-sql.ts';

/**
 * The touchpoints of open conversions that the sums of kept days count already. A touchpoint counts on the first day of
 * the range, or of the interval, on which a conversion has it in its journey: if a summed conversion of that day has it,
 * it is in the sums. Each look-up ends at the first conversion that fits, so its cost does not depend on their number.
 *
 * Needs: the steps `kept_days`, `added (id)`, the conversions of these days that are not summed, and `converted`. Gives: the steps `near_kept` and `summed_touches (touchpoint_id,
 * interval)`, the interval an empty text without one.
 */
export function summedTouches(question: CreditQuestion): SQL {
  const { from, interval } = question;
  const day = localDay(question, sql`c.occurred_at`);
  const endOfDay = sql`${startOfDay(question, sql`${day} + 1`)} - interval '1 millisecond'`;
  const start =
    interval === null
      ? sql`${from}::timestamptz`
      : sql`greatest(${from}::timestamptz, ${startOfDay(question, sql`${intervalOf(question, sql`c.occurred_at`)}::date`)})`;
  const columns = sql`${intervalOfConversion(question)} as interval, c.person_id, c.account_id,
        ${start} as starts_at, ${endOfDay} as to_at`;
  const summed = sql`${localDay(question, sql`c.occurred_at`)} in (select day from kept_days)
            and c.id not in (select id from added)`;
  return sql`
    near_kept as materialized (
      select *
      from (
        select o.*, ${firstDay(question, summed)} as summed_day
        from (
          select c.*, greatest(c.opens_at, ${start}) as from_at, ${endOfDay} as to_at, c.occurred_at as touched_at,
            '' as except_id
          from converted c
          where (select exists (select from kept_days)) and not c.retracted
          offset 0
        ) o
        offset 0
      ) o
      where summed_day is not null
    ), summed_touches as materialized (
      select touchpoint_id, coalesce(interval, '') as interval
      from (
        select o.touchpoint_id, o.interval, ${firstDay(question, sql`true`)} as first_day,
          ${firstDay(question, summed)} as summed_day
        from (
          select t.touchpoint_id, t.interval, t.person_id, t.account_id, t.occurred_at as touched_at,
            greatest(t.occurred_at, t.starts_at) as from_at, t.to_at, t.touchpoint_id as except_id
          from (${touchesOfJourneys(question, sql`near_kept`, columns)}) t
          offset 0
        ) o
        offset 0
      ) o
      where summed_day = first_day
    )`;
}

/** A touchpoint of `ranked` that no sum counts. Needs: the step `summed_touches`. Gives: a condition. */
export const isUnsummed: SQL = sql`(touchpoint_id, coalesce(interval, '')) not in (select touchpoint_id, interval from summed_touches)`;

/**
 * The local day of the first conversion that counts and has a touchpoint in its journey, among those of an entity between
 * two instants, both included.
 *
 * Needs: the step `goal_settings`; `o (person_id, account_id, touched_at, from_at, to_at,
 * except_id)`, the last one the touchpoint, or an empty text; and `which`, a
 * further condition on `c`, the conversion. Gives: a date expression, null for none.
 */
function firstDay(question: CreditQuestion, which: SQL): SQL {
  const { workspace_id, scope } = question;
  const entities =
    scope === 'person'
      ? [{ name: sql`person_id`, applies: sql`true` }]
      : [
          { name: sql`account_id`, applies: sql`o.account_id is not null` },
          { name: sql`person_id`, applies: sql`o.account_id is null` },
        ];
  const conditions = sql.join(
    [
      isUnretracted(workspace_id),
      countsAtAll(workspace_id, scope),
      ...conversionConditions(question, sql`c.`),
      which,
    ],
    sql` and `,
  );
  const first = entities.map(
    ({ name, applies }) => sql`
          select min(c.day)
          from goal_settings g
          cross join lateral (
            select ${localDay(question, sql`c.occurred_at`)} as day
            from conversions c
            where c.workspace_id = ${tenant(workspace_id)} and c.${name} = o.${name}
              and (c.${name}, c.goal, c.occurred_at) >= (o.${name}, g.key, o.from_at)
              and (c.${name}, c.goal, c.occurred_at) <= (o.${name}, g.key, o.to_at)
              and c.occurred_at - g.lookback <= o.touched_at and c.touchpoint_id is distinct from o.except_id
              and ${conditions}
            order by c.occurred_at
            limit 1
          ) c
          where ${applies}`,
  );
  return first.length === 1
    ? sql`(${first[0]})`
    : sql`coalesce(${sql.join(
        first.map((one) => sql`(${one})`),
        sql`, `,
      )})`;
}
