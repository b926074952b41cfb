import { type SQL, sql } from 'drizzle-orm';
import type { adjustments } from '../db/event-tables.ts';
import { tenant } from '../db/tenant.ts';
import { amountOrNull, instantOut } from '../http/fields.ts';
import {
  CONTENT_VERSION,
  DECODED_HASHES,
  HASH_COLUMNS,
  isSameContent,
  type Provenance,
} from '../ingest/content-hash.ts';
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

/**
 * Stores new adjustments and returns the outcome of each row: `accepted`, `duplicate`, `conflict` or
 * `unknown_conversion`. A row that a concurrent transaction is storing has no outcome, and the caller asks again.
 */
export function insertAdjustments(workspaceId: string, rows: readonly AdjustmentRow[]): SQL {
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as (
      select i.id, case when ${isSameContent(sql`a`)} then 'duplicate' else 'conflict' end as outcome
      from incoming i
      join adjustments a on a.workspace_id = ${tenant(workspaceId)} and a.id = i.id
    ), inserted as (
      insert into adjustments (workspace_id, id, conversion_id, kind, value, occurred_at, content_hash, content_version)
      select c.workspace_id, i.id, c.id, i.kind, i.value, i.occurred_at, i.hash, ${CONTENT_VERSION}
      from incoming i
      join conversions c on c.workspace_id = ${tenant(workspaceId)} and c.id = i.conversion_id
      where not exists (select from existing where existing.id = i.id)
      order by i.id collate "C"
      on conflict do nothing
      returning id
    )
    select id, outcome from existing
    union all
    select id, 'accepted' from inserted
    union all
    select i.id, 'unknown_conversion'
    from incoming i
    where not exists (select from existing where existing.id = i.id)
      and not exists (select from conversions c where c.workspace_id = ${tenant(workspaceId)} and c.id = i.conversion_id)`;
}

/** The outcomes that `insertAdjustments` would return, without storing anything. */
export function checkAdjustments(workspaceId: string, rows: readonly AdjustmentRow[]): SQL {
  return sql`
    select i.id,
      case
        when ${isSameContent(sql`a`)} then 'duplicate'
        when a.id is not null then 'conflict'
        when c.id is null then 'unknown_conversion'
        else 'accepted'
      end as outcome
    from (${incoming(rows)}) i
    left join adjustments a on a.workspace_id = ${tenant(workspaceId)} and a.id = i.id
    left join conversions c on c.workspace_id = ${tenant(workspaceId)} and c.id = i.conversion_id`;
}

export type StoredAdjustment = Omit<typeof adjustments.$inferSelect, 'workspace_id' | Provenance>;

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
