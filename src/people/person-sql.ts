import { type SQL, sql } from 'drizzle-orm';
import type { Row } from '../db/client.ts';
import { joinNetAdjustments } from '../db/net-conversions.ts';
import { tenant } from '../db/tenant.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import type { HashedIdentity } from '../http/ingest/person.ts';
import { EMPTY_ENTRY, type Person, type TimelineEntry, type TimelineType } from './person-schema.ts';

/** The person of an id, and the survivor of one that was merged away. */
function personWithId(workspaceId: string, id: string): SQL {
  return sql`
    select coalesce(p.merged_into, p.id) as id
    from people p
    where p.workspace_id = ${tenant(workspaceId)} and p.id = ${id}::uuid`;
}

/**
 * The facts that touch an identity of `person`: `link_id, resource, item_id, occurred_at, skipped, namespaces`. All
 * rows of a fact say the same but for the identity.
 */
function linksOfPerson(workspaceId: string, only: SQL): SQL {
  return sql`
    select fact.*, named.namespaces
    from (
      select distinct on (touched.link_id) touched.*
      from identities i
      cross join lateral (
        select l.link_id, l.resource, l.item_id, l.occurred_at, l.skipped
        from identity_links l
        where l.workspace_id = ${tenant(workspaceId)} and l.identity_id = i.id and ${only}
        offset 0
      ) touched
      where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id
      order by touched.link_id
    ) fact
    cross join lateral (
      select coalesce(jsonb_agg(identity.namespace order by identity.namespace), '[]') as namespaces
      from identity_links l
      cross join lateral (
        select i.namespace from identities i where i.workspace_id = ${tenant(workspaceId)} and i.id = l.identity_id offset 0
      ) identity
      where l.workspace_id = ${tenant(workspaceId)} and l.link_id = fact.link_id
    ) named`;
}

/** The identities of `person`; the value only where it is stored. */
function identitiesOfPerson(workspaceId: string): SQL {
  return sql`
    select coalesce(
      jsonb_agg(
        jsonb_strip_nulls(jsonb_build_object('namespace', i.namespace, 'value', i.value)) order by i.namespace, i.id
      ),
      '[]'
    ) as identities
    from identities i
    where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id`;
}

/** What was said of `person`, the last word on each key deciding; null takes the key away. */
function saidOfPerson(workspaceId: string): SQL {
  return sql`
    select coalesce(jsonb_object_agg(latest.key, latest.value) filter (where latest.value <> 'null'), '{}') as traits,
      (
        select u.analytics_consent
        from person_updates u
        where u.workspace_id = ${tenant(workspaceId)} and u.person_id = person.id and u.analytics_consent is not null
        order by u.occurred_at desc, u.id desc
        limit 1
      ) as analytics
    from (
      select distinct on (trait.key) trait.key, trait.value
      from person_updates u
      cross join lateral jsonb_each(u.traits) trait
      where u.workspace_id = ${tenant(workspaceId)} and u.person_id = person.id
      order by trait.key, u.occurred_at desc, u.id desc
    ) latest`;
}

/** When `person` was there. What a voided touchpoint recorded never happened either. */
function seenOfPerson(workspaceId: string): SQL {
  return sql`
    select least(touched.first_at, converted.first_at) as first_seen_at,
      greatest(touched.last_at, converted.last_at) as last_seen_at
    from (
      select min(t.occurred_at) as first_at, max(t.occurred_at) as last_at
      from touchpoints t
      where t.workspace_id = ${tenant(workspaceId)} and t.person_id = person.id and t.voided_at is null
    ) touched
    cross join (
      select min(c.occurred_at) as first_at, max(c.occurred_at) as last_at
      from conversions c
      left join lateral (
        select t.voided_at from touchpoints t where t.workspace_id = ${tenant(workspaceId)} and t.id = c.touchpoint_id offset 0
      ) recorder on true
      where c.workspace_id = ${tenant(workspaceId)} and c.person_id = person.id and recorder.voided_at is null
    ) converted`;
}

/** `person` is a statement that gives the id. */
function readPerson(workspaceId: string, person: SQL): SQL {
  return sql`
    with person as materialized (${person})
    select person.id, owned.identities, said.traits, coalesce(said.analytics, true) as analytics,
      seen.first_seen_at, seen.last_seen_at, skipped.links as skipped_links
    from person
    cross join lateral (${identitiesOfPerson(workspaceId)}) owned
    cross join lateral (${saidOfPerson(workspaceId)}) said
    cross join lateral (${seenOfPerson(workspaceId)}) seen
    cross join lateral (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'item_id', link.item_id, 'resource', link.resource, 'occurred_at', link.occurred_at,
            'namespaces', link.namespaces
          )
          order by link.occurred_at desc, link.item_id, link.link_id
        ),
        '[]'
      ) as links
      from (${linksOfPerson(workspaceId, sql`l.skipped`)}) link
    ) skipped`;
}

export function getPerson(workspaceId: string, id: string): SQL {
  return readPerson(workspaceId, personWithId(workspaceId, id));
}

/** Always by hash. A merge takes the identities along, so there is no pointer to follow. */
export function lookupPerson(workspaceId: string, { namespace, value_hash }: HashedIdentity): SQL {
  return readPerson(
    workspaceId,
    sql`
      select i.person_id as id
      from identities i
      where i.workspace_id = ${tenant(workspaceId)}
        and i.namespace = ${namespace}
        and i.value_hash = decode(${value_hash}, 'hex')`,
  );
}

export function personOut(row: Row): Person {
  const { analytics, skipped_links, ...rest } = row;
  return {
    ...rest,
    consent: { analytics },
    first_seen_at: instantOrNull(row.first_seen_at),
    last_seen_at: instantOrNull(row.last_seen_at),
    skipped_links: (skipped_links as Person['skipped_links']).map((link) => ({
      ...link,
      occurred_at: new Date(link.occurred_at).toISOString(),
    })),
  } as Person;
}

/** The last row of a page. `sort_id` is unique within its type. */
export interface TimelinePlace {
  at: string;
  type: TimelineType;
  sort_id: string;
}

interface TimelineQuestion {
  workspace_id: string;
  person_id: string;
  from: Date | null;
  to: Date | null;
  after: TimelinePlace | null;
  limit: number;
}

/** Bounds and cursor on the rows of one type, in the order (occurred_at desc, type, sort_id). */
function within(question: TimelineQuestion, type: TimelineType, at: SQL, sortId: SQL): SQL {
  const { from, to, after } = question;
  const conditions = [sql`true`];
  if (from) conditions.push(sql`${at} >= ${from.toISOString()}::timestamptz`);
  if (to) conditions.push(sql`${at} < ${to.toISOString()}::timestamptz`);
  if (after) {
    const bound = sql`${after.at}::timestamptz`;
    conditions.push(type < after.type ? sql`${at} < ${bound}` : sql`${at} <= ${bound}`);
    if (type === after.type)
      conditions.push(sql`(${at} < ${bound} or ${sortId} > ${after.sort_id}::text collate "C")`);
  }
  return sql.join(conditions, sql` and `);
}

function touchpointEntries(question: TimelineQuestion): SQL {
  return sql`
    select 'touchpoint' as type, t.id, t.id as sort_id, t.occurred_at,
      jsonb_build_object(
        'kind', t.kind, 'channel', t.channel, 'direction', t.direction, 'voided_at', t.voided_at,
        'conversation', case when t.conversation is not null then jsonb_build_object('id', t.conversation, 'topic', t.topic) end
      ) as fields
    from touchpoints t
    where t.workspace_id = ${tenant(question.workspace_id)}
      and t.person_id = person.id
      and ${within(question, 'touchpoint', sql`t.occurred_at`, sql`t.id`)}
    order by t.occurred_at desc, t.id
    limit ${question.limit + 1}`;
}

/** The page is cut before its adjustments are read. */
function conversionEntries(question: TimelineQuestion): SQL {
  return sql`
    select 'conversion' as type, c.id, c.id as sort_id, c.occurred_at,
      jsonb_build_object(
        'goal', c.goal, 'value', c.value, 'currency', c.currency, 'retracted', coalesce(n.retracted, false),
        'net_value', case when n.retracted then 0 else coalesce(n.restated_value, c.value) end
      ) as fields
    from (
      select c.*
      from conversions c
      where c.workspace_id = ${tenant(question.workspace_id)}
        and c.person_id = person.id
        and ${within(question, 'conversion', sql`c.occurred_at`, sql`c.id`)}
      order by c.occurred_at desc, c.id
      limit ${question.limit + 1}
    ) c
    ${joinNetAdjustments(question.workspace_id)}`;
}

/** An item has one link at most, but a touchpoint and a conversion may have the same id. */
function linkEntries(question: TimelineQuestion): SQL {
  const sortId = sql`(link.resource || ':' || link.item_id) collate "C"`;
  return sql`
    select 'link' as type, link.item_id as id, ${sortId} as sort_id, link.occurred_at,
      jsonb_build_object('namespaces', link.namespaces, 'skipped', link.skipped, 'resource', link.resource) as fields
    from (${linksOfPerson(question.workspace_id, within(question, 'link', sql`l.occurred_at`, sql`(l.resource || ':' || l.item_id) collate "C"`))}) link
    order by link.occurred_at desc, ${sortId}
    limit ${question.limit + 1}`;
}

/** One row with nulls where the person has nothing in the range; no row where there is no such person. */
export function readTimeline(question: TimelineQuestion): SQL {
  return sql`
    with person as materialized (${personWithId(question.workspace_id, question.person_id)})
    select entry.*
    from person
    left join lateral (
      select *
      from (
        (${touchpointEntries(question)})
        union all
        (${conversionEntries(question)})
        union all
        (${linkEntries(question)})
      ) every_entry
      order by every_entry.occurred_at desc, every_entry.type collate "C", every_entry.sort_id collate "C"
      limit ${question.limit + 1}
    ) entry on true
    order by entry.occurred_at desc, entry.type collate "C", entry.sort_id collate "C"`;
}

export interface TimelineRow extends Row {
  type: TimelineType | null;
  sort_id: string;
  fields: Partial<TimelineEntry>;
}

export function timelineEntryOut(row: TimelineRow): TimelineEntry {
  const voidedAt = row.fields.voided_at ?? null;
  return {
    type: row.type,
    id: row.id,
    occurred_at: instantOut(row.occurred_at),
    ...EMPTY_ENTRY,
    ...row.fields,
    voided_at: voidedAt === null ? null : new Date(voidedAt).toISOString(),
  } as TimelineEntry;
}
