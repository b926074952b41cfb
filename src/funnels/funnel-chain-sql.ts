import { type Name, type SQL, sql } from 'drizzle-orm';
import { EVENT_ORDER } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import {
  exclusionsBefore,
  FITS,
  hasExclusions,
  isPlain,
  LEADS,
  merged,
  orderBackward,
  reachedColumns,
  step,
  whoCame,
} from './step-rows-sql.ts';

/** The names of the steps `way_k` and `chain_k`. */
export const way = (k: number) => sql.identifier(`way_${k}`);
export const chain = (k: number) => sql.identifier(`chain_${k}`);

/**
 * The one chain of each entity from which value, seconds and groups are taken: as long as the entity got,
 * then with the earliest start, then with the earliest event at each step.
 *
 * In general it is found backward, from the last step that the entity reached, by a running minimum: the
 * earliest time at which a chain can be complete from an event on. An event is on the way if that time is
 * within the window, and the chain consists of the earliest event on the way at each step.
 *
 * Without exclusions and `hold` no backward pass is needed. The chain ends at the first event
 * reached at the last step, because a chain that starts earlier is nowhere later. It starts at
 * the first start that is not too early for that end.
 *
 * Needs: the steps `step_k` and `who_k` for each step k, and `merged_k` for steps with exclusions. Gives: a
 * list of steps that ends with `chained`.
 */
export function chainOfEach(question: FunnelQuestion): SQL[] {
  const ks = question.steps.map((_, i) => i + 1);
  return [
    ...(isPlain(question)
      ? [done(question), plainStart()]
      : [...ks.toReversed().map((k) => onTheWay(question, k)), start(sql`select * from ${way(1)}`)]),
    ...ks.slice(1).map((k) => next(k, isPlain(question) ? step(k) : way(k))),
    chained(question, ks),
  ];
}

/**
 * When the chain of each entity is complete.
 *
 * Needs: the steps `step_k` and `who_k`. Gives: the step `done (entity, done_at)`.
 */
function done(question: FunnelQuestion): SQL {
  const last = question.steps.length;
  const each = question.steps.map((_, i) => {
    const k = i + 1;
    const isLast = k === last ? sql`true` : sql`entity not in (select entity from ${whoCame(k + 1)})`;
    return sql`select entity, min(at) as done_at from ${step(k)} where ${isLast} group by entity`;
  });
  const wanted = isWanted(question, 1) ? each : each.slice(1);
  return sql`done as materialized (${sql.join(wanted, sql` union all `)}
    )`;
}

/**
 * The start of each chain without exclusions and `hold`.
 *
 * Needs: the steps `step_1` and `done`. Gives: the step `chain_1`.
 */
function plainStart(): SQL {
  return start(
    sql`
        select s.*
        from ${step(1)} s
        join done d on d.entity = s.entity
        where s.until_at >= d.done_at`,
  );
}

/**
 * The earliest start of each entity.
 *
 * Needs: `starts`, a select of rows of a step. Gives: the step `chain_1`, with `begun_at` and `previous_at`.
 */
export function start(starts: SQL): SQL {
  const rows = sql`select *, at as begun_at, null::timestamptz as previous_at from (${starts}) starts`;
  return sql`${chain(1)} as materialized (${earliest(rows)}
    )`;
}

/**
 * The event of each entity at step `k`: the earliest of those that lead on. The earliest event is also
 * possible whatever lies in between, so the window does not have to be checked again.
 *
 * Needs: the steps `chain_(k−1)` and `leadingOn`. Gives: the step `chain_k`, with the columns of `chain_1`.
 */
export function next(k: number, leadingOn: Name): SQL {
  return sql`${chain(k)} as materialized (${earliest(
    sql`
        select s.*, c.begun_at, c.at as previous_at
        from ${chain(k - 1)} c
        join ${leadingOn} s on s.entity = c.entity
        where (s.at, s.is_conversion, s.id) > (c.at, c.is_conversion, c.id)`,
  )}
    )`;
}

/**
 * The earliest row of each entity.
 *
 * Needs: `rows`, a select with `entity, at, is_conversion, id`. Gives: a select with the columns of `rows`.
 */
function earliest(rows: SQL): SQL {
  return sql`
      select distinct on (entity) *
      from (${rows}) open
      order by entity, ${EVENT_ORDER}`;
}

/**
 * The events of step `k` from which a chain to the entity's last step is possible, with the earliest time
 * `finish_at` at which it is complete. For entities that got no further than `k`, the events themselves.
 *
 * Needs: the steps `step_k`, `who_(k+1)`, `way_(k+1)`, and with exclusions `merged_(k+1)`.
 * Gives: the step `way_k`.
 */
export function onTheWay(question: FunnelQuestion, k: number): SQL {
  const columns = reachedColumns(question);
  const ended = sql`
      select ${columns}, at as finish_at
      from ${step(k)}`;
  if (k === question.steps.length) return sql`${way(k)} as materialized (${ended})`;
  const goesOn = sql`entity in (select entity from ${whoCame(k + 1)})`;
  const hasGaps = exclusionsBefore(question, k + 1).length > 0;
  const asking = hasGaps
    ? sql`select ${columns}, gap from ${merged(k + 1)} where role = ${LEADS} and not barred`
    : sql`select ${columns}, 0::bigint as gap from ${step(k)} where ${hasExclusions(question) ? sql`not barred and ` : sql``}${goesOn}`;
  const onwards = sql`
      select ${columns}, earliest_at as finish_at
      from (
        select *, min(finish_at) over (
          partition by entity${hasGaps ? sql`, gap` : sql``}
          order by ${orderBackward(question)}, role desc rows unbounded preceding
        ) as earliest_at
        from (
          select *, ${LEADS} as role, null::timestamptz as finish_at from (${asking}) asking
          union all
          select ${columns}, ${hasGaps ? sql`gap_before` : sql`0`}, ${FITS}, finish_at from ${way(k + 1)}
        ) merged
      ) placed
      where role = ${LEADS} and earliest_at <= until_at`;
  if (!isWanted(question, k)) return sql`${way(k)} as materialized (${onwards})`;
  return sql`${way(k)} as materialized (${onwards} union all ${ended} where not ${goesOn})`;
}

/**
 * Whether a chain of this length needs an event at all. An entity that reached only step 1 needs one if the
 * event has a value, or if it decides the group.
 */
export function isWanted({ steps, breakdown }: FunnelQuestion, k: number): boolean {
  return k > 1 || breakdown?.at_step === 1 || (steps[0] !== undefined && 'conversion' in steps[0]);
}

/**
 * The chains, one row per entity and step.
 *
 * Needs: the steps `chain_k`. Gives: the step `chained (entity, step, at, is_conversion, id,
 * dimensions, start_at, previous_at)`.
 */
function chained(question: FunnelQuestion, ks: readonly number[]): SQL {
  const dimensions = question.breakdown ? sql`dimensions` : sql`null::text[] as dimensions`;
  const each = ks.map(
    (k) => sql`
      select entity, ${k}::int as step, at, is_conversion, id, ${dimensions}, begun_at as start_at, previous_at
      from ${chain(k)}`,
  );
  return sql`chained as (${sql.join(each, sql` union all `)}
    )`;
}
