import { type SQL, sql } from 'drizzle-orm';
import type { accounts } from '../db/account-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import { normaliseDomain } from '../domain/identities.ts';
import type { TimelineType } from '../domain/timeline.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import { type SeenTimes, seenOf } from '../stats/seen-sql.ts';
import { type StoredEntry, timelineEntryOut } from '../stats/timeline-fields.ts';
import {
  conversionEntries,
  type TimelinePage,
  timelineOf,
  touchpointEntries,
} from '../stats/timeline-sql.ts';
import type { Account, AccountRow, AccountTimelineEntry } from './account-schema.ts';

/** An account in a list. */
export type StoredAccountRow = Pick<typeof accounts.$inferSelect, 'id' | 'name' | 'created_at'> & {
  domains: string[];
};

export type StoredAccount = StoredAccountRow & SeenTimes & { people: number };

export type AccountTimelineType = Exclude<TimelineType, 'link'>;

/** The row of `callPutAccount`. */
export interface PutAccount {
  taken: { taken_domain: string; taken_by: string }[] | null;
}

/**
 * One row. `taken` lists the domains that an admin assigned to other accounts, and then nothing was changed; it is null
 * if there are none. See `migrations/functions/put_account.sql`.
 */
export function callPutAccount(
  workspaceId: string,
  id: string,
  account: { name: string | null; domains: readonly string[] },
  now: Date,
): SQL {
  return sql`
    select json_agg(json_build_object('taken_domain', taken_domain, 'taken_by', taken_by)) as taken
    from put_account(
      ${workspaceId}::uuid, ${id}::text, ${account.name}::text, ${sql.param([...account.domains])}::text[],
      ${now.toISOString()}::timestamptz
    )`;
}

/**
 * The account that owns a domain.
 *
 * Needs: nothing but what `domain` names. Gives: the id as an expression, null without an owner.
 */
function ownerOf(workspaceId: string, domain: SQL): SQL {
  return sql`(select owner.account_id from domain_owner(${workspaceId}::uuid, ${domain}) owner)`;
}

/**
 * The account with an id, else the owner of the domain.
 *
 * Needs: nothing. Gives: `id, name, is_domain, created_at`, in one row or none.
 */
function accountWithId(workspaceId: string, id: string): SQL {
  return sql`
    select a.id, a.name, a.is_domain, a.created_at
    from (
      select coalesce(
        (select own.id from accounts own where own.workspace_id = ${tenant(workspaceId)} and own.id = ${id}),
        ${ownerOf(workspaceId, sql`${normaliseDomain(id.trim())}::text`)}
      ) as id
      offset 0
    ) asked
    join accounts a on a.workspace_id = ${tenant(workspaceId)} and a.id = asked.id`;
}

/**
 * The domains that an account owns. For an account that is known by its domain alone, that is this domain.
 *
 * Needs: `account.id, account.is_domain`. Gives: `domains`, a JSON list.
 */
function domainsOfAccount(workspaceId: string): SQL {
  return sql`
    select case
      when account.is_domain then jsonb_build_array(account.id)
      else coalesce(jsonb_agg(distinct d.domain order by d.domain), '[]')
    end as domains
    from account_domains d
    where d.workspace_id = ${tenant(workspaceId)}
      and d.account_id = account.id
      and d.is_current
      and ${ownerOf(workspaceId, sql`d.domain`)} = account.id`;
}

export function selectAccount(workspaceId: string, id: string): SQL {
  return sql`
    with account as materialized (${accountWithId(workspaceId, id)})
    select account.id, account.name, owned.domains, account.created_at, held.people, seen.first_seen_at, seen.last_seen_at
    from account
    cross join lateral (${domainsOfAccount(workspaceId)}) owned
    cross join lateral (
      select count(distinct f.person_id)::int as people
      from account_facts f
      where f.workspace_id = ${tenant(workspaceId)} and f.account_id = account.id and f.is_current
    ) held
    cross join lateral (${seenOf(workspaceId, (row) => sql`${row}.account_id = account.id`)}) seen`;
}

/** Newest first, with the id as tie-break. The page is cut before its domains are read. */
export function selectAccounts(workspaceId: string, after: Cursor | null, limit: number): SQL {
  const conditions = [sql`a.workspace_id = ${tenant(workspaceId)}`];
  if (after)
    conditions.push(sql`(a.created_at, a.id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`);
  const rows = sql`
    select account.id, account.name, owned.domains, account.created_at
    from (
      select a.id, a.name, a.is_domain, a.created_at
      from accounts a
      where ${sql.join(conditions, sql` and `)}
      order by a.created_at desc, a.id desc
      limit ${limit + 1}
    ) account
    cross join lateral (${domainsOfAccount(workspaceId)} offset 0) owned
    order by account.created_at desc, account.id desc`;
  return cutToPage(rows, sql`held.created_at desc, held.id desc`, limit);
}

/** One row with nulls if the account has nothing in the range; no row if there is no such account. */
export function readAccountTimeline(accountId: string, page: TimelinePage): SQL {
  const entries = [
    touchpointEntries(page, sql`t.account_id = account.id`),
    conversionEntries(page, sql`c.account_id = account.id`),
  ];
  return timelineOf(accountWithId(page.workspace_id, accountId), 'account', entries, page.limit);
}

export function accountRowOut(row: StoredAccountRow): AccountRow {
  return { ...row, created_at: instantOut(row.created_at) };
}

export function accountOut(row: StoredAccount): Account {
  return {
    ...row,
    created_at: instantOut(row.created_at),
    first_seen_at: instantOrNull(row.first_seen_at),
    last_seen_at: instantOrNull(row.last_seen_at),
  };
}

export function accountTimelineEntryOut(row: StoredEntry<AccountTimelineType>): AccountTimelineEntry {
  return { ...timelineEntryOut(row), person_id: row.person_id };
}
