import { type SQL, sql } from 'drizzle-orm';
import { tenant } from './tenant.ts';

/** What `resolve_people` needs of an item; hashes in hex. See the migration that defines the function. */
export interface PersonClaim {
  id: string;
  /** Of a conversion: an item of an unknown goal is not stored, so it links nobody. */
  goal?: string;
  occurred_at: string;
  person_id: string;
  link_id?: string;
  identities: { namespace: string; value_hash: string; value?: string }[];
}

/**
 * Makes the people of a batch exist and merges those that its items say are the same; first of the batch. Rows name
 * the items whose link was skipped: `skipped_item_id`.
 */
export function resolvePeople(
  workspaceId: string,
  resource: 'touchpoints' | 'conversions' | 'people',
  claims: readonly PersonClaim[],
  hashVersion: number,
): SQL {
  return sql`select skipped_item_id from resolve_people(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, true, ${hashVersion}::smallint)`;
}

/**
 * The identity and person of an incoming row `i` (`namespace, value_hash` in hex), once `resolvePeople` has run:
 * `id, person_id`. For a `lateral` join; `offset 0` keeps it one index probe for each row, whatever the planner's
 * statistics say of a workspace that is just being imported.
 */
export function personOfRow(workspaceId: string): SQL {
  return sql`
    select known.id, known.person_id
    from identities known
    where known.workspace_id = ${tenant(workspaceId)}
      and known.namespace = i.namespace
      and known.value_hash = decode(i.value_hash, 'hex')
    offset 0`;
}

/**
 * Does the incoming row `i` (`occurred_at`, `identities` as JSON) speak of somebody who was erased, at a time when
 * they still were there?
 */
export function isErased(workspaceId: string): SQL {
  // Most workspaces have erased nobody, which one look tells for all rows.
  return sql`(select exists (select from tombstones where workspace_id = ${tenant(workspaceId)})) and exists (
    select
    from jsonb_to_recordset(i.identities) as said (namespace text, value_hash text)
    join tombstones dead
      on dead.workspace_id = ${tenant(workspaceId)}
      and dead.namespace = said.namespace
      and dead.value_hash = decode(said.value_hash, 'hex')
    where dead.erased_at >= i.occurred_at
  )`;
}

/** What became of an id that is stored already, from its hash and that of the incoming row `i`; no hash: erased. */
export function outcomeOfStored(storedHash: SQL): SQL {
  return sql`case
    when ${storedHash} is null then 'dropped_erased'
    when ${storedHash} = i.hash then 'duplicate'
    else 'conflict'
  end`;
}
