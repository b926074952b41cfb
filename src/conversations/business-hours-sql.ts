import { type SQL, sql } from 'drizzle-orm';
import { minutesOf, type OpeningHours, WEEKDAYS } from '../domain/business-hours.ts';

/** Business hours with their time zone. */
export interface BusinessCalendar extends OpeningHours {
  timezone: string;
}

const MINUTE_SECONDS = 60;

/**
 * Milliseconds since 1970, by `date_part`: `extract` computes with exact decimals and takes several times as long.
 *
 * Needs: what `at` names. Gives: a bigint expression.
 */
const milliseconds = (at: SQL) => sql`(date_part('epoch', ${at}) * 1000)::bigint`;

/**
 * The calendar of the local days from the first opening to the last response. Arrays by the number of the day hold when
 * a day opens (`opens`), how long it is open (`lengths`) and how long all days before it are open (`before`), in
 * milliseconds. The business time between two instants is the difference of two look-ups, however far apart they are,
 * and days are counted once, not for each conversation. The domain's `businessSeconds` is the definition.
 *
 * Needs: `source`, a step with `opened_at, first_response_at`. Gives: the step `calendar (first_day, opens, lengths,
 * before)`, one row.
 */
export function businessCalendar({ days, holidays, timezone }: BusinessCalendar, source: SQL): SQL {
  const seconds = (edge: 'from' | 'to') =>
    sql`(${sql.param(
      WEEKDAYS.map((day) => {
        const hours = days[day];
        return hours ? minutesOf(hours[edge]) * MINUTE_SECONDS : null;
      }),
    )}::float8[])[extract(isodow from day)::int]`;
  const instant = (edge: 'from' | 'to') =>
    sql`(day + make_interval(secs => ${seconds(edge)})) at time zone ${timezone}`;
  return sql`calendar as materialized (
      select min(day)::date as first_day, array_agg(opens order by day) as opens, array_agg(length order by day) as lengths,
        array_agg(before order by day) as before
      from (
        select *, (sum(length) over (order by day) - length)::bigint as before
        from (
          select day, coalesce(${milliseconds(sql`opens_at`)}, 0) as opens,
            case when opens_at < closes_at then ${milliseconds(sql`closes_at`)} - ${milliseconds(sql`opens_at`)} else 0 end
              as length
          from (
            select day, ${instant('from')} as opens_at,
              case when day::date <> all(${sql.param([...holidays])}::date[]) then ${instant('to')} end as closes_at
            from (
              select generate_series(
                min(opened_at at time zone ${timezone})::date::timestamp,
                max(first_response_at at time zone ${timezone})::date::timestamp,
                interval '1 day'
              ) as day
              from ${source} opened
            ) listed
          ) hours
        ) measured
      ) summed
    )`;
}

/**
 * Business seconds between two instants of the calendar; null if `to` is null.
 *
 * Needs: the step of `businessCalendar`. Gives: a float8 expression.
 */
export function businessSecondsBetween({ timezone }: BusinessCalendar, from: SQL, to: SQL): SQL {
  return sql`case when ${to} is not null then (${position(timezone, to)} - ${position(timezone, from)}) / 1000.0::float8 end`;
}

/**
 * Business time from the first day of the calendar to an instant, in milliseconds.
 *
 * Needs: the step of `businessCalendar`. Gives: a bigint expression.
 */
function position(timezone: string, at: SQL): SQL {
  const day = sql`((${at} at time zone ${timezone})::date - (select first_day from calendar) + 1)`;
  return sql`((select before from calendar)[${day}] + least(
          greatest(${milliseconds(at)} - (select opens from calendar)[${day}], 0), (select lengths from calendar)[${day}]
        ))`;
}
