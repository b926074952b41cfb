import { type SQL, sql } from 'drizzle-orm';
import {
  dimensionsOf,
  EVENT_ORDER,
  EVENT_ORDER_DESC,
  eventsThatFit,
  fitsConversion,
  fitsTouchpoint,
  inRange,
  lanedEvents,
  numberedEvents,
  windowOf,
} from './funnel-events-sql.ts';
import type { FunnelExclusion, FunnelQuestion } from './funnel-question.ts';

/**
 * An ordered funnel, step by step over all entities at once.
 *
 * Forward: an event that fits step k is reached if an event reached at step k − 1 lies before it, and what counts of
 * all the chains that lead there is the latest start, because it leaves most of the window: a running maximum over
 * both sets in the order of events. Each step reads the entities that came so far, and nobody else.
 *
 * Backward, from the last step that the entity came to: how early a chain can be done from here, a running minimum. An
 * event is on the way if that fits into the window. So the chain of the entity is read off forward, the earliest event
 * on the way at each step; a step can be reached too early to go on, where an exclusion lies after it.
 *
 * An exclusion cuts the order into gaps: one step leads to the next only within a gap. All of it is linear in the
 * events but for the sorting, however many of them one entity has.
 */

const step = (k: number) => sql.identifier(`step_${k}`);
const way = (k: number) => sql.identifier(`way_${k}`);
const merged = (k: number) => sql.identifier(`merged_${k}`);
const chain = (k: number) => sql.identifier(`chain_${k}`);

/** `people` without `hold` reads each step from its table; the rest reads events that are numbered, in lanes. */
function isDirect({ count, hold }: FunnelQuestion): boolean {
  return count === 'people' && hold.length === 0;
}

/** Exclusions that apply between the step before `k` and `k`. */
function exclusionsBefore({ exclude }: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclude.filter(({ after_step, before_step }) => (after_step ?? 1) < k && k <= (before_step ?? k));
}

/** Those among them that an event of the chain at the step before `k` would break as well, lying inside. */
function exclusionsAround(question: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclusionsBefore(question, k).filter(({ after_step }) => (after_step ?? 1) < k - 1);
}

const KEYS = sql`entity, lane`;
const COLUMNS = sql`entity, lane, at, is_conversion, id, pos, dimensions, barred`;

/** CTEs that end in `reached`, `chained` and `completed`. */
export function orderedFunnel(question: FunnelQuestion): SQL {
  const ks = question.steps.map((_, i) => i + 1);
  const source = isDirect(question) ? [] : [numberedEvents(question), lanedEvents(question)];
  const parts = [
    ...source,
    ...ks.map((k) => (k === 1 ? firstStep(question) : laterStep(question, k))),
    reached(ks),
    ...ks.toReversed().map((k) => onTheWay(question, k)),
    ...ks.map((k) => chosen(question, k)),
    chained(ks),
    ...(question.count === 'completions' ? [completed(ks)] : []),
  ];
  return sql.join(parts, sql`, `);
}

/** The events that fit the filter at step `k`, with the columns of a step. */
function stepEvents(question: FunnelQuestion, k: number): SQL {
  const filter = question.steps[k - 1];
  if (!filter) throw new Error('no such step');
  const narrowed = (entity: SQL) =>
    k === 1 ? sql`true` : sql`${entity} in (select entity from ${step(k - 1)})`;
  const around = exclusionsAround(question, k + 1);
  if (!isDirect(question)) {
    return sql`
      select entity, lane, at, is_conversion, id, pos, dimensions,
        excluded & ${bitsOf(question, around)}::int <> 0 as barred
      from laned
      where steps & ${2 ** (k - 1)}::int <> 0 and ${narrowed(sql`entity`)}`;
  }
  const { breakdown } = question;
  const isGrouped = breakdown?.at_step === k;
  const columns = [
    { name: sql`pos`, ofTouchpoint: sql`null::int`, ofConversion: sql`null::int` },
    {
      name: sql`dimensions`,
      ofTouchpoint: isGrouped ? dimensionsOf(breakdown.by) : sql`null::text[]`,
      ofConversion: sql`null::text[]`,
    },
    {
      name: sql`barred`,
      ofTouchpoint: anyOf(around.map(fitsTouchpoint)),
      ofConversion: anyOf(around.map(fitsConversion)),
    },
  ];
  return sql`
    select entity, ''::text as lane, at, is_conversion, id, pos, dimensions, barred
    from (${eventsThatFit(question, filter, columns, narrowed)}) fits`;
}

/** One of the conditions holds. */
function anyOf(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`false` : sql`(${sql.join([...conditions], sql` or `)}) is true`;
}

function firstStep(question: FunnelQuestion): SQL {
  const starts = sql`
      select ${COLUMNS}, 0::bigint as gap_before, at as start_at, pos as start_pos
      from (${stepEvents(question, 1)}) fits
      where ${inRange(question)}`;
  if (question.entry === 'any') return sql`${step(1)} as materialized (${starts})`;
  return sql`${step(1)} as materialized (
      select ${COLUMNS}, gap_before, start_at, start_pos
      from (select *, rank() over (partition by entity order by ${EVENT_ORDER}) as place from (${starts}) starts) placed
      where place = 1
    )`;
}

/** At one event: the step's own row first, then an exclusion, then what leads on: an event never precedes itself. */
const FITS = sql`0`;
const EXCLUDED = sql`1`;
const LEADS = sql`2`;

/**
 * `merged_k`: the events of the step before and those that fit step `k`, each with its gap; then `step_k`, those that
 * are reached, with the latest start.
 */
function laterStep(question: FunnelQuestion, k: number): SQL {
  const exclusions = exclusionsBefore(question, k);
  const rows = sql`
          select ${COLUMNS}, gap_before, start_at, start_pos, ${LEADS} as role
          from ${step(k - 1)}
          union all
          select ${COLUMNS}, 0, null, null, ${FITS}
          from (${stepEvents(question, k)}) fits`;
  const gapped =
    exclusions.length === 0 ? sql`(select *, 0::bigint as gap from (${rows}) rows)` : sql`${merged(k)}`;
  const latest = (column: SQL) =>
    sql`max(case when role = ${LEADS} and not barred then ${column} end) over earlier`;
  return sql`${exclusions.length === 0 ? sql`` : mergedRows(question, k, rows)}${step(k)} as materialized (
      select ${COLUMNS}, gap as gap_before, latest_at as start_at, latest_pos as start_pos
      from (
        select *, ${latest(sql`start_at`)} as latest_at, ${latest(sql`start_pos`)} as latest_pos
        from ${gapped} merged
        window earlier as (partition by ${KEYS}, gap order by ${EVENT_ORDER}, role rows unbounded preceding)
      ) placed
      where role = ${FITS} and at <= latest_at + ${windowOf(question)}
    )`;
}

function mergedRows(question: FunnelQuestion, k: number, rows: SQL): SQL {
  return sql`${merged(k)} as materialized (
      select *
      from (
        select *, count(*) filter (where role = ${EXCLUDED}) over (
          partition by ${KEYS} order by ${EVENT_ORDER}, role rows unbounded preceding
        ) as gap
        from (${rows}
          union all
          ${excludedEvents(question, k)}
        ) rows
      ) gapped
      where role <> ${EXCLUDED}
    ), `;
}

function excludedEvents(question: FunnelQuestion, k: number): SQL {
  const exclusions = exclusionsBefore(question, k);
  const narrowed = (entity: SQL) => sql`${entity} in (select entity from ${step(k - 1)})`;
  const rest = sql`null::int, null::text[], false, 0, null::timestamptz, null::int, ${EXCLUDED}`;
  if (!isDirect(question)) {
    return sql`
          select entity, lane, at, is_conversion, id, ${rest}
          from laned
          where excluded & ${bitsOf(question, exclusions)}::int <> 0 and ${narrowed(sql`entity`)}`;
  }
  const each = exclusions.map(
    (filter) => sql`
          select entity, ''::text, at, is_conversion, id, ${rest}
          from (${eventsThatFit(question, filter, [], narrowed)}) fits`,
  );
  return sql.join(each, sql` union all `);
}

function bitsOf({ exclude }: FunnelQuestion, exclusions: readonly FunnelExclusion[]): number {
  return exclusions.reduce((sum, one) => sum + 2 ** exclude.indexOf(one), 0);
}

/** `reached (entity, level)`. */
function reached(ks: readonly number[]): SQL {
  const each = ks.map((k) => sql`select entity, ${k}::int as level from ${step(k)}`);
  return sql`reached as materialized (
      select entity, max(level) as level
      from (${sql.join(each, sql` union all `)}) came
      group by entity
    )`;
}

/**
 * `way_k`: events of step `k` from which a chain to the entity's last step can be done, by `finish_at` at the earliest;
 * for who got no further than `k`, the events themselves.
 */
function onTheWay(question: FunnelQuestion, k: number): SQL {
  const columns = sql`${COLUMNS}, gap_before, start_at`;
  const ended = sql`
      select ${columns}, null::bigint as gap_after, at as finish_at
      from ${step(k)}`;
  if (k === question.steps.length) return sql`${way(k)} as materialized (${ended})`;
  const hasGaps = exclusionsBefore(question, k + 1).length > 0;
  const asking = hasGaps
    ? sql`select ${columns}, gap from ${merged(k + 1)} where role = ${LEADS} and not barred`
    : sql`select ${columns}, 0::bigint as gap from ${step(k)} where not barred and entity in (select entity from ${step(k + 1)})`;
  const before = hasGaps ? sql`gap_before` : sql`0`;
  return sql`${way(k)} as materialized (
      select ${columns}, gap as gap_after, earliest_at as finish_at
      from (
        select *, min(finish_at) over (
          partition by ${KEYS}, gap order by ${EVENT_ORDER_DESC}, role desc rows unbounded preceding
        ) as earliest_at
        from (
          select *, ${LEADS} as role, null::timestamptz as finish_at from (${asking}) asking
          union all
          select ${columns}, ${before}, ${FITS}, finish_at from ${way(k + 1)}
        ) merged
      ) placed
      where role = ${LEADS} and earliest_at <= start_at + ${windowOf(question)}
      union all
      ${ended}
      where entity not in (select entity from ${step(k + 1)})${isWanted(question, k) ? sql`` : sql` and false`}
    )`;
}

/** Whether the event of who came to step 1 alone tells anything: its value, or its group. */
function isWanted({ steps, breakdown }: FunnelQuestion, k: number): boolean {
  return k > 1 || breakdown?.at_step === 1 || (steps[0] !== undefined && 'conversion' in steps[0]);
}

/** `chain_k`: the entity's event at step `k`, the earliest on the way; with several lanes, once for each. */
function chosen(question: FunnelQuestion, k: number): SQL {
  const columns = sql`w.entity, w.lane, w.at, w.is_conversion, w.id, w.dimensions, w.gap_after`;
  const rows =
    k === 1
      ? sql`
        select ${columns}, w.at as start_at, null::timestamptz as previous_at, w.at + ${windowOf(question)} as limit_at
        from ${way(1)} w`
      : sql`
        select ${columns}, c.start_at, c.at as previous_at, c.limit_at
        from ${chain(k - 1)} c
        join ${way(k)} w on w.entity = c.entity and w.lane = c.lane
        where (w.at, w.is_conversion, w.id) > (c.at, c.is_conversion, c.id)
          and w.finish_at <= c.limit_at
          ${exclusionsBefore(question, k).length > 0 ? sql`and w.gap_before = c.gap_after` : sql``}`;
  return sql`${chain(k)} as materialized (
      select *
      from (select *, rank() over (partition by entity order by ${EVENT_ORDER}) as place from (${rows}) open) placed
      where place = 1
    )`;
}

/** `chained (entity, step, at, is_conversion, id, dimensions, start_at, previous_at)`, a row for each step. */
function chained(ks: readonly number[]): SQL {
  const each = ks.map(
    (k) => sql`
      select distinct entity, ${k}::int as step, at, is_conversion, id, dimensions, start_at, previous_at
      from ${chain(k)}`,
  );
  return sql`chained as materialized (${sql.join(each, sql` union all `)}
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
