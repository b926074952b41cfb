import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { KeyKind } from '../domain/settings.ts';

/** The company that an item names, normalised: by id, by domain, or both. */
export interface AccountClaim {
  id?: string;
  domain?: string;
  name?: string;
}

/** What `resolve_people` needs of an item; hashes in hex. See `migrations/functions/read_items.sql`. */
export interface PersonClaim {
  id: string;
  /** Of a conversion: an item of an unknown goal is not stored, so it links nobody. */
  goal?: string;
  occurred_at: string;
  person_id: string;
  link_id?: string;
  identities: { namespace: string; value_hash: string; value?: string }[];
  account?: AccountClaim;
  /** The company that the e-mail address speaks of. */
  email_domain?: string;
  /** The advocate: an item whose advocate is its own person says nothing. */
  referrer?: { namespace: string; value_hash: string };
}

/**
 * Makes the people of a batch exist and merges those that its items say are the same; first of the batch. Rows name
 * the items whose link was skipped, `skipped_item_id`, and those of a publishable key whose link was not made because
 * it would have joined people who are there already, `unlinked_item_id`.
 */
export function resolvePeople(
  workspaceId: string,
  resource: 'touchpoints' | 'conversions' | 'people',
  claims: readonly PersonClaim[],
  { hashVersion, kind }: { hashVersion: number; kind: KeyKind },
): SQL {
  if (kind === 'publishable') {
    return sql`select skipped_item_id, unlinked_item_id from resolve_people_publishable(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, ${hashVersion}::smallint)`;
  }
  return sql`select skipped_item_id from resolve_people(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, true, ${hashVersion}::smallint)`;
}

/**
 * The identity and person of an incoming row `i` (`namespace, identity_hash`), once `resolvePeople` has run:
 * `id, person_id`. For a `lateral` join; `offset 0` keeps it one index probe for each row, whatever the planner's
 * statistics say of a workspace that is just being imported.
 */
export function personOfRow(workspaceId: string): SQL {
  return sql`
    select known.id, known.person_id
    from identities known
    where known.workspace_id = ${tenant(workspaceId)}
      and known.namespace = i.namespace
      and known.value_hash = i.identity_hash
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
    from read_identities(i.identities) as said
    join tombstones dead
      on dead.workspace_id = ${tenant(workspaceId)}
      and dead.namespace = said.namespace
      and dead.value_hash = said.value_hash
    where dead.erased_at >= i.occurred_at
  )`;
}

/**
 * Does somebody whom the incoming row `i` (`occurred_at`, `identities` as JSON) names not want it stored? The last word
 * of each person, at the time of the row, counts.
 */
export function isRefused(workspaceId: string): SQL {
  // In most workspaces nobody ever refused, which one look tells for all rows.
  return sql`(select exists (
    select from person_updates where workspace_id = ${tenant(workspaceId)} and not analytics_consent
  )) and exists (
    select
    from read_identities(i.identities) as said
    join identities held
      on held.workspace_id = ${tenant(workspaceId)}
      and held.namespace = said.namespace
      and held.value_hash = said.value_hash
    where (
      select u.analytics_consent
      from person_updates u
      where u.workspace_id = ${tenant(workspaceId)}
        and u.person_id = held.person_id
        and u.analytics_consent is not null
        and u.occurred_at <= i.occurred_at
      order by u.occurred_at desc, u.id desc
      limit 1
    ) is false
  )`;
}

/**
 * The account of an incoming row `i` (`id, occurred_at`) of the person `identity.person_id`, once `resolvePeople` has
 * run: the one it names, else that of its person at its time.
 */
export function accountOfRow(workspaceId: string, resource: 'touchpoints' | 'conversions'): SQL {
  // Most workspaces have no accounts, which one look tells for all rows.
  return sql`case when (select exists (select from account_facts where workspace_id = ${tenant(workspaceId)})) then coalesce(
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = ${tenant(workspaceId)} and f.source = ${resource} and f.source_id = i.id
    ),
    (select held.account_id from account_at(${workspaceId}::uuid, identity.person_id, i.occurred_at) held)
  ) end`;
}

/** What became of an id that is stored already, from its hash and that of the incoming row `i`; no hash: erased. */
export function outcomeOfStored(storedHash: SQL): SQL {
  return sql`case
    when ${storedHash} is null then 'dropped_erased'
    when ${storedHash} = i.hash then 'duplicate'
    else 'conflict'
  end`;
}
