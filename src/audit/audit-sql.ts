import { type SQL, sql } from 'drizzle-orm';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import type { audit_log } from '../db/workspace-tables.ts';
import type { AuditAction } from '../domain/audit.ts';
import { instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import { isOneOf } from '../stats/where-sql.ts';
import type { AuditRow } from './audit-schema.ts';

export interface AuditFilter {
  from: Date | null;
  to: Date | null;
  actions: readonly AuditAction[] | null;
}

export type StoredAuditRow = Omit<typeof audit_log.$inferSelect, 'workspace_id'>;

/** Newest first, with the id as tie-break. */
export function selectAudit(
  workspaceId: string,
  filter: AuditFilter,
  after: Cursor | null,
  limit: number,
): SQL {
  const conditions = [sql`workspace_id = ${tenant(workspaceId)}`];
  if (filter.from) conditions.push(sql`occurred_at >= ${filter.from.toISOString()}::timestamptz`);
  if (filter.to) conditions.push(sql`occurred_at < ${filter.to.toISOString()}::timestamptz`);
  if (filter.actions) conditions.push(isOneOf(sql`action`, filter.actions));
  if (after)
    conditions.push(sql`(occurred_at, id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`);
  const rows = sql`
    select id, occurred_at, key_id, action, target_id, fields
    from audit_log
    where ${sql.join(conditions, sql` and `)}
    order by occurred_at desc, id desc
    limit ${limit + 1}`;
  return cutToPage(rows, sql`held.occurred_at desc, held.id desc`, limit);
}

export function auditRowOut(row: StoredAuditRow): AuditRow {
  return { ...row, occurred_at: instantOut(row.occurred_at) };
}
