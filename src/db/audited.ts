import { SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { AuditAction } from '../domain/audit.ts';

/** The key that acts, the workspace and the time. The context of a request with a key is an actor. */
export interface Actor {
  caller: { key_id: string };
  workspace: { id: string };
  now: Date;
}

/** The holder of the root key, which is not a key of the workspace. */
export function byRoot(workspaceId: string, now: Date): Actor {
  return { caller: { key_id: 'root' }, workspace: { id: workspaceId }, now };
}

/** A row of the audit log. It contains ids and names of fields without their values, and nothing personal. */
export interface AuditEntry {
  actor: Actor;
  action: AuditAction;
  /** The id of the target, as the request named it; null if the action concerns the workspace as a whole. */
  target_id: string | null;
  /**
   * Names of the fields that were set, if they add something to the action; or an expression for them over the columns
   * of `done`.
   */
  fields?: readonly string[] | SQL;
}

/**
 * The statement together with its row of the audit log: one round trip, and never one without the other. If
 * the statement returns no row, nothing was done and nothing is logged.
 *
 * Postgres allows `insert`, `update` and `delete` in `with` only at the top level. A statement with such
 * steps of its own therefore puts `auditRow` beside them.
 * @param isNews a condition on the statement's row `done`; false if a repeated request returns
 * a row and does nothing
 */
export function audited(statement: SQL, entry: AuditEntry, isNews = sql`true`): SQL {
  return sql`
    with done as materialized (${statement}),
    logged as (${auditRow(entry, sql`done`, isNews)})
    select * from done`;
}

/**
 * Writes one row if there is a row in `done` for which `isNews` holds. The id of the row is made here, so a
 * statement that is retried because its answer was lost is logged once.
 *
 * Needs: `done`, the name of a step. Gives: an `insert`, to be used as a step.
 */
export function auditRow({ actor, action, target_id, fields }: AuditEntry, done: SQL, isNews: SQL): SQL {
  const id = `au_${uuidv7({ msecs: actor.now.getTime() }).replaceAll('-', '')}`;
  const named = fields instanceof SQL ? fields : sql`${fields ? sql.param([...fields]) : null}`;
  return sql`
    insert into audit_log (workspace_id, id, occurred_at, key_id, action, target_id, fields)
    select ${actor.workspace.id}::uuid, ${id}::text, ${actor.now.toISOString()}::timestamptz, ${actor.caller.key_id}::text,
      ${action}::text, ${target_id}::text, ${named}::text[]
    from ${done}
    where ${isNews}
    limit 1
    on conflict (workspace_id, id) do nothing`;
}
