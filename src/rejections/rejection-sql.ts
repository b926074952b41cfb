import { type SQL, sql } from 'drizzle-orm';
import type { rejections } from '../db/event-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import { parseExactJson } from '../domain/exact-json.ts';
import type { Resource } from '../domain/settings.ts';
import { instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import type { WorkspaceSecrets } from '../http/secrets.ts';
import { digestOut } from '../ingest/rejection-insert-sql.ts';
import { KEPT_DAYS, type Rejection } from './rejection-schema.ts';

/** Needs: the table `rejections`. Gives: the columns that `rejectionOut` reads. */
const stored = sql`
  id, resource, item_id, encode(item_encrypted, 'hex') as item_encrypted,
  ${digestOut(sql`item_digest`)} as item_digest, item_bytes, errors, received_at`;
export type StoredRejection = Pick<
  typeof rejections.$inferSelect,
  'id' | 'resource' | 'item_id' | 'item_bytes' | 'errors' | 'received_at'
> & { item_encrypted: string; item_digest: string | null };

/** Needs: the table `rejections`. Gives: the condition that a row is not expired. */
const kept = sql`received_at > now() - make_interval(days => ${KEPT_DAYS}::int)`;

/** Newest first, with the id as tie-break. */
export function selectRejections(
  workspaceId: string,
  resource: Resource | null,
  after: Cursor | null,
  limit: number,
): SQL {
  const conditions = [sql`workspace_id = ${tenant(workspaceId)}`, kept];
  if (resource) conditions.push(sql`resource = ${resource}`);
  if (after)
    conditions.push(sql`(received_at, id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`);
  const rows = sql`
    select ${stored}
    from rejections
    where ${sql.join(conditions, sql` and `)}
    order by received_at desc, id desc
    limit ${limit + 1}`;
  return cutToPage(rows, sql`held.received_at desc, held.id desc`, limit);
}

export function getRejection(workspaceId: string, id: string): SQL {
  return sql`
    select ${stored}
    from rejections
    where workspace_id = ${tenant(workspaceId)} and id = ${id} and ${kept}`;
}

export function deleteRejection(workspaceId: string, id: string): SQL {
  return sql`
    delete from rejections
    where workspace_id = ${tenant(workspaceId)} and id = ${id}
    returning id`;
}

/** Deletes expired rejections of all workspaces, at most `limit`. */
export function purgeRejections(limit: number): SQL {
  // By workspace, because the index begins with it: one probe for each.
  return sql`
    with expired as materialized (
      select w.id as workspace_id, past.id
      from workspaces w
      cross join lateral (
        select r.id
        from rejections r
        where r.workspace_id = w.id and r.received_at <= now() - make_interval(days => ${KEPT_DAYS}::int)
        order by r.received_at
        limit ${limit}
      ) past
      limit ${limit}
    )
    delete from rejections r
    using expired
    where r.workspace_id = expired.workspace_id and r.id = expired.id
    returning r.id`;
}

export async function rejectionOut(row: StoredRejection, secrets: WorkspaceSecrets): Promise<Rejection> {
  const { item_encrypted, ...rest } = row;
  const text = await secrets.open(item_encrypted);
  const item = text === null ? null : parseExactJson(text);
  return { ...rest, item, item_unreadable: text === null, received_at: instantOut(row.received_at) };
}
