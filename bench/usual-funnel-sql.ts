import { type SQL, sql } from 'drizzle-orm';

/** What both statements are asked: the people who did these kinds of touchpoints in this order. */
export interface KindsQuestion {
  workspace_id: string;
  from: string;
  to: string;
  kinds: readonly string[];
  window_seconds: number;
}

const step = (k: number) => sql.identifier(`step_${k}`);

/**
 * The SQL that one writes for a funnel, and that umami runs: a self-join for each step, with the window counted anew
 * from each step. It counts too many, because a chain may last a window for every step, and it tells nothing else.
 * umami stops at the end of the range; here it reads as far as a chain that begins in the range may last, as the report
 * does, so that both are asked the same.
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
