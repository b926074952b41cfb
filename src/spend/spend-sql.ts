import { type SQL, sql } from 'drizzle-orm';
import type { spend } from '../db/money-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import { amountOut, instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import type { Provenance } from '../ingest/content-hash.ts';
import { CONTENT_VERSION, DECODED_HASHES, HASH_COLUMNS, isSameContent } from '../ingest/content-hash-sql.ts';
import type { Spend, SpendWithHistory } from './spend-schema.ts';

/** A row of spend to store; `amount` is decimal text. */
export interface SpendRow {
  id: string;
  content_hash: string;
  content_hash_v1: string | null;
  from: string;
  to: string;
  channel: string | null;
  source: string | null;
  medium: string | null;
  campaign: string | null;
  amount: string;
  currency: string;
}

/** Needs: a row of spend `s`. Gives: the columns of its content. */
const said = sql`s."from"::text, s."to"::text, s.channel, s.source, s.medium, s.campaign, s.amount, s.currency`;
/** Needs: nothing. Gives: the names of the columns of the content. */
const columns = sql`"from", "to", channel, source, medium, campaign, amount, currency`;
/** Needs: a row of spend `s`. Gives: the columns that `spendOut` reads. */
const stored = sql`s.id, ${said}, s.version, s.received_at, s.updated_at`;
export type StoredSpend = Omit<typeof spend.$inferSelect, 'workspace_id' | Provenance>;

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, hash_v1` and `columns`.
 */
function incoming(rows: readonly SpendRow[]): SQL {
  return sql`
    select i.*, ${DECODED_HASHES}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as i (
      id text, ${HASH_COLUMNS}, "from" date, "to" date, channel text, source text, medium text, campaign text,
      amount numeric, currency text
    )`;
}

/**
 * The steps that compare incoming rows with stored ones.
 *
 * Needs: nothing. Gives: `incoming`, the rows, and `existing (id, outcome)`, those whose id is stored, with the outcome
 * `duplicate` or `replaced`.
 */
function judged(workspaceId: string, rows: readonly SpendRow[]): SQL {
  return sql`
    incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id,
        case when ${isSameContent(sql`s`)} then 'duplicate' else 'replaced' end as outcome
      from incoming i
      cross join lateral (
        select s.content_hash, s.content_version
        from spend s
        where s.workspace_id = ${tenant(workspaceId)} and s.id = i.id
        offset 0
      ) s
    )`;
}

/**
 * Makes batches of spend in one workspace run one after another. It runs before `upsertSpend`, in the same transaction.
 * Row locks do not suffice: a row that is stored between the two statements is replaced without having been locked, in
 * no fixed order, and two such batches deadlock.
 */
export function lockSpend(workspaceId: string): SQL {
  return sql`select pg_advisory_xact_lock(hashtextextended(${`spend ${workspaceId}`}, 0))`;
}

/**
 * Stores rows and returns the outcome of each: `accepted`, `duplicate`, or `replaced` if the id was stored with other
 * content, because ad platforms restate spend. The trigger on `spend` keeps the earlier version.
 */
export function upsertSpend(workspaceId: string, rows: readonly SpendRow[]): SQL {
  return sql`
    with ${judged(workspaceId, rows)},
    replaced as (
      update spend s set
        "from" = i."from", "to" = i."to", channel = i.channel, source = i.source, medium = i.medium, campaign = i.campaign,
        amount = i.amount, currency = i.currency, content_hash = i.hash,
        content_version = ${CONTENT_VERSION}, version = s.version + 1, updated_at = now()
      from incoming i
      where s.workspace_id = ${tenant(workspaceId)} and s.id = i.id
        and i.id in (select id from existing where outcome = 'replaced')
    ), inserted as (
      insert into spend (workspace_id, id, ${columns}, content_hash, content_version)
      select ${workspaceId}::uuid, id, ${columns}, hash, ${CONTENT_VERSION}
      from incoming i
      where not exists (select from existing where existing.id = i.id)
      order by id collate "C"
      on conflict do nothing
      returning id
    )
    select id, outcome from existing
    union all
    select id, 'accepted' from inserted`;
}

/** The outcomes that `upsertSpend` would return, without storing anything. */
export function checkSpend(workspaceId: string, rows: readonly SpendRow[]): SQL {
  return sql`
    with ${judged(workspaceId, rows)}
    select i.id, coalesce(e.outcome, 'accepted') as outcome
    from incoming i
    left join existing e on e.id = i.id`;
}

/** The rows that a list shows. Null matches all; days are inclusive. */
export interface SpendFilter {
  from: string | null;
  to: string | null;
  channel: string | null;
  updated_after: string | null;
}

/** By first receipt, newest first, with the id as tie-break. A row that is replaced keeps its position. */
export function selectSpendRows(
  workspaceId: string,
  filter: SpendFilter,
  after: Cursor | null,
  limit: number,
): SQL {
  const { from, to, channel, updated_after } = filter;
  const conditions = [sql`s.workspace_id = ${tenant(workspaceId)}`];
  if (from) conditions.push(sql`s."to" >= ${from}::date`);
  if (to) conditions.push(sql`s."from" <= ${to}::date`);
  if (channel) conditions.push(sql`s.channel = ${channel}`);
  if (updated_after) conditions.push(sql`s.updated_at > ${updated_after}::timestamptz`);
  if (after)
    conditions.push(sql`(s.received_at, s.id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`);
  const rows = sql`
    select ${stored}
    from spend s
    where ${sql.join(conditions, sql` and `)}
    order by s.received_at desc, s.id desc
    limit ${limit + 1}`;
  return cutToPage(rows, sql`held.received_at desc, held.id desc`, limit);
}

/** A row with its earlier versions. In JSON, instants are text and amounts are numbers. */
export type StoredSpendWithHistory = StoredSpend & {
  history: {
    version: number;
    replaced_at: string;
    was: Pick<StoredSpend, 'from' | 'to' | 'channel' | 'source' | 'medium' | 'campaign' | 'currency'> & {
      amount: number;
    };
  }[];
};

/** One row with its earlier versions, or no row. */
export function selectSpend(workspaceId: string, id: string): SQL {
  return sql`
    select ${stored}, (
        select coalesce(json_agg(json_build_object(
          'version', h.version, 'replaced_at', h.replaced_at,
          'was', h.was - array['id', 'content_hash', 'version', 'received_at', 'updated_at']
        ) order by h.version desc), '[]')
        from row_versions h
        where h.workspace_id = ${tenant(workspaceId)} and h.table_name = 'spend' and h.row_key = s.id
      ) as history
    from spend s
    where s.workspace_id = ${tenant(workspaceId)} and s.id = ${id}`;
}

export function spendOut(row: StoredSpend): Spend {
  return {
    ...row,
    amount: amountOut(row.amount),
    received_at: instantOut(row.received_at),
    updated_at: instantOut(row.updated_at),
  };
}

export function spendWithHistoryOut({ history, ...row }: StoredSpendWithHistory): SpendWithHistory {
  return {
    ...spendOut(row),
    history: history.map(({ version, replaced_at, was }) => ({
      ...was,
      version,
      replaced_at: new Date(replaced_at).toISOString(),
    })),
  };
}
