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

/** Makes the people of a batch exist and merges those that its items say are the same. First of the batch. */
export function resolvePeople(
  workspaceId: string,
  resource: 'touchpoints' | 'conversions',
  claims: readonly PersonClaim[],
  hashVersion: number,
): SQL {
  return sql`select resolve_people(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, true, ${hashVersion}::smallint)`;
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
