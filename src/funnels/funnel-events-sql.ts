import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { dayOf, exchangeRates, fxRateOf } from '../stats/fx-sql.ts';
import { countsAtAll } from '../stats/journey-sql.ts';
import { joinNetAdjustments } from '../stats/net-conversion-sql.ts';
import { DIMENSION_COLUMNS, whereConditions } from '../stats/where-sql.ts';
import type { FunnelFilter, FunnelQuestion } from './funnel-question.ts';

/*
 * Events of a funnel: `entity, at, is_conversion, id`, in the order (at, is_conversion, id), which is total. `entity`
 * is a person's id, or under the scope of accounts the account's, or the person's who has none.
 */

/** What tells events of one entity apart and puts them in order. */
export const EVENT_ORDER = sql`at, is_conversion, id`;
export const EVENT_ORDER_DESC = sql`at desc, is_conversion desc, id desc`;

export function windowOf({ window_seconds }: FunnelQuestion): SQL {
  return sql`make_interval(secs => ${window_seconds}::float8)`;
}

/** The entity of a row of touchpoints `t` or conversions `c`. */
function entityOf({ scope }: FunnelQuestion, row: SQL): SQL {
  return scope === 'person'
    ? sql`${row}.person_id`
    : sql`coalesce(${row}.account_id, ${row}.person_id::text)`;
}

/** The touchpoint `t` fits. */
export function fitsTouchpoint(filter: FunnelFilter): SQL {
  return 'touchpoint' in filter ? sql.join(whereConditions(filter.touchpoint), sql` and `) : sql`false`;
}

/** The row `c` of `sold` fits. */
export function fitsConversion(filter: FunnelFilter): SQL {
  return 'conversion' in filter
    ? sql`c.goal = any(${sql.param(filter.conversion.goal)}::text[])`
    : sql`false`;
}

/** All that can be in a chain: from the range's begin to its end and a window more. */
function inReach(question: FunnelQuestion, at: SQL): SQL {
  return sql`${at} >= ${question.from}::timestamptz and ${at} <= ${question.to}::timestamptz + ${windowOf(question)}`;
}

/** A chain may start here. */
export function inRange({ from, to }: FunnelQuestion): SQL {
  return sql`at >= ${from}::timestamptz and at < ${to}::timestamptz`;
}

/** Every goal that a step or an exclusion names. */
export function goalsOf({ steps, exclude }: FunnelQuestion): string[] {
  const filters: readonly FunnelFilter[] = [...steps, ...exclude];
  return [...new Set(filters.flatMap((filter) => ('conversion' in filter ? filter.conversion.goal : [])))];
}

/**
 * `sold (entity, at, id, goal, net, lacks_rate)`: the conversions that a chain may have, or that lie between its
 * steps: in `strict`, those of every goal. `net` is in the currency of the report, null where no rate tells. Before it
 * come `selling`, the same as it is stored, and `fx`.
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

/** Columns of a touchpoint that a breakdown groups by, as a list of text. */
export function dimensionsOf(by: readonly Dimension[]): SQL {
  return sql`array[${sql.join(
    by.map((dimension) => DIMENSION_COLUMNS[dimension]),
    sql`, `,
  )}]::text[]`;
}

/** What a conversion has of them: nothing. */
function noDimensions({ breakdown }: FunnelQuestion): SQL {
  return breakdown ? sql`array_fill(null::text, array[${breakdown.by.length}::int])` : sql`null::text[]`;
}

/** What the touchpoint `t` holds: its values, as one text; null if one of them is. */
function heldBy(hold: readonly Dimension[]): SQL {
  if (hold.length === 0) return sql`null::text`;
  const columns = sql.join(
    hold.map((dimension) => DIMENSION_COLUMNS[dimension]),
    sql`, `,
  );
  return sql`case when num_nulls(${columns}) = 0 then array[${columns}]::text end`;
}

/**
 * The events that fit one filter: `entity, at, is_conversion, id` and the columns asked for, each an expression over
 * the touchpoint `t`; of conversions they are null.
 * @param narrowed a further condition on `entity`, by which a planner may go from entities to their rows
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

/** Which of the filters the row fits, as bits: the first is 1, the second 2, the third 4. */
function bitsOf(filters: readonly FunnelFilter[], fits: (filter: FunnelFilter) => SQL): SQL {
  if (filters.length === 0) return sql`0`;
  return sql.join(
    filters.map((filter, i) => sql`((${fits(filter)}) is true)::int * ${2 ** i}::int`),
    sql` + `,
  );
}

/**
 * `events (entity, at, is_conversion, id, steps, excluded, held, dimensions, pos)`: everything that any step or
 * exclusion may match, numbered in the order of the entity; in `strict` everything of entities that have a start.
 * `steps` and `excluded` are the filters that the event fits, as bits.
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
  return sql`${starters}events as materialized (
      select *, (row_number() over (partition by entity order by ${EVENT_ORDER}))::int as pos
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
 * `laned`: the events again, with a lane each: those that may be in one chain when touchpoints must agree in what they
 * hold. A touchpoint that holds nothing has a lane to itself; conversions are in all lanes of their entity, and so is
 * whatever an exclusion fits, which only there counts as no step. Without anything to hold there is one lane.
 */
export function lanedEvents({ hold }: FunnelQuestion): SQL {
  if (hold.length === 0) return sql`laned as materialized (select e.*, ''::text as lane from events e)`;
  return sql`lanes as materialized (
      select distinct entity, coalesce('=' || held, '#' || pos) as lane
      from events
      where steps <> 0 and not is_conversion
    ), laned as materialized (
      select e.entity, e.at, e.is_conversion, e.id,
        case when e.is_conversion or l.lane = coalesce('=' || e.held, '#' || e.pos) then e.steps else 0 end as steps,
        e.excluded, e.dimensions, e.pos, coalesce(l.lane, '') as lane
      from events e
      left join lanes l on l.entity = e.entity
      where e.is_conversion or e.excluded <> 0 or l.lane = coalesce('=' || e.held, '#' || e.pos)
    )`;
}
