import { type SQL, sql } from 'drizzle-orm';
import type { identities } from '../db/people-tables.ts';
import { tenant } from '../db/tenant.ts';
import { type HashedIdentity, hashesOf } from '../ingest/person.ts';
import { type AccountClaim, isErased, outcomeOfStored, personOfRow } from '../ingest/resolve-people-sql.ts';

/** Trait and consent assertions about a person, to insert. */
export interface PersonUpdateRow {
  id: string;
  content_hash: string;
  occurred_at: string;
  identities: HashedIdentity[];
  account: AccountClaim | null;
  traits: unknown;
  analytics_consent: boolean | null;
}

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, occurred_at, namespace, identity_hash, identities, traits, analytics_consent`.
 * `namespace` and `identity_hash` are of the first identity.
 */
function incoming(rows: readonly PersonUpdateRow[]): SQL {
  const json = JSON.stringify(
    rows.map(({ identities, account: _, ...row }) => ({ ...row, ...hashesOf(identities) })),
  );
  return sql`
    select i.*, decode(i.content_hash, 'hex') as hash, decode(i.value_hash, 'hex') as identity_hash
    from jsonb_to_recordset(${json}::jsonb) as i (
      id text, content_hash text, occurred_at timestamptz, namespace text, value_hash text, identities jsonb, traits jsonb,
      analytics_consent boolean
    )`;
}

/**
 * Stores new assertions and returns the outcome of each row: `accepted`, `duplicate`, `conflict` or `dropped_erased`.
 * A row that a concurrent transaction is storing has no outcome, and the caller asks again.
 */
export function insertPersonUpdates(workspaceId: string, rows: readonly PersonUpdateRow[]): SQL {
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id, ${outcomeOfStored(sql`u.content_hash`)} as outcome
      from incoming i
      cross join lateral (
        select content_hash from person_updates where workspace_id = ${tenant(workspaceId)} and id = i.id offset 0
      ) u
    ), wanted as materialized (
      select i.*, ${isErased(workspaceId)} as is_erased
      from incoming i
      where not exists (select from existing where existing.id = i.id)
    ), inserted as (
      insert into person_updates
        (workspace_id, id, person_id, identity_id, occurred_at, content_hash, traits, analytics_consent)
      select ${workspaceId}::uuid, i.id, identity.person_id, identity.id, i.occurred_at, i.hash, i.traits,
        i.analytics_consent
      from wanted i
      cross join lateral (${personOfRow(workspaceId)}) identity
      where not i.is_erased
      order by i.id collate "C"
      on conflict do nothing
      returning id
    )
    select id, outcome from existing
    union all
    select id, 'accepted' from inserted
    union all
    select id, 'dropped_erased' from wanted where is_erased`;
}

/** The outcomes that `insertPersonUpdates` would return, without storing anything. */
export function checkPersonUpdates(workspaceId: string, rows: readonly PersonUpdateRow[]): SQL {
  return sql`
    select i.id,
      case
        when u.id is not null then ${outcomeOfStored(sql`u.content_hash`)}
        when ${isErased(workspaceId)} then 'dropped_erased'
        else 'accepted'
      end as outcome
    from (${incoming(rows)}) i
    left join person_updates u on u.workspace_id = ${tenant(workspaceId)} and u.id = i.id`;
}

export type UnlinkedIdentity = Pick<typeof identities.$inferSelect, 'namespace' | 'person_id'> & {
  removed_links: number;
};

/** Undoes the link facts that hold all of these identities; see `migrations/functions/unlink_identities.sql`. */
export function unlinkIdentities(
  workspaceId: string,
  personId: string,
  identities: readonly HashedIdentity[],
): SQL {
  const named = identities.map(({ namespace, value_hash }) => ({ namespace, value_hash }));
  return sql`
    select removed_links, namespace, person_id
    from unlink_identities(${workspaceId}::uuid, ${personId}::uuid, ${JSON.stringify(named)}::jsonb)`;
}
