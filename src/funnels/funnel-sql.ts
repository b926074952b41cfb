import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { knownGoals } from '../stats/journey-sql.ts';
import { anyFunnel } from './any-funnel-sql.ts';
import { goalsOf, soldConversions } from './funnel-events-sql.ts';
import type { FunnelQuestion, FunnelState } from './funnel-question.ts';
import { heldFunnel } from './held-funnel-sql.ts';
import { orderedFunnel } from './ordered-funnel-sql.ts';
import { isDirect } from './step-rows-sql.ts';
import { strictFunnel } from './strict-funnel-sql.ts';

/** The most groups of a breakdown that have a row of their own. */
export const MAX_GROUPS = 50;

const ENGINES = { ordered: orderedFunnel, strict: strictFunnel, any: anyFunnel };

/**
 * The steps of a funnel of any kind.
 *
 * Needs: no step. Gives: the steps `sold`, if conversions matter; `reached (entity, level)`; `came (step,
 * count)`, the number of entities per step; `chained (entity, step, at, is_conversion, id, dimensions,
 * start_at, previous_at)`, the chain of each entity, which entities that reached only step 1 may lack if
 * their event decides nothing; and `completed (entity, step, completions)`, if completions are counted.
 */
export function funnelSteps(asked: FunnelQuestion): SQL {
  const question = withHoldThatMatters(asked);
  const sold = hasConversions(question) ? sql`${soldConversions(question)}, ` : sql``;
  const isHeld = question.order === 'ordered' && question.hold.length > 0;
  const steps = isHeld ? heldFunnel : ENGINES[question.order];
  return sql`${sold}${steps(question)}`;
}

/** Without two steps of touchpoints, no two touchpoints have to agree. */
function withHoldThatMatters(question: FunnelQuestion): FunnelQuestion {
  const ofTouchpoints = question.steps.filter((filter) => 'touchpoint' in filter);
  return ofTouchpoints.length < 2 ? { ...question, hold: [] } : question;
}

/** Whether the step `sold` exists. Numbered events always read it. */
function hasConversions(question: FunnelQuestion): boolean {
  return question.order !== 'ordered' || !isDirect(question) || goalsOf(question).length > 0;
}

/** The statement of the report. Rows: one `FunnelAnswer`. */
export function funnelStatement(question: FunnelQuestion): SQL {
  return sql`
    with ${funnelSteps(question)},
    measured as (${measured(question)}),
    ${question.breakdown ? labels(question) : sql``}
    cells as materialized (${cells(sql`0`, sql`measured m`)}),
    grouped as materialized (${
      question.breakdown
        ? cells(sql`l.label`, sql`measured m join labelled l on l.entity = m.entity`)
        : sql`select null::int as label, null::int as step, null::json as cell, 0 as lacks_rate where false`
    })
    select (${knownGoals(question.workspace_id, goalsOf(question))}) as goals,
      (select coalesce(json_agg(cell order by step), '[]') from cells) as cells,
      (select coalesce(sum(lacks_rate), 0)::int from cells) as lacks_rate,
      ${question.breakdown ? groups() : sql`'[]'::json`} as groups`;
}

/**
 * How often an entity reached each step, and separately the figures of its chain there. Without groups no
 * figure depends on the entity, so people are counted beforehand.
 *
 * Needs: the steps of `funnelSteps`. Gives: a select of `entity, step, count, net, lacks_rate,
 * previous_seconds, start_seconds`.
 */
function measured(question: FunnelQuestion): SQL {
  const seconds = (since: SQL) => sql`date_part('epoch', c.at - ${since})`;
  const sold = hasConversions(withHoldThatMatters(question));
  const entity = question.breakdown ? sql`entity` : sql`null as entity`;
  return sql`
      select ${entity}, step, count, null::numeric as net, false as lacks_rate, null::float8 as previous_seconds,
        null::float8 as start_seconds
      from (${counted(question)}) counted
      union all
      select ${question.breakdown ? sql`c.entity` : sql`null`}, c.step, 0, ${sold ? sql`s.net, s.lacks_rate is true` : sql`null, false`},
        ${seconds(sql`c.previous_at`)}, ${seconds(sql`c.start_at`)}
      from chained c
      ${sold ? sql`left join sold s on c.is_conversion and s.id = c.id` : sql``}`;
}

/**
 * How often each step was reached.
 *
 * Needs: the steps of `funnelSteps`. Gives: a select of `step, count`, with `entity` first if
 * there are groups or completions.
 */
function counted({ count, steps, breakdown }: FunnelQuestion): SQL {
  if (count === 'completions') return sql`select entity, step, completions::int as count from completed`;
  if (!breakdown) return sql`select step, count from came where count > 0`;
  return sql`
        select entity, step, 1 as count
        from reached
        cross join generate_series(1, ${steps.length}::int) step
        where step <= level`;
}

/**
 * The cells of the report. Entities without a row at step 1 in `chained` are 0 seconds from the start there.
 *
 * Needs: `from`, a list for `from` with `m`, a row of `measured`, and `label`, an expression over it. Gives:
 * a select of `label, step, cell, lacks_rate`.
 */
function cells(label: SQL, from: SQL): SQL {
  return sql`
      select label, step, json_build_object(
        'step', step, 'count', count, 'value', value, 'previous_median', previous[1], 'previous_p90', previous[2],
        'start_median', case when step = 1 then 0 else start[1] end,
        'start_p90', case when step = 1 then 0 else start[2] end
      ) as cell, lacks_rate
      from (
        select ${label} as label, m.step, sum(m.count)::int as count, coalesce(sum(m.net), 0)::float8 as value,
          count(*) filter (where m.lacks_rate) as lacks_rate,
          percentile_cont(array[0.5, 0.9]) within group (order by m.previous_seconds) as previous,
          percentile_cont(array[0.5, 0.9]) within group (order by m.start_seconds) as start
        from ${from}
        group by 1, 2
      ) summed`;
}

/**
 * Labels of the group of all groups beyond the limit, and of entities that did not reach the
 * step of the breakdown.
 */
const OTHER = sql`0`;
const NOT_REACHED = sql`-1`;

/**
 * The groups that are shown, by size at step 1, descending, then by value; and the label of each entity.
 *
 * Needs: the steps `reached`, `chained` and `measured`. Gives: the steps `entity_groups`, `places
 * (dimensions, label)` and `labelled (entity, label)`, with a comma after them.
 */
function labels({ breakdown }: FunnelQuestion): SQL {
  if (!breakdown) return sql``;
  const byValue = breakdown.by.map((_, i) => sql`dimensions[${i + 1}::int] collate "C"`);
  return sql`entity_groups as materialized (
      select r.entity, g.dimensions
      from reached r
      left join (select entity, dimensions from chained where step = ${breakdown.at_step}::int) g on g.entity = r.entity
    ), places as materialized (
      select dimensions, (row_number() over (order by size desc, ${sql.join(byValue, sql`, `)}))::int as label
      from (
        select g.dimensions, sum(m.count) as size
        from entity_groups g
        join measured m on m.entity = g.entity
        where g.dimensions is not null and m.step = 1
        group by g.dimensions
      ) sized
    ), labelled as materialized (
      select g.entity,
        case
          when g.dimensions is null then ${NOT_REACHED}
          when p.label > ${MAX_GROUPS}::int then ${OTHER}
          else p.label
        end as label
      from entity_groups g
      left join places p on p.dimensions = g.dimensions
    ), `;
}

/**
 * The groups of the report.
 *
 * Needs: the steps `grouped` and `places`. Gives: a scalar subquery: a JSON list of `FunnelGroupRow`.
 */
function groups(): SQL {
  return sql`(
        select coalesce(json_agg(json_build_object('dimensions', p.dimensions, 'other', g.label = ${OTHER}, 'cells', g.cells)
          order by g.label = ${NOT_REACHED}, g.label = ${OTHER}, g.label), '[]')
        from (select label, json_agg(cell order by step) as cells from grouped group by label) g
        left join places p on p.label = g.label
      )`;
}

/** The statement of the list. Rows: `FunnelEntityRow`, ordered by id, after the id `after`. */
export function funnelPeople(
  question: FunnelQuestion,
  step: number,
  state: FunnelState,
  after: string | null,
  limit: number,
): SQL {
  const came = state === 'reached' ? sql`r.level >= ${step}::int` : sql`r.level = ${step - 1}::int`;
  const id = sql`r.entity::text collate "C"`;
  const isAccount =
    question.scope === 'person'
      ? sql`false`
      : sql`exists (
          select from accounts a where a.workspace_id = ${tenant(question.workspace_id)} and a.id = r.entity
        )`;
  return sql`
    with ${funnelSteps(question)}
    select case when is_account then entity end as account_id, case when not is_account then entity end as person_id,
      lead(true) over (order by entity collate "C") is not null as has_next
    from (
      select r.entity::text as entity, ${isAccount} as is_account
      from reached r
      where ${came} and (${after}::text is null or ${id} > ${after}::text)
      order by ${id}
      limit ${limit + 1}
    ) page
    order by entity collate "C"
    limit ${limit}`;
}
