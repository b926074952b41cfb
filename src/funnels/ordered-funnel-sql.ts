import { type SQL, sql } from 'drizzle-orm';
import { chainOfEach } from './funnel-chain-sql.ts';
import { EVENT_ORDER, inRange, lanedEvents, numberedEvents, windowOf } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import { isBusy, plainStep } from './plain-step-sql.ts';
import {
  chainKeys,
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
  reachedColumns,
  rowColumns,
  sizeOf,
  step,
  whoCame,
} from './step-rows-sql.ts';

/**
 * An ordered funnel, step by step over all entities at once; steps that end in `reached`, `chained` and `completed`.
 *
 * Forward: an event that fits step k is reached if an event reached at step k − 1 lies before it, and what counts of
 * all the chains that lead there is the latest start, because it leaves most of the window: a running maximum over
 * both sets in the order of events. Each step reads the entities that came so far, and nobody else.
 *
 * An exclusion cuts the order into gaps: one step leads to the next only within a gap. All of it is linear in the
 * events but for the sorting, however many of them one entity has.
 */
export function orderedFunnel(question: FunnelQuestion): SQL {
  const ks = question.steps.map((_, i) => i + 1);
  const parts = [
    ...(isDirect(question) ? [] : [numberedEvents(question), lanedEvents(question)]),
    firstStep(question),
    who(1),
    ...ks.slice(1).flatMap((k) => [...laterStep(question, k), who(k)]),
    reached(ks),
    ...chainOfEach(question),
    ...(question.count === 'completions' ? [completed(ks)] : []),
  ];
  return sql.join(parts, sql`, `);
}

function firstStep(question: FunnelQuestion): SQL {
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
 * `step_k`: the events that fit step `k` and are reached. With exclusions before it, first `merged_k`: these events
 * and those of the step before, each in its gap.
 */
function laterStep(question: FunnelQuestion, k: number): SQL[] {
  if (isPlain(question)) return [plainStep(question, k)];
  const keys = chainKeys(question);
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
          partition by ${keys} order by ${EVENT_ORDER}, role rows unbounded preceding
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
  // Only what leads on has a window yet. At one event, the step's own row comes first.
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
          partition by ${keys}${hasGaps ? sql`, gap` : sql``} order by ${EVENT_ORDER}, until_at nulls first
          rows unbounded preceding
        )
      ) placed
      where until_at is null and at <= latest_until_at
    )`;
  return hasGaps ? [gapped, reachedHere] : [reachedHere];
}

/**
 * `who_k (entity, events)`: who came to step `k`, and with how many events. `size_k (entities, events, busy_events)`:
 * how many these are, and how many events the busy have.
 */
function who(k: number): SQL {
  return sql`${whoCame(k)} as materialized (
      select entity, count(*) as events from ${step(k)} group by entity
    ), ${sizeOf(k)} as materialized (
      select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
        coalesce(sum(events) filter (where ${isBusy(sql`events`)}), 0)::int8 as busy_events
      from ${whoCame(k)}
    )`;
}

/** `reached (entity, level)`, and `came (step, count)`, how many came to each step. */
function reached(ks: readonly number[]): SQL {
  const each = ks.map((k) => sql`select entity, ${k}::int as level from ${whoCame(k)}`);
  const counts = ks.map((k) => sql`select ${k}::int as step, entities as count from ${sizeOf(k)}`);
  return sql`reached as materialized (
      select entity, max(level) as level
      from (${sql.join(each, sql` union all `)}) came
      group by entity
    ), came as materialized (${sql.join(counts, sql` union all `)}
    )`;
}

/** `completed (entity, step, completions)`. An event ends a chain; the latest start overlaps least. */
function completed(ks: readonly number[]): SQL {
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
