import { type SQL, sql } from 'drizzle-orm';
import { EVENT_ORDER } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import { fittingRows, reachedColumns, rowNames, sizeOf, step, whoCame } from './step-rows-sql.ts';

/**
 * An entity with at least this number of events at one step is busy. A join looks at every pair of an event
 * and one at the previous step. For few pairs that is less work than sorting both sets, and for many pairs
 * far more. The two are about equal at sixteen events of each.
 */
const BUSY = 16;

/**
 * If busy entities have more than this share of the events, all entities count as busy, so that
 * events are read once.
 */
const MOSTLY_BUSY = 1 / 4;

/**
 * The entity is busy. Needs: `events`, an expression of its number of events at a step. Gives: a condition.
 */
export function isBusy(events: SQL): SQL {
  return sql`${events} >= ${BUSY}::int`;
}

/**
 * The events that match step `k` and are reached, without exclusions and `hold`: an event is
 * reached if an event reached at the previous step precedes it, and the latest start among all
 * of these counts. For entities that are not busy this is a join; for busy ones it is a running
 * maximum over both steps in event order.
 *
 * Needs: the steps `step_(k−1)`, `who_(k−1)` and `size_(k−1)`, and those that `fittingRows` reads. Gives: the
 * steps `busy_(k−1) (entity)` and `step_k`, with the columns of `reachedColumns`.
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
