import { type SQL, sql } from 'drizzle-orm';
import type { Caller } from '../http/caller.ts';

/**
 * True if the key may record the goal.
 *
 * Needs: `goal`, an expression. Gives: a condition.
 */
export function mayRecord(goal: SQL, goals: Caller['goals']): SQL {
  return goals === null ? sql`true` : sql`${goal} = any(${sql.param([...goals])}::text[])`;
}
