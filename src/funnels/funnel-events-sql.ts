import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { dayOf, exchangeRates, fxRateOf } from '../stats/fx-sql.ts';
import { countsAtAll } from '../stats/journey-sql.ts';
import { joinNetAdjustments } from '../stats/net-conversion-sql.ts';
import { DIMENSION_COLUMNS, whereConditions } from '../stats/where-sql.ts';
import type { FunnelFilter, FunnelQuestion } from './funnel-question.ts';

/*
 * Events of a funnel have the columns `entity, at, is_conversion, id` and the total order (at, is_conversion,
 * id). `entity` is the id of a person; with `scope=account` the id of an account, or of a person without one.
 */

/** The columns that identify and order the events of one entity. */
export const EVENT_ORDER = sql`at, is_conversion, id`;
export const EVENT_ORDER_DESC = sql`at desc, is_conversion desc, id desc`;

/** The window. Needs: no alias. Gives: an interval expression. */
export function windowOf({ window_seconds }: FunnelQuestion): SQL {
  return sql`make_interval(secs => ${window_seconds}::float8)`;
}

/** The entity of a row. Needs: `row`, the alias of a touchpoint or a conversion. Gives: an expression. */
function entityOf({ scope }: FunnelQuestion, row: SQL): SQL {
  return scope === 'person'
    ? sql`${row}.person_id`
    : sql`coalesce(${row}.account_id, ${row}.person_id::text)`;
}

/** The touchpoint matches the filter. Needs: `t`, a touchpoint. Gives: a condition. */
export function fitsTouchpoint(filter: FunnelFilter): SQL {
  return 'touchpoint' in filter ? sql.join(whereConditions(filter.touchpoint), sql` and `) : sql`false`;
}

/** The conversion matches the filter. Needs: `c`, a row of `sold`. Gives: a condition. */
export function fitsConversion(filter: FunnelFilter): SQL {
  return 'conversion' in filter
    ? sql`c.goal = any(${sql.param(filter.conversion.goal)}::text[])`
    : sql`false`;
}

/**
 * The event may be in a chain: it lies in the range, or at most a window after its end.
 *
 * Needs: `at`, a timestamptz expression. Gives: a condition.
 */
function inReach(question: FunnelQuestion, at: SQL): SQL {
  return sql`${at} >= ${question.from}::timestamptz and ${at} <= ${question.to}::timestamptz + ${windowOf(question)}`;
}

/** A chain may start at the event. Needs: the column `at`. Gives: a condition. */
export function inRange({ from, to }: FunnelQuestion): SQL {
  return sql`at >= ${from}::timestamptz and at < ${to}::timestamptz`;
}

/** The goals that steps and exclusions name, without repeats. */
export function goalsOf({ steps, exclude }: FunnelQuestion): string[] {
  const filters: readonly FunnelFilter[] = [...steps, ...exclude];
  return [...new Set(filters.flatMap((filter) => ('conversion' in filter ? filter.conversion.goal : [])))];
}

/**
 * The conversions that a chain may contain, or that may lie between its steps: in `strict`, those of every
 * goal. `net` is in the currency of the report, null without a value or an exchange rate.
 *
 * Needs: no step. Gives: the steps `selling`, `fx` and `sold (entity, at, id, goal, net, lacks_rate)`.
 */
export function soldConversions(question: FunnelQuestion): SQL {
  const { workspace_id, scope, order } = question;
  const goals = order === 'strict' ? sql`true` : sql`c.goal = any(${sql.param(goalsOf(question))}::text[])`;
  return sql`selling as materialized (
    select ${entityOf(question, sql`c`)} as entity, c.occurred_at as at, c.id, c.goal,
      coalesce(n.restated_value, c.value) as value, c.currency, ${dayOf(question, sql`c.occurred_at`)} as day
    from conversions c
    join goals g on g.workspace_id = ${tenant(workspace_id)} and g.key = c.goal
    ${joinNetAdjustments(workspace_id)}
    where c.workspace_id = ${tenant(workspace_id)}
      and ${goals}
      and ${inReach(question, sql`c.occurred_at`)}
      and n.retracted is not true
      and ${countsAtAll(workspace_id, scope)}
  ), ${exchangeRates(question, sql`select currency, day from selling`)},
  sold as materialized (
    select entity, at, id, goal, value * rate as net, value is not null and rate is null as lacks_rate
    from (select *, ${fxRateOf(question, sql`currency`, sql`day`)} as rate from selling) priced
  )`;
}

/**
 * The dimensions of a touchpoint that a breakdown groups by.
 *
 * Needs: `t`, a touchpoint. Gives: an expression of type text[].
 */
export function dimensionsOf(by: readonly Dimension[]): SQL {
  return sql`array[${sql.join(
    by.map((dimension) => DIMENSION_COLUMNS[dimension]),
    sql`, `,
  )}]::text[]`;
}

/**
 * The dimensions of a conversion: it has none, so each is null.
 *
 * Needs: no alias. Gives: an expression of type text[].
 */
function noDimensions({ breakdown }: FunnelQuestion): SQL {
  return breakdown ? sql`array_fill(null::text, array[${breakdown.by.length}::int])` : sql`null::text[]`;
}

/**
 * The values that a touchpoint holds, as one text; null if one of them is null.
 *
 * Needs: `t`, a touchpoint. Gives: a text expression.
 */
function heldBy(hold: readonly Dimension[]): SQL {
  const [only, ...others] = hold;
  if (!only) return sql`null::text`;
  if (others.length === 0) return DIMENSION_COLUMNS[only];
  const columns = sql.join(
    hold.map((dimension) => DIMENSION_COLUMNS[dimension]),
    sql`, `,
  );
  return sql`case when num_nulls(${columns}) = 0 then array[${columns}]::text end`;
}

/**
 * The events that match one filter.
 *
 * Needs: the step `sold`, if the filter matches conversions. Gives: a select of `entity, at,
 * is_conversion, id` and `columns`.
 * @param columns each with an expression over the touchpoint `t`, and one for conversions
 * @param narrowed a further condition on the entity, through which a planner can go from
 * entities to their rows
 */
export function eventsThatFit(
  question: FunnelQuestion,
  filter: FunnelFilter,
  columns: readonly { name: SQL; ofTouchpoint: SQL; ofConversion: SQL }[],
  narrowed: (entity: SQL) => SQL,
): SQL {
  if ('conversion' in filter) {
    const more = columns.map(({ name, ofConversion }) => sql`, ${ofConversion} as ${name}`);
    return sql`
      select c.entity, c.at, true as is_conversion, c.id${sql.join(more)}
      from sold c
      where ${fitsConversion(filter)} and ${narrowed(sql`c.entity`)}`;
  }
  const entity = entityOf(question, sql`t`);
  const more = columns.map(({ name, ofTouchpoint }) => sql`, ${ofTouchpoint} as ${name}`);
  return sql`
    select ${entity} as entity, t.occurred_at as at, false as is_conversion, t.id${sql.join(more)}
    from touchpoints t
    where t.workspace_id = ${tenant(question.workspace_id)}
      and t.voided_at is null
      and ${fitsTouchpoint(filter)}
      and ${inReach(question, sql`t.occurred_at`)}
      and ${narrowed(entity)}`;
}

/**
 * The filters that a row matches, as bits: the first is 1, the second 2, the third 4.
 *
 * Needs: `fits`, which gives a condition per filter, and its alias. Gives: an integer expression.
 */
function bitsOf(filters: readonly FunnelFilter[], fits: (filter: FunnelFilter) => SQL): SQL {
  if (filters.length === 0) return sql`0`;
  return sql.join(
    filters.map((filter, i) => sql`((${fits(filter)}) is true)::int * ${2 ** i}::int`),
    sql` + `,
  );
}

/**
 * Every event that a step or an exclusion may match, numbered by `pos` in the order of its
 * entity; in `strict`, every event of the entities that have a start. `steps` and `excluded`
 * are the filters that the event matches, as bits. With `hold`, touchpoints of one `lane` may be in one chain: those
 * that hold the same. One that holds nothing has a lane of its own. Conversions have no lane, they go with all.
 *
 * Needs: the step `sold`. Gives: the steps `starters` (in `strict`) and `events (entity, at, is_conversion,
 * id, steps, excluded, held, dimensions, pos)`, with `hold` also `lane`.
 */
export function numberedEvents(question: FunnelQuestion): SQL {
  const { workspace_id, steps, exclude, order, hold, breakdown } = question;
  const [first] = steps;
  const entity = entityOf(question, sql`t`);
  const relevant =
    order === 'strict'
      ? sql`${entity} in (select entity from starters)`
      : sql`(${sql.join(
          [...steps, ...exclude].map((filter) => sql`(${fitsTouchpoint(filter)})`),
          sql` or `,
        )})`;
  const starters =
    order === 'strict' && first
      ? sql`starters as materialized (
      select entity from (${eventsThatFit(question, first, [], () => sql`true`)}) e where ${inRange(question)} group by entity
    ), `
      : sql``;
  const lane =
    hold.length > 0 && order !== 'strict'
      ? sql`,
        case when steps <> 0 and not is_conversion then coalesce('=' || held, '#' || id) collate "C" end as lane`
      : sql``;
  return sql`${starters}events as materialized (
      select *, (row_number() over (partition by entity order by ${EVENT_ORDER}))::int as pos${lane}
      from (
        select ${entity} as entity, t.occurred_at as at, false as is_conversion, t.id,
          ${bitsOf(steps, fitsTouchpoint)} as steps, ${bitsOf(exclude, fitsTouchpoint)} as excluded,
          ${heldBy(hold)} as held, ${breakdown ? dimensionsOf(breakdown.by) : sql`null::text[]`} as dimensions
        from touchpoints t
        where t.workspace_id = ${tenant(workspace_id)}
          and t.voided_at is null
          and ${inReach(question, sql`t.occurred_at`)}
          and ${relevant}
        union all
        select c.entity, c.at, true, c.id, ${bitsOf(steps, fitsConversion)}, ${bitsOf(exclude, fitsConversion)}, null,
          ${noDimensions(question)}
        from sold c
        ${order === 'strict' ? sql`where c.entity in (select entity from starters)` : sql``}
      ) happened
    )`;
}

/**
 * The chains, one row per entity and step.
 *
 * Needs: the step `events`; `places`, a select of `entity, step, pos`. Gives: the step `chained (entity, step, at,
 * is_conversion, id, dimensions, start_at, previous_at)`.
 */
export function chainedAt(places: SQL): SQL {
  return sql`chained as materialized (
      select c.entity, c.step, e.at, e.is_conversion, e.id, e.dimensions,
        min(e.at) over (partition by c.entity) as start_at,
        lag(e.at) over (partition by c.entity order by c.step) as previous_at
      from (${places}) c
      join events e on e.entity = c.entity and e.pos = c.pos
    )`;
}
