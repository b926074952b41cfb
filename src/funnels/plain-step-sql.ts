import { type SQL, sql } from 'drizzle-orm';
import { EVENT_ORDER } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import { fittingRows, reachedColumns, rowNames, sizeOf, step, whoCame } from './step-rows-sql.ts';

/**
 * From how many events at one step on an entity is busy. A join looks at every pair of an event and one at the step
 * before, which for few pairs is less work than to sort both, and for many far more: about as much where an entity has
 * sixteen of each.
 */
const BUSY = 16;

/** Where the busy have this share of the events, everyone is taken for busy, so that events are read once. */
const MOSTLY_BUSY = 1 / 4;

/** Of who has so many events at a step. */
export function isBusy(events: SQL): SQL {
  return sql`${events} >= ${BUSY}::int`;
}

/**
 * `step_k` where nothing is excluded or held: an event that fits is reached if one that was reached at the step before
 * lies before it, and of all that do the latest start counts. For who is not busy that is a join; for who is, a running
 * maximum over both steps in the order of events. Before it, `busy_k (entity)`: those at step `k` − 1 who are.
 */
export function plainStep(question: FunnelQuestion, k: number): SQL {
  const busy = sql.identifier(`busy_${k - 1}`);
  const isOfBusy = (entity: SQL) => sql`${entity} in (select entity from ${busy})`;
  const mostly = sql`busy_events > events * ${MOSTLY_BUSY}::float8`;
  const events = sql`select case when ${mostly} then events else busy_events end from ${sizeOf(k - 1)}`;
  return sql`${busy} as materialized (
      select entity
      from ${whoCame(k - 1)}
      where ${isBusy(sql`events`)} or (select ${mostly} from ${sizeOf(k - 1)})
    ), ${step(k)} as materialized (
      select ${rowNames(question)}, max(lead_until_at) as until_at
      from (
        select fits.*, led.until_at as lead_until_at
        from (${fittingRows(question, k)}) fits
        join (select * from ${step(k - 1)} where not ${isOfBusy(sql`entity`)}) led on led.entity = fits.entity
        where (led.at, led.is_conversion, led.id) < (fits.at, fits.is_conversion, fits.id)
          and fits.at <= led.until_at
      ) pairs
      group by ${rowNames(question)}
      union all
      select ${rowNames(question)}, latest_until_at
      from (
        select *, max(until_at) over (
          partition by entity order by ${EVENT_ORDER}, until_at nulls first rows unbounded preceding
        ) as latest_until_at
        from (
          select ${reachedColumns(question)} from ${step(k - 1)} where ${isOfBusy(sql`entity`)}
          union all
          select *, null from (${fittingRows(question, k, { entities: busy, events })}) fits
        ) merged
      ) placed
      where until_at is null and at <= latest_until_at
    )`;
}
