import { type SQL, sql } from 'drizzle-orm';
import type { conversions } from '../db/event-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import type { KeyKind } from '../domain/settings.ts';
import { amountOrNull, instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import type { Provenance } from '../ingest/content-hash.ts';
import { CONTENT_VERSION, DECODED_HASHES, HASH_COLUMNS } from '../ingest/content-hash-sql.ts';
import { type HashedIdentity, hashesOf } from '../ingest/person.ts';
import {
  type AccountClaim,
  accountOfRow,
  isErased,
  OF_STORED,
  outcomeOfStored,
  personOfRow,
} from '../ingest/resolve-people-sql.ts';
import { type EventListFilter, eventConditions } from '../stats/event-list-sql.ts';
import { joinNetAdjustments } from '../stats/net-conversion-sql.ts';
import type { Conversion } from './conversion-schema.ts';

/** A conversion to insert; `value` is decimal text. */
export interface ConversionRow {
  id: string;
  content_hash: string;
  content_hash_v1: string | null;
  goal: string;
  occurred_at: string;
  identities: HashedIdentity[];
  account: AccountClaim | null;
  /** In hex; see `page_link_id` of the table. */
  page_link?: string;
  value: string | null;
  currency: string | null;
  properties: unknown;
}

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, hash_v1, page_link_id, goal, occurred_at, namespace, identity_hash, identities, value, currency,
 * properties`. `namespace` and `identity_hash` are of the first identity.
 */
function incoming(rows: readonly ConversionRow[]): SQL {
  const json = JSON.stringify(
    rows.map(({ identities, account: _, ...row }) => ({ ...row, ...hashesOf(identities) })),
  );
  return sql`
    select i.*, ${DECODED_HASHES}, decode(i.value_hash, 'hex') as identity_hash,
      decode(i.page_link, 'hex') as page_link_id
    from jsonb_to_recordset(${json}::jsonb) as i (
      id text, ${HASH_COLUMNS}, goal text, occurred_at timestamptz, namespace text, value_hash text, identities jsonb,
      page_link text, value numeric, currency text, properties jsonb
    )`;
}

/**
 * Stores new conversions and returns the outcome of each row: `accepted`, `duplicate`, `conflict`, `dropped_erased` or
 * `unknown_goal`. A row that a concurrent transaction is storing has no outcome, and the caller asks again.
 *
 * A conversion without a value gets the goal's default value, in the goal's currency. If the goal has none either, the
 * currency is the one sent, or else the goal's, and restatements are in it.
 *
 * An unknown goal comes before all else for a page, which is told of it: the answer must not depend on what is stored.
 */
export function insertConversions(
  workspaceId: string,
  workspaceCurrency: string,
  rows: readonly ConversionRow[],
  kind: KeyKind,
): SQL {
  const isOfPage = kind === 'publishable';
  const hasGoal = sql`exists (
        select from goals g where g.workspace_id = ${tenant(workspaceId)} and g.key = i.goal and g.archived_at is null
      )`;
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id, ${outcomeOfStored(sql`c`, kind)} as outcome
      from incoming i
      cross join lateral (
        select ${OF_STORED} from conversions where workspace_id = ${tenant(workspaceId)} and id = i.id offset 0
      ) c
      where ${isOfPage ? hasGoal : sql`true`}
    ), wanted as (
      select i.*, g.key, g.default_value, g.currency as default_currency, ${isErased(workspaceId)} as is_erased
      from incoming i
      left join goals g on g.workspace_id = ${tenant(workspaceId)} and g.key = i.goal and g.archived_at is null
      where not exists (select from existing where existing.id = i.id)
    ), inserted as (
      insert into conversions
        (workspace_id, id, goal, person_id, identity_id, account_id, occurred_at, content_hash, content_version,
        from_secret_key, page_link_id, value, currency, properties)
      select ${workspaceId}::uuid, i.id, i.key, identity.person_id, identity.id,
        ${accountOfRow(workspaceId, 'conversions')}, i.occurred_at, i.hash,
        ${CONTENT_VERSION}, ${kind === 'secret'}::bool, i.page_link_id, coalesce(i.value, i.default_value),
        case
          when i.value is not null then coalesce(i.currency, ${workspaceCurrency})
          when i.default_value is not null then i.default_currency
          else coalesce(i.currency, i.default_currency)
        end,
        i.properties
      from wanted i
      cross join lateral (${personOfRow(workspaceId)}) identity
      where i.key is not null and not i.is_erased
      order by i.id collate "C"
      on conflict do nothing
      returning id
    )
    select id, outcome from existing where outcome <> 'replaceable'
    union all
    select id, 'accepted' from inserted
    union all
    select id, case when is_erased and ${isOfPage ? sql`key is not null` : sql`true`} then 'dropped_erased' else 'unknown_goal' end
    from wanted
    where key is null or is_erased`;
}

/** The outcomes that `insertConversions` would return, without storing anything. */
export function checkConversions(workspaceId: string, rows: readonly ConversionRow[], kind: KeyKind): SQL {
  return sql`
    select i.id,
      case
        when g.key is null and ${kind === 'publishable'}::bool then 'unknown_goal'
        when c.id is not null then replace(${outcomeOfStored(sql`c`, kind)}, 'replaceable', 'accepted')
        when ${isErased(workspaceId)} then 'dropped_erased'
        when g.key is null then 'unknown_goal'
        else 'accepted'
      end as outcome
    from (${incoming(rows)}) i
    left join conversions c on c.workspace_id = ${tenant(workspaceId)} and c.id = i.id
    left join goals g on g.workspace_id = ${tenant(workspaceId)} and g.key = i.goal and g.archived_at is null`;
}

/** Needs: a conversion `c` and `joinNetAdjustments`. Gives: the columns that `conversionOut` reads. */
const stored = sql`
  c.id, c.goal, c.person_id, c.account_id, c.occurred_at, c.received_at, c.value, c.currency, c.touchpoint_id, c.properties,
  coalesce(n.retracted, false) as retracted,
  case when n.retracted then 0 else coalesce(n.restated_value, c.value) end as net_value`;
export type StoredConversion = Omit<
  typeof conversions.$inferSelect,
  'workspace_id' | 'identity_id' | Provenance
> & { retracted: boolean; net_value: string | null };

export function selectConversion(workspaceId: string, id: string): SQL {
  return sql`
    select ${stored}
    from conversions c
    ${joinNetAdjustments(workspaceId)}
    where c.workspace_id = ${tenant(workspaceId)} and c.id = ${id}`;
}

/** Newest first, with the id as tie-break. The page is cut before its adjustments are read. */
export function selectConversions(
  workspaceId: string,
  filter: EventListFilter,
  goals: readonly string[] | null,
  after: Cursor | null,
  limit: number,
): SQL {
  const conditions = eventConditions(workspaceId, sql`c`, filter, after);
  if (goals) conditions.push(sql`c.goal = any(${sql.param(goals)}::text[])`);
  const rows = sql`
      select c.*
      from conversions c
      where ${sql.join(conditions, sql` and `)}
      order by c.occurred_at desc, c.id desc
      limit ${limit + 1}`;
  return sql`
    with page as (${cutToPage(rows, sql`held.occurred_at desc, held.id desc`, limit)})
    select ${stored}, c.has_next
    from page c
    ${joinNetAdjustments(workspaceId)}
    order by c.occurred_at desc, c.id desc`;
}

/** The wire form of a row of `stored` columns. */
export function conversionOut(row: StoredConversion): Conversion {
  return {
    ...row,
    occurred_at: instantOut(row.occurred_at),
    received_at: instantOut(row.received_at),
    value: amountOrNull(row.value),
    net_value: amountOrNull(row.net_value),
  };
}
