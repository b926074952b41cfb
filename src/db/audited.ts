import { type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { AuditAction } from '../domain/audit.ts';

/** Who acts, on which workspace and when. The context of a request behind a key is one. */
export interface Actor {
  caller: { key_id: string };
  workspace: { id: string };
  now: Date;
}

/** The holder of the root key, who has no key of the workspace. */
export function byRoot(workspaceId: string, now: Date): Actor {
  return { caller: { key_id: 'root' }, workspace: { id: workspaceId }, now };
}

/** A row of the audit log. Nothing personal: ids, and names of fields without their values. */
export interface AuditEntry {
  actor: Actor;
  action: AuditAction;
  /** What it was done to, as the request named it; null for the workspace itself. */
  target_id: string | null;
  /** Names of what was set or named, where that says more than the action. */
  fields?: readonly string[];
}

/**
 * The statement, and in it the row of the log: one round trip, and never one without the other. Where the statement
 * returns no row, nothing was done and nothing is logged.
 *
 * Postgres takes `insert`, `update` and `delete` in `with` at the top alone: a statement that has some in a `with` of
 * its own puts `auditRow` beside them.
 * @param isNews of the statement's row `done`, where a request that is repeated returns one and does nothing
 */
export function audited(statement: SQL, entry: AuditEntry, isNews = sql`true`): SQL {
  return sql`
    with done as materialized (${statement}),
    logged as (${auditRow(entry, sql`done`, isNews)})
    select * from done`;
}

/**
 * Writes one row if `done`, the name of a `with` query, has a row for which `isNews` holds. The row's id is made here, so
 * a statement that is sent again because its answer was lost is logged once.
 */
export function auditRow({ actor, action, target_id, fields }: AuditEntry, done: SQL, isNews: SQL): SQL {
  const id = `au_${uuidv7({ msecs: actor.now.getTime() }).replaceAll('-', '')}`;
  return sql`
    insert into audit_log (workspace_id, id, occurred_at, key_id, action, target_id, fields)
    select ${actor.workspace.id}::uuid, ${id}::text, ${actor.now.toISOString()}::timestamptz, ${actor.caller.key_id}::text,
      ${action}::text, ${target_id}::text, ${fields ? sql.param([...fields]) : null}::text[]
    from ${done}
    where ${isNews}
    limit 1
    on conflict (workspace_id, id) do nothing`;
}
