import { type SQL, sql } from 'drizzle-orm';

/**
 * The first and the last statement of a step that settles sums of credit (ADR 31). All statements of a step are one
 * transaction, so a step that is interrupted anywhere has changed nothing. The others compute only if the first one found
 * that they may.
 */

/** Workspaces of a run whose sums are only compared with the definition. */
const CHECKED_WORKSPACES = 10;

/**
 * For the hourly trigger, the workspaces whose sums have to be settled, or rows of them deleted, and some others at random.
 * Rows: `KeepingWorkspace`.
 */
export function keepingWorkspaces(): SQL {
  return sql`
    select id, currency, timezone
    from (
      select w.id, w.currency, w.timezone, is_busy, row_number() over (partition by is_busy order by random()) as nth
      from credit_horizons h
      join workspaces w on w.id = h.workspace_id
      cross join lateral (
        select exists (select from credit_marks m where m.workspace_id = w.id) or exists (
          select
          from credit_questions q
          where q.workspace_id = w.id and (
            q.kept_at is null and q.cells > 0
            or q.kept_at is not null and not exists (
              select
              from credit_days d
              where d.workspace_id = w.id and d.question_id = q.id and d.day = (now() at time zone q.timezone)::date
            )
          )
        ) as is_busy
      ) busy
    ) keeping
    where is_busy or nth <= ${CHECKED_WORKSPACES}`;
}

/** Rows: `status`, see `migrations/functions/begin_settling_credit.sql`. */
export function beginSettling(workspaceId: string): SQL {
  return sql`select begin_settling_credit(${workspaceId}::uuid) as status`;
}

/** What `endSettling` may do. */
export interface SettlingRules {
  /** Only this question; null: any. */
  question_id: string | null;
  /** Days that were settled less long ago are left alone. */
  min_age_seconds: number;
}

/** The most rows of sums of a question, about 400 bytes each. */
export const MAX_CELLS = 500_000;

/** Rows: `answer`, see `migrations/functions/end_settling_credit.sql`. */
export function endSettling(workspaceId: string, rules: SettlingRules, days: number): SQL {
  return sql`
    select end_settling_credit(${workspaceId}::uuid, ${rules.question_id}::uuid, ${days}::int,
      make_interval(secs => ${rules.min_age_seconds}::float8), ${MAX_CELLS}::int) as answer`;
}
