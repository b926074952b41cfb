import { type SQL, sql } from 'drizzle-orm';

/** The query of both statements: the people who have touchpoints of these kinds in this order. */
export interface KindsQuestion {
  workspace_id: string;
  from: string;
  to: string;
  kinds: readonly string[];
  window_seconds: number;
}

const step = (k: number) => sql.identifier(`step_${k}`);

/**
 * The usual SQL for a funnel, which umami runs too: a self-join for each step, with the window restarted at each step.
 * It counts too many people, because a chain may last one window per step, and it returns nothing but counts. umami
 * stops at the end of the range. This statement reads as far as a chain that begins in the range may last, as the
 * report does, so that both have the same query.
 * Rows: one, `counts`, the people at each step.
 */
export function usualFunnel(question: KindsQuestion): SQL {
  const { workspace_id, from, to, kinds, window_seconds } = question;
  const window = sql`make_interval(secs => ${window_seconds}::float8)`;
  const steps = kinds.map((kind, i) => {
    const fits = sql`e.workspace_id = ${workspace_id}::uuid and e.kind = ${kind} and e.voided_at is null`;
    if (i === 0)
      return sql`step_1 as (
      select distinct e.person_id, e.occurred_at
      from touchpoints e
      where ${fits} and e.occurred_at >= ${from}::timestamptz and e.occurred_at < ${to}::timestamptz
    )`;
    return sql`${step(i + 1)} as (
      select distinct e.person_id, e.occurred_at
      from ${step(i)} s
      join touchpoints e on e.person_id = s.person_id
      where ${fits}
        and e.occurred_at <= ${to}::timestamptz + ${window}
        and e.occurred_at > s.occurred_at
        and e.occurred_at <= s.occurred_at + ${window}
    )`;
  });
  const counts = kinds.map((_, i) => sql`(select count(distinct person_id)::int from ${step(i + 1)})`);
  return sql`with ${sql.join(steps, sql`, `)} select array[${sql.join(counts, sql`, `)}] as counts`;
}
