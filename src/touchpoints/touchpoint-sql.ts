import { type SQL, sql } from 'drizzle-orm';
import type { Row } from '../db/client.ts';
import { isErased, outcomeOfStored, personOfRow } from '../db/resolve-people.ts';
import { tenant } from '../db/tenant.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import { type HashedIdentity, hashesOf } from '../http/ingest/person.ts';
import type { Cursor } from '../http/paging.ts';
import type { Touchpoint } from './touchpoint-schema.ts';

/** A touchpoint on its way in. `received_at` comes from the database's clock, the commit's side. */
export interface TouchpointRow {
  id: string;
  content_hash: string;
  occurred_at: string;
  identities: HashedIdentity[];
  columns: Record<string, unknown>;
}

/** The wire's columns, in one place: the record type of the JSON parameter, and the insert's list. */
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

const names = sql.join(
  COLUMNS.map(([name]) => sql.identifier(name)),
  sql`, `,
);
const incomingNames = sql.join(
  COLUMNS.map(([name]) => sql`i.${sql.identifier(name)}`),
  sql`, `,
);
const recordType = sql.join(
  COLUMNS.map(([name, type]) => sql`${sql.identifier(name)} ${sql.identifier(type)}`),
  sql`, `,
);

function incoming(rows: readonly TouchpointRow[]): SQL {
  const json = JSON.stringify(
    rows.map(({ id, content_hash, occurred_at, identities, columns }) => ({
      id,
      content_hash,
      occurred_at,
      ...hashesOf(identities),
      ...columns,
    })),
  );
  return sql`
    select i.*, decode(i.content_hash, 'hex') as hash
    from jsonb_to_recordset(${json}::jsonb) as i (
      id text, content_hash text, occurred_at timestamptz, namespace text, value_hash text, identities jsonb, ${recordType}
    )`;
}

/**
 * Stores new touchpoints and says what became of each row: `accepted`, `duplicate`, `conflict`, or
 * dropped: `dropped_consent` where the person's last word on it, at the time of the touchpoint, was no, and
 * `dropped_erased`. A row that
 * another transaction was storing at the same moment is in none of them, and is asked for again.
 * A touchpoint that fits a goal's `match` records a conversion `tp:<id>` of that goal; were there several goals,
 * those after the first (by key) get `tp.<goal>:<id>`.
 * The person is the one of the item's first identity; order by id so that two batches never wait for each other
 * in a circle.
 */
export function insertTouchpoints(workspaceId: string, rows: readonly TouchpointRow[]): SQL {
  return sql`
    with incoming as materialized (${incoming(rows)}),
    existing as materialized (
      select i.id, ${outcomeOfStored(sql`t.content_hash`)} as outcome
      from incoming i
      cross join lateral (
        select content_hash from touchpoints where workspace_id = ${tenant(workspaceId)} and id = i.id offset 0
      ) t
    ), located as materialized (
      select i.*, identity.person_id, identity.id as identity_id, ${isErased(workspaceId)} as is_erased, (
        select u.analytics_consent
        from person_updates u
        where u.workspace_id = ${tenant(workspaceId)}
          and u.person_id = identity.person_id
          and u.analytics_consent is not null
          and u.occurred_at <= i.occurred_at
        order by u.occurred_at desc, u.id desc
        limit 1
      ) is false as refused
      from incoming i
      left join lateral (${personOfRow(workspaceId)}) identity on true
      where not exists (select from existing where existing.id = i.id)
    ), inserted as (
      insert into touchpoints (workspace_id, id, person_id, identity_id, occurred_at, content_hash, ${names})
      select ${workspaceId}::uuid, i.id, i.person_id, i.identity_id, i.occurred_at, i.hash, ${incomingNames}
      from located i
      where not i.refused and not i.is_erased
      order by i.id collate "C"
      on conflict do nothing
      returning *
    ), matched as (
      insert into conversions
        (workspace_id, id, goal, person_id, identity_id, occurred_at, content_hash, value, currency, touchpoint_id)
      select t.workspace_id,
        case when row_number() over (partition by t.id order by g.key) = 1 then 'tp:' else 'tp.' || g.key || ':' end || t.id,
        g.key, t.person_id, t.identity_id, t.occurred_at, t.content_hash, g.default_value, g.currency, t.id
      from inserted t
      join goals g
        on g.workspace_id = ${tenant(workspaceId)} and g.archived_at is null and g.match is not null
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
    select id, outcome from existing
    union all
    select id, 'accepted' from inserted
    union all
    select id, case when is_erased then 'dropped_erased' else 'dropped_consent' end
    from located
    where refused or is_erased`;
}

/** What `insertTouchpoints` would answer, without storing. */
export function checkTouchpoints(workspaceId: string, rows: readonly TouchpointRow[]): SQL {
  return sql`
    select i.id,
      case when t.id is null then 'accepted' else ${outcomeOfStored(sql`t.content_hash`)} end as outcome
    from (${incoming(rows)}) i
    left join touchpoints t on t.workspace_id = ${tenant(workspaceId)} and t.id = i.id`;
}

const stored = sql`
  t.id, t.person_id, t.occurred_at, t.received_at, t.voided_at, t.kind, t.direction, t.stage, t.channel, t.source,
  t.medium, t.campaign, t.content, t.term, t.conversation, t.topic, t.sentiment, t.url, t.referrer, t.properties`;

export function getTouchpoint(workspaceId: string, id: string): SQL {
  return sql`
    select ${stored}
    from touchpoints t
    where t.workspace_id = ${tenant(workspaceId)} and t.id = ${id}`;
}

export interface TouchpointFilter {
  from: Date | null;
  to: Date | null;
  received_after: string | null;
  person_id: string | null;
  conditions: SQL[];
}

/** Newest first; the id breaks ties, so a page never repeats or skips a row while others are written. */
export function listTouchpoints(
  workspaceId: string,
  filter: TouchpointFilter,
  after: Cursor | null,
  limit: number,
): SQL {
  const conditions = [sql`t.workspace_id = ${tenant(workspaceId)}`, ...filter.conditions];
  if (filter.from) conditions.push(sql`t.occurred_at >= ${filter.from.toISOString()}::timestamptz`);
  if (filter.to) conditions.push(sql`t.occurred_at < ${filter.to.toISOString()}::timestamptz`);
  if (filter.received_after) conditions.push(sql`t.received_at > ${filter.received_after}::timestamptz`);
  if (filter.person_id) conditions.push(sql`t.person_id = ${filter.person_id}::uuid`);
  if (after)
    conditions.push(sql`(t.occurred_at, t.id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`);
  return sql`
    select ${stored}
    from touchpoints t
    where ${sql.join(conditions, sql` and `)}
    order by t.occurred_at desc, t.id desc
    limit ${limit + 1}`;
}

/**
 * Voids a touchpoint and retracts the conversions that it recorded by a goal's `match`. Voiding twice keeps the
 * first time.
 */
export function voidTouchpoint(workspaceId: string, id: string, now: Date): SQL {
  const at = now.toISOString();
  return sql`
    with voided as (
      update touchpoints t set voided_at = coalesce(t.voided_at, ${at}::timestamptz)
      where t.workspace_id = ${tenant(workspaceId)} and t.id = ${id}
      returning ${stored}
    ), retracted as (
      insert into adjustments (workspace_id, id, conversion_id, kind, occurred_at, content_hash)
      select c.workspace_id, 'void:' || c.id, c.id, 'retraction', ${at}::timestamptz, coalesce(c.content_hash, '')
      from conversions c
      join voided on voided.id = c.touchpoint_id
      where c.workspace_id = ${tenant(workspaceId)}
      on conflict do nothing
    )
    select * from voided`;
}

/** A row of `stored` columns on its way out. */
export function touchpointOut(row: Row): Touchpoint {
  const { conversation, topic, ...rest } = row;
  return {
    ...rest,
    occurred_at: instantOut(row.occurred_at),
    received_at: instantOut(row.received_at),
    voided_at: instantOrNull(row.voided_at),
    conversation: conversation === null ? null : { id: conversation, topic },
  } as Touchpoint;
}
