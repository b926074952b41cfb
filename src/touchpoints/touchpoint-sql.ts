import { type SQL, sql } from 'drizzle-orm';
import { type AuditEntry, auditRow } from '../db/audited.ts';
import type { touchpoints } from '../db/event-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import type { KeyKind } from '../domain/settings.ts';
import type { Caller } from '../http/caller.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import type { Provenance } from '../ingest/content-hash.ts';
import { CONTENT_VERSION, DECODED_HASHES, HASH_COLUMNS } from '../ingest/content-hash-sql.ts';
import { type HashedIdentity, hashesOf } from '../ingest/person.ts';
import { mayRecord } from '../ingest/publishable-sql.ts';
import {
  type AccountClaim,
  accountOfRow,
  isErased,
  isRefused,
  OF_STORED,
  outcomeOfStored,
  personOfRow,
} from '../ingest/resolve-people-sql.ts';
import { type EventListFilter, eventConditions } from '../stats/event-list-sql.ts';
import type { Touchpoint } from './touchpoint-schema.ts';

/** A touchpoint to insert. `received_at` is not part of it: the database's clock sets it. */
export interface TouchpointRow {
  id: string;
  content_hash: string;
  content_hash_v1: string | null;
  occurred_at: string;
  identities: HashedIdentity[];
  account: AccountClaim | null;
  /** Identities of the advocate; empty without one. */
  referred_by: HashedIdentity[];
  /** In hex; see `page_link_id` of the table. */
  page_link?: string;
  columns: Record<string, unknown>;
}

/** The columns that come from the wire. The record type of the JSON parameter and the insert use this one list. */
const COLUMNS = [
  ['kind', 'text'],
  ['direction', 'text'],
  ['stage', 'text'],
  ['channel', 'text'],
  ['source', 'text'],
  ['medium', 'text'],
  ['campaign', 'text'],
  ['content', 'text'],
  ['term', 'text'],
  ['conversation', 'text'],
  ['topic', 'text'],
  ['sentiment', 'float4'],
  ['url', 'text'],
  ['referrer', 'text'],
  ['properties', 'jsonb'],
] as const;

/** Needs: nothing. Gives: the names of `COLUMNS`. */
const names = sql.join(
  COLUMNS.map(([name]) => sql.identifier(name)),
  sql`, `,
);
/** Needs: an incoming row `i`. Gives: its `COLUMNS`. */
const incomingNames = sql.join(
  COLUMNS.map(([name]) => sql`i.${sql.identifier(name)}`),
  sql`, `,
);
/** Needs: nothing. Gives: the names of `COLUMNS` with their types, for a record definition. */
const recordType = sql.join(
  COLUMNS.map(([name, type]) => sql`${sql.identifier(name)} ${sql.identifier(type)}`),
  sql`, `,
);

/**
 * The rows as a select, from one JSON parameter.
 *
 * Needs: nothing. Gives: `id, hash, hash_v1, occurred_at, namespace, identity_hash, identities, referrer_namespace,
 * referrer_hash, referrer_identity_hash, page_link_id` and `COLUMNS`. `namespace` and `identity_hash` are of the first identity.
 */
function incoming(rows: readonly TouchpointRow[]): SQL {
  const json = JSON.stringify(
    rows.map(({ identities, account: _, referred_by, columns, ...row }) => ({
      ...row,
      ...hashesOf(identities),
      referrer_namespace: referred_by[0]?.namespace,
      referrer_hash: referred_by[0]?.value_hash,
      ...columns,
    })),
  );
  return sql`
    select i.*, ${DECODED_HASHES}, decode(i.value_hash, 'hex') as identity_hash,
      decode(i.referrer_hash, 'hex') as referrer_identity_hash, decode(i.page_link, 'hex') as page_link_id
    from jsonb_to_recordset(${json}::jsonb) as i (
      id text, ${HASH_COLUMNS}, occurred_at timestamptz, namespace text, value_hash text, identities jsonb,
      referrer_namespace text, referrer_hash text, page_link text, ${recordType}
    )`;
}

/**
 * The steps that determine what happens to incoming rows.
 *
 * Needs: nothing; new people are null unless `resolvePeople` ran before. Gives: `existing (id, outcome)`, the rows
 * whose id is stored, and `located`, the other rows with `person_id, identity_id, account_id, referred_by_identity_id`
 * and `refusal`, the outcome that prevents storing the row, or null.
 */
function judged(workspaceId: string, rows: readonly TouchpointRow[], kind: KeyKind): SQL {
  return sql`
    incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id, ${outcomeOfStored(sql`t`, kind)} as outcome
      from incoming i
      cross join lateral (
        select ${OF_STORED} from touchpoints where workspace_id = ${tenant(workspaceId)} and id = i.id offset 0
      ) t
    ), located as materialized (
      select i.*, identity.person_id, identity.id as identity_id, referrer.id as referred_by_identity_id,
        ${accountOfRow(workspaceId, 'touchpoints')} as account_id,
        case
          when ${isErased(workspaceId)} then 'dropped_erased'
          when ${isRefused(workspaceId)} then 'dropped_consent'
          when referrer.person_id = identity.person_id then 'self_referral'
        end as refusal
      from incoming i
      left join lateral (${personOfRow(workspaceId)}) identity on true
      left join lateral (
        select known.id, known.person_id
        from identities known
        where i.referrer_hash is not null
          and known.workspace_id = ${tenant(workspaceId)}
          and known.namespace = i.referrer_namespace
          and known.value_hash = i.referrer_identity_hash
        offset 0
      ) referrer on true
      where not exists (select from existing where existing.id = i.id)
    )`;
}

/**
 * Stores new touchpoints and returns the outcome of each row: `accepted`, `duplicate`, `conflict`, `self_referral`,
 * `dropped_erased` or `dropped_consent`. Consent is that of every named person at the time of the touchpoint, by their
 * latest assertion up to then. A row that a concurrent transaction is storing has no outcome, and the caller asks
 * again.
 *
 * A touchpoint that meets a goal's `match` records a conversion `tp:<id>` of that goal, with a publishable key only if
 * the key names the goal. If it meets several, the goals
 * after the first (by key) get `tp.<goal>:<id>`.
 *
 * The person is that of the item's first identity. Rows are inserted in id order, so that two batches cannot deadlock.
 */
export function insertTouchpoints(
  workspaceId: string,
  rows: readonly TouchpointRow[],
  { kind, goals }: Pick<Caller, 'kind' | 'goals'>,
): SQL {
  const isTrusted = sql`${kind === 'secret'}::bool`;
  return sql`
    with ${judged(workspaceId, rows, kind)},
    inserted as (
      insert into touchpoints
        (workspace_id, id, person_id, identity_id, account_id, referred_by_identity_id, occurred_at, content_hash,
        content_version, from_secret_key, page_link_id, ${names})
      select ${workspaceId}::uuid, i.id, i.person_id, i.identity_id, i.account_id, i.referred_by_identity_id,
        i.occurred_at, i.hash, ${CONTENT_VERSION}, ${isTrusted}, i.page_link_id, ${incomingNames}
      from located i
      where i.refusal is null
      order by i.id collate "C"
      on conflict do nothing
      returning *
    ), matched as (
      insert into conversions
        (workspace_id, id, goal, person_id, identity_id, account_id, occurred_at, content_hash, content_version,
        from_secret_key, value, currency, touchpoint_id)
      select t.workspace_id,
        case when row_number() over (partition by t.id order by g.key) = 1 then 'tp:' else 'tp.' || g.key || ':' end || t.id,
        g.key, t.person_id, t.identity_id, t.account_id, t.occurred_at, t.content_hash, t.content_version,
        t.from_secret_key, g.default_value, g.currency, t.id
      from inserted t
      join goals g
        on g.workspace_id = ${tenant(workspaceId)} and g.archived_at is null and g.match is not null
        and ${mayRecord(sql`g.key`, goals)}
      where exists (
        select
        from jsonb_array_elements(g.match -> 'touchpoints') filter
        where not exists (
          select
          from jsonb_each(filter) field
          where not field.value @> coalesce(to_jsonb(t) -> field.key, 'null')
        )
      )
      on conflict do nothing
    )
    select id, outcome from existing where outcome <> 'replaceable'
    union all
    select id, 'accepted' from inserted
    union all
    select id, refusal from located where refusal is not null`;
}

/** The outcomes that `insertTouchpoints` would return, without storing anything. */
export function checkTouchpoints(workspaceId: string, rows: readonly TouchpointRow[], kind: KeyKind): SQL {
  return sql`
    with ${judged(workspaceId, rows, kind)}
    select id, replace(outcome, 'replaceable', 'accepted') as outcome from existing
    union all
    select id, coalesce(refusal, 'accepted') from located`;
}

/** Needs: a touchpoint `t`. Gives: the columns that `touchpointOut` reads. */
const stored = sql`
  t.id, t.person_id, t.account_id, t.occurred_at, t.received_at, t.voided_at, t.kind, t.direction, t.stage, t.channel, t.source,
  t.medium, t.campaign, t.content, t.term, t.conversation, t.topic, t.sentiment, t.url, t.referrer, t.properties,
  (
    select i.person_id from identities i where i.workspace_id = t.workspace_id and i.id = t.referred_by_identity_id
  ) as referred_by_person_id`;
export type StoredTouchpoint = Omit<
  typeof touchpoints.$inferSelect,
  'workspace_id' | 'identity_id' | 'referred_by_identity_id' | Provenance
> & { referred_by_person_id: string | null };

export function selectTouchpoint(workspaceId: string, id: string): SQL {
  return sql`
    select ${stored}
    from touchpoints t
    where t.workspace_id = ${tenant(workspaceId)} and t.id = ${id}`;
}

/** Newest first, with the id as tie-break, so a page never repeats or skips a row while others are written. */
export function selectTouchpoints(
  workspaceId: string,
  filter: EventListFilter,
  where: readonly SQL[],
  after: Cursor | null,
  limit: number,
): SQL {
  const conditions = [...eventConditions(workspaceId, sql`t`, filter, after), ...where];
  const rows = sql`
    select ${stored}
    from touchpoints t
    where ${sql.join(conditions, sql` and `)}
    order by t.occurred_at desc, t.id desc
    limit ${limit + 1}`;
  return cutToPage(rows, sql`held.occurred_at desc, held.id desc`, limit);
}

/**
 * Voids a touchpoint and retracts the conversions that it recorded through the `match` of goals. Voiding it again keeps
 * the time of the first void, and is not logged again.
 */
export function updateTouchpointVoided(workspaceId: string, id: string, entry: AuditEntry): SQL {
  const at = entry.actor.now.toISOString();
  return sql`
    with voided as (
      update touchpoints t set voided_at = coalesce(t.voided_at, ${at}::timestamptz)
      where t.workspace_id = ${tenant(workspaceId)} and t.id = ${id}
      returning ${stored}
    ), retracted as (
      insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash, content_version)
      select c.workspace_id, 'void:' || c.id, c.id, 'retraction', ${at}::timestamptz, coalesce(c.content_hash, ''),
        c.content_version
      from conversions c
      join voided on voided.id = c.touchpoint_id
      where c.workspace_id = ${tenant(workspaceId)}
      on conflict do nothing
    ), logged as (${auditRow(entry, sql`voided`, sql`voided_at = ${at}::timestamptz`)})
    select * from voided`;
}

/** The wire form of a row of `stored` columns. */
export function touchpointOut(row: StoredTouchpoint): Touchpoint {
  const { conversation, topic, ...rest } = row;
  return {
    ...rest,
    occurred_at: instantOut(row.occurred_at),
    received_at: instantOut(row.received_at),
    voided_at: instantOrNull(row.voided_at),
    conversation: conversation === null ? null : { id: conversation, topic },
  };
}
