import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { FieldError } from '../domain/json.ts';
import type { Resource } from '../domain/settings.ts';
import type { RecordContext } from '../http/operation.ts';

/** A rejection to insert; bytes in hex, `text_hashes` as decimal numbers. */
export interface RejectionRow {
  id: string;
  item_id: string;
  item_encrypted: string;
  /** Set if only a digest is kept. */
  item_digest: string | null;
  item_bytes: number | null;
  errors: FieldError[];
  identity_hashes: string[];
  text_hashes: string[];
}

/**
 * The digest of an item as the API shows it.
 *
 * Needs: the column `item_digest`. Gives: a text, null for an item that is kept.
 */
export function digestOut(digest: SQL): SQL {
  return sql`'hmac-sha256:' || encode(${digest}, 'hex')`;
}

/** The most rejections that a key adds in one UTC day. */
export const MAX_REJECTIONS_PER_DAY = 10_000;

/**
 * Inserts rejections, up to the limit of the key and the UTC day, in the order of `rows`. One that is stored already is
 * dated anew and does not count. Nobody waits for the count, so requests at the same time may pass the limit by what
 * they bring. Returns `unkept_id` for each rejection beyond the limit.
 */
export function insertRejections(
  resource: Resource,
  rows: readonly RejectionRow[],
  { workspace, caller, now }: Pick<RecordContext, 'workspace' | 'caller' | 'now'>,
): SQL {
  const at = now.toISOString();
  const json = JSON.stringify(rows.map((row, position) => ({ position, ...row })));
  return sql`
    with incoming as materialized (
      select distinct on (r.id) r.*
      from jsonb_to_recordset(${json}::jsonb) as r (
        position int, id text, item_id text, item_encrypted text, item_digest text, item_bytes int, errors jsonb, identity_hashes text[],
        text_hashes bigint[]
      )
      order by r.id, r.position
    ), added as (
      select i.id, row_number() over (order by i.position) as number
      from incoming i
      left join lateral (
        select true as is_kept from rejections r where r.workspace_id = ${tenant(workspace.id)} and r.id = i.id offset 0
      ) stored on true
      where stored.is_kept is null
    ), earlier as (
      select count(*) as rejections
      from (
        select
        from rejections r
        where r.workspace_id = ${tenant(workspace.id)} and r.key_id = ${caller.key_id} and r.kept_on = ${at.slice(0, 10)}::date
        limit ${MAX_REJECTIONS_PER_DAY}
      ) of_today
    ), unkept as materialized (
      select added.id from added, earlier where added.number + earlier.rejections > ${MAX_REJECTIONS_PER_DAY}
    ), kept as (
      insert into rejections (
        workspace_id, id, resource, item_id, item_encrypted, item_digest, item_bytes, errors, identity_hashes, text_hashes, key_id,
        kept_on, received_at
      )
      select ${workspace.id}::uuid, i.id, ${resource}, i.item_id, decode(i.item_encrypted, 'hex'), decode(i.item_digest, 'hex'),
        i.item_bytes, i.errors, i.identity_hashes, i.text_hashes, ${caller.key_id}, ${at.slice(0, 10)}::date, ${at}::timestamptz
      from incoming i
      where not exists (select from unkept where unkept.id = i.id)
      order by i.id collate "C"
      on conflict (workspace_id, id) do update
      set received_at = excluded.received_at, errors = excluded.errors, text_hashes = excluded.text_hashes
    )
    select id as unkept_id from unkept`;
}
