import { type SQL, sql } from 'drizzle-orm';
import type { adjustments } from '../db/event-tables.ts';
import { tenant } from '../db/tenant.ts';
import { amountOrNull, instantOut } from '../http/fields.ts';
import { CONTENT_VERSION, DECODED_HASHES, HASH_COLUMNS, isSameContent } from '../ingest/content-hash-sql.ts';
import type { Adjustment } from './conversion-schema.ts';

/** An adjustment to insert; `value` is decimal text. */
export interface AdjustmentRow {
  id: string;
  content_hash: string;
  content_hash_v1: string | null;
  conversion_id: string;
  kind: string;
  value: string | null;
  occurred_at: string;
}

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, hash_v1, conversion_id, kind, value, occurred_at`.
 */
function incoming(rows: readonly AdjustmentRow[]): SQL {
  return sql`
    select i.*, ${DECODED_HASHES}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as i (
      id text, ${HASH_COLUMNS}, conversion_id text, kind text, value numeric, occurred_at timestamptz
    )`;
}

/** Days that an adjustment waits for its conversion. */
export const WAITING_DAYS = 30;

/**
 * Stores new adjustments and returns the outcome of each row: `accepted`, `duplicate`, `conflict`, or `waiting` if the
 * conversion is not stored yet. Such a row counts from the transaction that stores the conversion, because readers join
 * it by the conversion's id. A row that a concurrent transaction is storing has no outcome, and the caller asks again.
 */
export function insertAdjustments(workspaceId: string, rows: readonly AdjustmentRow[]): SQL {
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as (
      select i.id, case when ${isSameContent(sql`a`)} then 'duplicate' else 'conflict' end as outcome
      from incoming i
      join adjustments a on a.workspace_id = ${tenant(workspaceId)} and a.id = i.id
    ), inserted as (
      insert into adjustments (workspace_id, id, conversion_id, kind, value, occurred_at, content_hash, content_version,
        waiting_since)
      select ${workspaceId}::uuid, i.id, i.conversion_id, i.kind, i.value, i.occurred_at, i.hash, ${CONTENT_VERSION},
        case when c.is_stored is null then now() end
      from incoming i
      left join lateral (
        select true as is_stored
        from conversions c
        where c.workspace_id = ${tenant(workspaceId)} and c.id = i.conversion_id
        offset 0
      ) c on true
      where not exists (select from existing where existing.id = i.id)
      order by i.id collate "C"
      on conflict do nothing
      returning id, waiting_since
    )
    select id, outcome from existing
    union all
    select id, case when waiting_since is null then 'accepted' else 'waiting' end from inserted`;
}

/** The outcomes that `insertAdjustments` would return, without storing anything. */
export function checkAdjustments(workspaceId: string, rows: readonly AdjustmentRow[]): SQL {
  return sql`
    select i.id,
      case
        when ${isSameContent(sql`a`)} then 'duplicate'
        when a.id is not null then 'conflict'
        when c.id is null then 'waiting'
        else 'accepted'
      end as outcome
    from (${incoming(rows)}) i
    left join adjustments a on a.workspace_id = ${tenant(workspaceId)} and a.id = i.id
    left join conversions c on c.workspace_id = ${tenant(workspaceId)} and c.id = i.conversion_id`;
}

/**
 * Ends the waiting of adjustments that came `WAITING_DAYS` ago, at most `limit` of all workspaces: those whose conversion
 * has not come are deleted. Returns a row for each.
 */
export function settleWaitingAdjustments(limit: number): SQL {
  return sql`
    with past as materialized (
      select w.id as workspace_id, waiting.id,
        exists (select from conversions c where c.workspace_id = w.id and c.id = waiting.conversion_id) as has_come
      from workspaces w
      cross join lateral (
        select a.id, a.conversion_id
        from adjustments a
        where a.workspace_id = w.id and a.waiting_since <= now() - make_interval(days => ${WAITING_DAYS}::int)
        order by a.waiting_since
        limit ${limit}
      ) waiting
      limit ${limit}
    ), settled as (
      update adjustments a
      set waiting_since = null
      from past
      where a.workspace_id = past.workspace_id and a.id = past.id and past.has_come
    ), gone as (
      delete from adjustments a
      using past
      where a.workspace_id = past.workspace_id and a.id = past.id and not past.has_come
    )
    select id from past`;
}

export type StoredAdjustment = Pick<
  typeof adjustments.$inferSelect,
  'id' | 'conversion_id' | 'kind' | 'value' | 'occurred_at' | 'received_at'
>;

/**
 * The adjustments of a conversion by `(occurred_at, id)`, the order in which they apply. One row with a null id if the
 * conversion has none; no row if there is no such conversion.
 */
export function selectAdjustments(workspaceId: string, conversionId: string): SQL {
  return sql`
    select a.id, c.id as conversion_id, a.kind, a.value, a.occurred_at, a.received_at
    from conversions c
    left join adjustments a on a.workspace_id = c.workspace_id and a.conversion_id = c.id
    where c.workspace_id = ${tenant(workspaceId)} and c.id = ${conversionId}
    order by a.occurred_at, a.id`;
}

export function adjustmentOut(row: StoredAdjustment): Adjustment {
  return {
    ...row,
    value: amountOrNull(row.value),
    occurred_at: instantOut(row.occurred_at),
    received_at: instantOut(row.received_at),
  };
}
