import { type SQL, sql } from 'drizzle-orm';
import type { identities } from '../db/people-tables.ts';
import { tenant } from '../db/tenant.ts';
import type { KeyKind } from '../domain/settings.ts';
import { CONTENT_VERSION, DECODED_HASHES, HASH_COLUMNS } from '../ingest/content-hash-sql.ts';
import { type HashedIdentity, hashesOf } from '../ingest/person.ts';
import {
  type AccountClaim,
  isErased,
  OF_STORED,
  outcomeOfStored,
  personOfRow,
} from '../ingest/resolve-people-sql.ts';

/** Trait and consent assertions about a person, to insert. */
export interface PersonUpdateRow {
  id: string;
  content_hash: string;
  content_hash_v1: string | null;
  occurred_at: string;
  identities: HashedIdentity[];
  account: AccountClaim | null;
  /** In hex; see `page_link_id` of the table. */
  page_link?: string;
  traits: unknown;
  analytics_consent: boolean | null;
}

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, hash_v1, page_link_id, occurred_at, namespace, identity_hash, identities, traits, analytics_consent`.
 * `namespace` and `identity_hash` are of the first identity.
 */
function incoming(rows: readonly PersonUpdateRow[]): SQL {
  const json = JSON.stringify(
    rows.map(({ identities, account: _, ...row }) => ({ ...row, ...hashesOf(identities) })),
  );
  return sql`
    select i.*, ${DECODED_HASHES}, decode(i.value_hash, 'hex') as identity_hash,
      decode(i.page_link, 'hex') as page_link_id
    from jsonb_to_recordset(${json}::jsonb) as i (
      id text, ${HASH_COLUMNS}, occurred_at timestamptz, namespace text, value_hash text, identities jsonb,
      page_link text, traits jsonb, analytics_consent boolean
    )`;
}

/**
 * Stores new assertions and returns the outcome of each row: `accepted`, `duplicate`, `conflict` or `dropped_erased`.
 * A row that a concurrent transaction is storing has no outcome, and the caller asks again.
 */
export function insertPersonUpdates(
  workspaceId: string,
  rows: readonly PersonUpdateRow[],
  kind: KeyKind,
): SQL {
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id, ${outcomeOfStored(sql`u`, kind)} as outcome
      from incoming i
      cross join lateral (
        select ${OF_STORED} from person_updates where workspace_id = ${tenant(workspaceId)} and id = i.id offset 0
      ) u
    ), wanted as materialized (
      select i.*, ${isErased(workspaceId)} as is_erased
      from incoming i
      where not exists (select from existing where existing.id = i.id)
    ), inserted as (
      insert into person_updates
        (workspace_id, id, person_id, identity_id, occurred_at, content_hash, content_version, from_secret_key,
        page_link_id, traits, analytics_consent)
      select ${workspaceId}::uuid, i.id, identity.person_id, identity.id, i.occurred_at, i.hash, ${CONTENT_VERSION},
        ${kind === 'secret'}::bool, i.page_link_id, i.traits, i.analytics_consent
      from wanted i
      cross join lateral (${personOfRow(workspaceId)}) identity
      where not i.is_erased
      order by i.id collate "C"
      on conflict do nothing
      returning id
    )
    select id, outcome from existing where outcome <> 'replaceable'
    union all
    select id, 'accepted' from inserted
    union all
    select id, 'dropped_erased' from wanted where is_erased`;
}

/** The outcomes that `insertPersonUpdates` would return, without storing anything. */
export function checkPersonUpdates(
  workspaceId: string,
  rows: readonly PersonUpdateRow[],
  kind: KeyKind,
): SQL {
  return sql`
    select i.id,
      case
        when u.id is not null then replace(${outcomeOfStored(sql`u`, kind)}, 'replaceable', 'accepted')
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
