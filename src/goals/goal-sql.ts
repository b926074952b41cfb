import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { goals } from '../db/workspace-tables.ts';
import { amountOrNull, instantOrNull, instantOut } from '../http/fields.ts';
import type { Goal, GoalInput } from './goal-schema.ts';

/** Needs: the table `goals`. Gives: the columns that `goalOut` reads. */
const stored = sql`
  key, name, kind, stage, lookback_days, default_value, currency, counting, match, created_at, updated_at, archived_at`;
export type StoredGoal = Omit<typeof goals.$inferSelect, 'workspace_id'>;

/** Creates or replaces a goal, and restores an archived one. Conversions recorded before stay as they are. */
export function upsertGoal(workspaceId: string, key: string, goal: GoalInput): SQL {
  const match = goal.match ? JSON.stringify(goal.match) : null;
  return sql`
    insert into goals (workspace_id, key, name, kind, stage, lookback_days, default_value, currency, counting, match)
    select w.id, ${key}, ${goal.name}, ${goal.kind}, ${goal.stage ?? null}, ${goal.lookback_days}::int,
      ${goal.default_value ?? null}::numeric, coalesce(${goal.currency ?? null}, w.currency), ${goal.counting}, ${match}::jsonb
    from workspaces w
    where w.id = ${workspaceId}
    on conflict (workspace_id, key) do update set
      name = excluded.name, kind = excluded.kind, stage = excluded.stage, lookback_days = excluded.lookback_days,
      default_value = excluded.default_value, currency = excluded.currency, counting = excluded.counting,
      match = excluded.match, updated_at = now(), archived_at = null
    returning ${stored}`;
}

export function selectGoals(workspaceId: string): SQL {
  return sql`
    select ${stored}
    from goals
    where workspace_id = ${tenant(workspaceId)}
    order by key`;
}

export function selectGoal(workspaceId: string, key: string): SQL {
  return sql`
    select ${stored}
    from goals
    where workspace_id = ${tenant(workspaceId)} and key = ${key}`;
}

/** Archiving an archived goal keeps the first time. */
export function updateGoalArchived(workspaceId: string, key: string): SQL {
  return sql`
    update goals set archived_at = coalesce(archived_at, now()), updated_at = now()
    where workspace_id = ${tenant(workspaceId)} and key = ${key}
    returning ${stored}`;
}

/**
 * True if the goal was archived now. Archived again, it keeps its first time and gets a later update.
 *
 * Needs: the row of `updateGoalArchived`. Gives: a condition.
 */
export const isFirstArchived = sql`archived_at = updated_at`;

export function goalOut(row: StoredGoal): Goal {
  return {
    ...row,
    default_value: amountOrNull(row.default_value),
    created_at: instantOut(row.created_at),
    updated_at: instantOut(row.updated_at),
    archived_at: instantOrNull(row.archived_at),
  };
}
