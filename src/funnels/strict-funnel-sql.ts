import { type SQL, sql } from 'drizzle-orm';
import { inRange, numberedEvents, windowOf } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';

/**
 * The steps of a strict funnel. No other event of the entity lies between two steps, so the
 * chain of a start is the events directly after it. One pass over all events of the entities
 * that have a start looks ahead by the number of steps.
 *
 * Needs: the step `sold`. Gives: the steps that `funnelSteps` lists, and others.
 */
export function strictFunnel(question: FunnelQuestion): SQL {
  const ks = question.steps.map((_, i) => i + 1);
  const level = ks
    .toReversed()
    .reduce(
      (higher, k) =>
        sql`case when ${comesTo(question, k)} then ${k === ks.length ? sql`${k}::int` : higher} else ${k - 1}::int end`,
      sql``,
    );
  const isFirst = question.entry === 'first' ? sql`where pos = first_pos` : sql``;
  return sql`${numberedEvents(question)},
    ahead as (
      select *, ${sql.join(
        ks.slice(1).map((k) => looked(question, k)),
        sql`, `,
      )}
      from events
      window entity as (partition by entity order by pos)
    ), starts as materialized (
      select *
      from (
        select *, min(pos) over (partition by entity) as first_pos
        from (select *, ${level} as level from ahead) judged
        where level > 0
      ) started
      ${isFirst}
    ), best as materialized (
      select distinct on (entity) *
      from starts
      order by entity, level desc, pos
    ), reached as materialized (
      select entity, level
      from best
    ), came as materialized (
      select step, count(*)::int as count
      from reached
      cross join generate_series(1, ${ks.length}::int) step
      where step <= level
      group by step
    ), chained as materialized (${sql.join(
      ks.map((k) => chainedStep(question, k)),
      sql` union all `,
    )}
    ), completed as materialized (
      select entity, step, count_disjoint(pos, pos + step - 1 order by pos) as completions
      from starts
      cross join generate_series(1, ${ks.length}::int) step
      where step <= level
      group by entity, step
    )`;
}

/** The name of a column of the event at step `k`, seen from the start. */
const column = (name: string, k: number) => (k === 1 ? sql.identifier(name) : sql.identifier(`${name}_${k}`));

/**
 * The columns of the event at step `k`. Needs: the step `events` with the window `entity`.
 * Gives: a list of columns.
 */
function looked({ breakdown }: FunnelQuestion, k: number): SQL {
  const names = ['at', 'is_conversion', 'id', 'steps', 'excluded', 'held'];
  if (breakdown?.at_step === k) names.push('dimensions');
  return sql.join(
    names.map((name) => sql`lead(${sql.identifier(name)}, ${k - 1}::int) over entity as ${column(name, k)}`),
    sql`, `,
  );
}

/**
 * The event at step `k` continues a chain that reached the previous step.
 *
 * Needs: the step `ahead`. Gives: a condition.
 */
function comesTo(question: FunnelQuestion, k: number): SQL {
  const fits = sql`${column('steps', k)} & ${2 ** (k - 1)}::int <> 0`;
  if (k === 1) return sql`${fits} and ${inRange(question)}`;
  const conditions = [fits, sql`${column('at', k)} <= at + ${windowOf(question)}`];
  const bits = question.exclude.reduce(
    (sum, { after_step, before_step }, i) =>
      (after_step ?? 1) < k - 1 && k <= (before_step ?? k) ? sum + 2 ** i : sum,
    0,
  );
  if (bits > 0) conditions.push(sql`${column('excluded', k - 1)} & ${bits}::int = 0`);
  const firstHolding = 1 + question.steps.findIndex((filter) => 'touchpoint' in filter);
  const holds = question.hold.length > 0 && firstHolding > 0 && firstHolding < k;
  const filter = question.steps[k - 1];
  if (holds && filter && 'touchpoint' in filter)
    conditions.push(sql`${column('held', k)} = ${column('held', firstHolding)}`);
  return sql.join(conditions, sql` and `);
}

/**
 * The events of chains at step `k`.
 *
 * Needs: the step `best`. Gives: a select with the columns of `chained`.
 */
function chainedStep({ breakdown }: FunnelQuestion, k: number): SQL {
  const dimensions = breakdown?.at_step === k ? column('dimensions', k) : sql`null::text[]`;
  return sql`
      select entity, ${k}::int as step, ${column('at', k)} as at, ${column('is_conversion', k)} as is_conversion,
        ${column('id', k)} as id, ${dimensions} as dimensions, at as start_at,
        ${k === 1 ? sql`null::timestamptz` : column('at', k - 1)} as previous_at
      from best
      where level >= ${k}::int`;
}
