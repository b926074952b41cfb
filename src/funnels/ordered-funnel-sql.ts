import { type SQL, sql } from 'drizzle-orm';
import { chainOfEach } from './funnel-chain-sql.ts';
import { EVENT_ORDER, inRange, numberedEvents, windowOf } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import { isBusy, plainStep } from './plain-step-sql.ts';
import {
  EXCLUDED,
  excludedRows,
  exclusionsBefore,
  FITS,
  fittingRows,
  hasExclusions,
  isDirect,
  isPlain,
  LEADS,
  merged,
  orderOf,
  reachedColumns,
  rowColumns,
  sizeOf,
  step,
  whoCame,
} from './step-rows-sql.ts';

/**
 * The steps of an ordered funnel, one step of the funnel after the other, over all entities at once.
 *
 * The statement runs forward. An event that matches step k is reached if an event reached at step k − 1
 * precedes it. The latest start counts among all chains that lead to it, because it leaves most of the
 * window. That is a running maximum over both sets in event order. Each step reads only the entities that
 * reached the previous one.
 *
 * An exclusion cuts the order into gaps: a step leads to the next one only within a gap. Except for sorting,
 * everything is linear in the number of events, however many one entity has.
 *
 * Needs: the step `sold`, if conversions matter. Gives: the steps that `funnelSteps` lists, and others.
 */
export function orderedFunnel(question: FunnelQuestion): SQL {
  const ks = question.steps.map((_, i) => i + 1);
  const parts = [
    ...(isDirect(question) ? [] : [numberedEvents(question)]),
    firstStep(question),
    who(1),
    ...ks.slice(1).flatMap((k) => [...laterStep(question, k), who(k)]),
    reached(ks),
    ...chainOfEach(question),
    ...(question.count === 'completions' ? [completed(ks)] : []),
  ];
  return sql.join(parts, sql`, `);
}

/**
 * The starts of chains.
 *
 * Needs: the steps that `fittingRows` reads. Gives: the step `step_1`, with the columns of `reachedColumns`.
 */
export function firstStep(question: FunnelQuestion): SQL {
  const starts = sql`
      select ${rowColumns(question, { start_pos: sql`pos` })}, at + ${windowOf(question)} as until_at
      from (${fittingRows(question, 1)}) fits
      where ${inRange(question)}`;
  if (question.entry === 'any') return sql`${step(1)} as materialized (${starts})`;
  return sql`${step(1)} as materialized (
      select ${reachedColumns(question)}
      from (select *, rank() over (partition by entity order by ${EVENT_ORDER}) as place from (${starts}) starts) placed
      where place = 1
    )`;
}

/**
 * The events that match step `k` and are reached.
 *
 * Needs: the step `step_(k−1)`, and the steps that `fittingRows` reads. Gives: the step `step_k`, with the
 * columns of `reachedColumns`. If exclusions apply before it, first `merged_k`: these events and those of the
 * previous step, each with its gap.
 */
export function laterStep(question: FunnelQuestion, k: number): SQL[] {
  if (isPlain(question)) return [plainStep(question, k)];
  const rows = sql`
            select ${reachedColumns(question)}
            from ${step(k - 1)}
            union all
            select *, null::timestamptz
            from (${fittingRows(question, k)}) fits`;
  const hasGaps = exclusionsBefore(question, k).length > 0;
  const gapped = sql`${merged(k)} as materialized (
      select *
      from (
        select *, count(*) filter (where role = ${EXCLUDED}) over (
          partition by entity order by ${orderOf(question)}, role rows unbounded preceding
        ) as gap
        from (
          select *, case when until_at is null then ${FITS} else ${LEADS} end as role
          from (${rows}) rows
          union all
          select *, null, ${EXCLUDED} from (${hasGaps ? excludedRows(question, k) : sql``}) excluded
        ) rows
      ) gapped
      where role <> ${EXCLUDED}
    )`;
  // Only rows of the previous step have a window yet. At one event, the row of this step comes first.
  const leading = (column: SQL) =>
    hasExclusions(question) ? sql`case when not barred then ${column} end` : column;
  const latest = (column: SQL) => sql`max(${leading(column)}) over earlier`;
  const reachedHere = sql`${step(k)} as materialized (
      select ${rowColumns(question, { start_pos: sql`latest_pos`, gap_before: hasGaps ? sql`gap` : sql`0::bigint` })},
        latest_until_at as until_at
      from (
        select *, ${latest(sql`until_at`)} as latest_until_at${isDirect(question) ? sql`` : sql`, ${latest(sql`start_pos`)} as latest_pos`}
        from ${hasGaps ? merged(k) : sql`(${rows})`} merged
        window earlier as (
          partition by entity${hasGaps ? sql`, gap` : sql``} order by ${orderOf(question)}, until_at nulls first
          rows unbounded preceding
        )
      ) placed
      where until_at is null and at <= latest_until_at
    )`;
  return hasGaps ? [gapped, reachedHere] : [reachedHere];
}

/**
 * The entities that reached step `k`.
 *
 * Needs: the step `step_k`. Gives: the steps `who_k (entity, events)`, with the number of
 * events reached there, and `size_k (entities, events, busy_events)`, with the number of
 * entities, of their events, and of the events of busy ones.
 */
export function who(k: number): SQL {
  return sql`${whoCame(k)} as materialized (
      select entity, count(*) as events from ${step(k)} group by entity
    ), ${sizeOf(k)} as materialized (
      select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
        coalesce(sum(events) filter (where ${isBusy(sql`events`)}), 0)::int8 as busy_events
      from ${whoCame(k)}
    )`;
}

/**
 * The level of each entity, and the number of entities per step.
 *
 * Needs: the steps `who_k` and `size_k`. Gives: the steps `reached (entity, level)` and `came (step, count)`.
 */
export function reached(ks: readonly number[]): SQL {
  const each = ks.map((k) => sql`select entity, ${k}::int as level from ${whoCame(k)}`);
  const counts = ks.map((k) => sql`select ${k}::int as step, entities as count from ${sizeOf(k)}`);
  return sql`reached as materialized (
      select entity, max(level) as level
      from (${sql.join(each, sql` union all `)}) came
      group by entity
    ), came as materialized (${sql.join(counts, sql` union all `)}
    )`;
}

/**
 * The completions. Each event ends one chain, the one with the latest start, because it overlaps least.
 *
 * Needs: the steps `step_k`. Gives: the step `completed (entity, step, completions)`.
 */
export function completed(ks: readonly number[]): SQL {
  const each = ks.map(
    (k) => sql`
      select entity, ${k}::int as step, max(start_pos) as start_pos, pos
      from ${step(k)}
      group by entity, pos`,
  );
  return sql`completed as materialized (
      select entity, step, count_disjoint(start_pos, pos order by pos) as completions
      from (${sql.join(each, sql` union all `)}) ends
      group by entity, step
    )`;
}
