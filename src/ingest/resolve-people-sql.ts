import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { KeyKind } from '../domain/settings.ts';
import { isSameContent } from './content-hash-sql.ts';

/** The account that an item names, normalised: by id, by domain, or by both. */
export interface AccountClaim {
  id?: string;
  domain?: string;
  name?: string;
}

/** The parts of an item that `resolve_people` needs; hashes in hex. See `migrations/functions/read_items.sql`. */
export interface PersonClaim {
  id: string;
  /** Set for a conversion. An item with an unknown goal is not stored, so it links nobody. */
  goal?: string;
  occurred_at: string;
  person_id: string;
  link_id?: string;
  identities: { namespace: string; value_hash: string; text_hash: string; value?: string }[];
  account?: AccountClaim;
  /** The company domain of the e-mail address. */
  email_domain?: string;
  /** The advocate. An item whose advocate is its own person is not stored, so it asserts nothing. */
  referrer?: { namespace: string; value_hash: string };
}

/**
 * Creates the people of a batch and merges those that its items assert to be the same, before the items are stored.
 * Rows have the ids of items whose link was skipped (`skipped_item_id`).
 */
export function resolvePeople(
  workspaceId: string,
  resource: 'touchpoints' | 'conversions' | 'people',
  claims: readonly PersonClaim[],
  { hashVersion, kind }: { hashVersion: number; kind: KeyKind },
): SQL {
  if (kind === 'publishable') {
    return sql`select skipped_item_id from resolve_people_publishable(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, ${hashVersion}::smallint)`;
  }
  return sql`select skipped_item_id from resolve_people(${workspaceId}::uuid, ${resource}, ${JSON.stringify(claims)}::jsonb, true, ${hashVersion}::smallint)`;
}

/** Removes items of pages that have these ids; see `migrations/functions/replace_page_items.sql`. */
export function replacePageItems(
  workspaceId: string,
  resource: 'touchpoints' | 'conversions' | 'people',
  ids: readonly string[],
): SQL {
  return sql`select replace_page_items(${workspaceId}::uuid, ${resource}, ${sql.param([...ids])}::text[])`;
}

/**
 * The identity and the person of an incoming row, for a `lateral` join. `offset 0` keeps it one index probe for each
 * row, whatever the planner's statistics are for a workspace that is just being imported.
 *
 * Needs: `i.namespace, i.identity_hash`, and `resolvePeople` before. Gives: `id` of the identity, `person_id`.
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
 * True if the incoming row names somebody who was erased at or after its time.
 *
 * Needs: `i.occurred_at`, `i.identities` as JSON. Gives: a condition.
 */
export function isErased(workspaceId: string): SQL {
  // Most workspaces have erased nobody; one look-up decides that for all rows.
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
 * True if a person that the incoming row names has withheld consent. The latest assertion of each person at or before
 * the time of the row counts.
 *
 * Needs: `i.occurred_at`, `i.identities` as JSON. Gives: a condition.
 */
export function isRefused(workspaceId: string): SQL {
  // In most workspaces nobody has withheld consent; one look-up decides that for all rows.
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
 * The account of an incoming row: the one it names, else that of its person at its time.
 *
 * Needs: `i.id, i.occurred_at, identity.person_id`, and `resolvePeople` before. Gives: the id as an expression.
 */
export function accountOfRow(workspaceId: string, resource: 'touchpoints' | 'conversions'): SQL {
  // Most workspaces have no accounts; one look-up decides that for all rows.
  return sql`case when (select exists (select from account_facts where workspace_id = ${tenant(workspaceId)})) then coalesce(
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = ${tenant(workspaceId)} and f.source = ${resource} and f.source_id = i.id
    ),
    (select held.account_id from account_at(${workspaceId}::uuid, identity.person_id, i.occurred_at) held)
  ) end`;
}

/**
 * The outcome of a row whose id is stored. A row that came with a publishable key gives way to an item of a secret key,
 * and is gone when that is stored (`replacePageItems`), but for one that a concurrent transaction has just stored: it
 * has no outcome, and the caller asks again. A later item of a page is a duplicate of a secret key's, whatever it says.
 *
 * Needs: an incoming row `i` with `DECODED_HASHES`; `stored`, a row with `content_hash, content_version,
 * from_secret_key`. Gives: `dropped_erased`, `duplicate`, `conflict`, `replaceable` or null, as an expression.
 */
export function outcomeOfStored(stored: SQL, kind: KeyKind): SQL {
  const byProvenance =
    kind === 'secret'
      ? sql`when not ${stored}.from_secret_key then 'replaceable'`
      : sql`when ${stored}.from_secret_key then 'duplicate'`;
  return sql`case
    when ${stored}.content_hash is null then 'dropped_erased'
    ${byProvenance}
    when ${isSameContent(stored)} then 'duplicate'
    else 'conflict'
  end`;
}

/** Needs: nothing. Gives: the columns of a stored row that `outcomeOfStored` reads. */
export const OF_STORED = sql`content_hash, content_version, from_secret_key`;
