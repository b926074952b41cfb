import { type SQL, sql } from 'drizzle-orm';
import type { accounts } from '../db/account-tables.ts';
import type { identity_links, people } from '../db/people-tables.ts';
import { tenant } from '../db/tenant.ts';
import { instantOrNull } from '../http/fields.ts';
import type { HashedIdentity } from '../ingest/person.ts';
import { type SeenTimes, seenOf } from '../stats/seen-sql.ts';
import {
  conversionEntries,
  type TimelinePage,
  timelineOf,
  touchpointEntries,
  within,
} from '../stats/timeline-sql.ts';
import { MAX_COUNTED_LINKS, MAX_SKIPPED_LINKS, type Person } from './person-schema.ts';
import { shownValue } from './shown-value-sql.ts';

/**
 * The person with an id, or the survivor if they were merged away.
 *
 * Needs: nothing. Gives: `id`, in one row or none.
 */
function personWithId(workspaceId: string, id: string): SQL {
  return sql`
    select coalesce(p.merged_into, p.id) as id
    from people p
    where p.workspace_id = ${tenant(workspaceId)} and p.id = ${id}::uuid`;
}

/**
 * Link facts with the namespaces of their identities. The rows of a fact differ only in the identity, so one of them
 * stands for the fact.
 *
 * Needs: `facts`, a select of the columns of `identity_links`, cut to as many rows as are shown. Gives: `link_id,
 * resource, item_id, occurred_at, skipped, namespaces`, a row for each fact.
 */
function linksWithNamespaces(workspaceId: string, facts: SQL): SQL {
  return sql`
    select fact.*, named.namespaces
    from (
      select distinct on (held.link_id) held.link_id, held.resource, held.item_id, held.occurred_at, held.skipped
      from (${facts}) held
      order by held.link_id
    ) fact
    cross join lateral (
      select coalesce(jsonb_agg(identity.namespace order by identity.namespace), '[]') as namespaces
      from identity_links l
      cross join lateral (
        select i.namespace from identities i where i.workspace_id = ${tenant(workspaceId)} and i.id = l.identity_id offset 0
      ) identity
      where l.workspace_id = ${tenant(workspaceId)} and l.link_id = fact.link_id and l.is_current
    ) named`;
}

/**
 * The newest skipped link facts of each identity of the person, at most `limit` of each kind: an identity may have a
 * million of them.
 *
 * Needs: `person.id`. Gives: rows `l` of `identity_links`.
 */
function newestSkipped(workspaceId: string, limit: number): SQL {
  return sql`
    select l.*
    from identities i
    cross join (values (false, 0), (false, 1), (true, 0), (true, 1)) kind (holds_user_id, precedence)
    cross join lateral (
      select l.*
      from identity_links l
      where l.workspace_id = ${tenant(workspaceId)} and l.identity_id = i.id and l.is_current and l.skipped
        and l.holds_user_id = kind.holds_user_id and l.precedence = kind.precedence
      order by l.occurred_at desc, l.item_id desc
      limit ${limit}
    ) l
    where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id`;
}

/**
 * The skipped links of the person, whether any link waits to be settled, and the number of skipped ones.
 *
 * Needs: `person.id`. Gives: `links`, a JSON list, `count`, and `is_pending`.
 */
function skippedOfPerson(workspaceId: string): SQL {
  const ofIdentity = (columns: SQL, only: SQL) => sql`
        select ${columns}
        from identities i
        join identity_links l on l.workspace_id = ${tenant(workspaceId)} and l.identity_id = i.id and ${only}
        where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id`;
  return sql`
    select (
        select coalesce(
          jsonb_agg(
            jsonb_build_object(
              'item_id', link.item_id, 'resource', link.resource, 'occurred_at', link.occurred_at,
              'namespaces', link.namespaces
            )
            order by link.occurred_at desc, link.item_id, link.link_id
          ),
          '[]'
        )
        from (${linksWithNamespaces(
          workspaceId,
          sql`
          select * from (${newestSkipped(workspaceId, MAX_SKIPPED_LINKS)}) newest
          order by newest.occurred_at desc, newest.item_id, newest.link_id
          limit ${MAX_SKIPPED_LINKS}`,
        )}) link
      ) as links,
      (
        select count(distinct counted.link_id)::int
        from (${ofIdentity(sql`l.link_id`, sql`l.is_current and l.skipped`)} limit ${MAX_COUNTED_LINKS}) counted
      ) as count,
      exists (${ofIdentity(sql``, sql`l.pending`)}) or exists (
        select
        from identities i
        join link_cursors c on c.workspace_id = ${tenant(workspaceId)} and c.identity_id = i.id
        where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id
      ) as is_pending`;
}

/**
 * The identities of the person, each with its value if that is stored. The nameless identity that an erased advocate
 * has is left out.
 *
 * Needs: `person.id`. Gives: `identities`, a JSON list.
 */
function identitiesOfPerson(workspaceId: string): SQL {
  return sql`
    select coalesce(
      jsonb_agg(
        jsonb_strip_nulls(jsonb_build_object('namespace', i.namespace, 'value', ${shownValue(sql`i`)})) order by i.namespace, i.id
      ),
      '[]'
    ) as identities
    from identities i
    where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id and i.namespace <> '~erased'`;
}

/**
 * Traits and consent of the person. The latest assertion of each trait decides, and null removes the trait.
 *
 * Needs: `person.id`. Gives: `traits`, a JSON object, and `analytics`, null without an assertion of consent.
 */
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

/**
 * The current account of the person: that of the latest fact, else that of the first future one.
 *
 * Needs: `person.id`. Gives: `value`, `{id, name}` as JSON, in one row or none.
 */
function accountOfPerson(workspaceId: string): SQL {
  return sql`
    select jsonb_build_object('id', a.id, 'name', a.name) as value
    from account_at(${workspaceId}::uuid, person.id, now()) held
    join accounts a on a.workspace_id = ${tenant(workspaceId)} and a.id = held.account_id
    offset 0`;
}

/** The row of `readPerson`. In JSON, instants are text. */
export type StoredPerson = Pick<typeof people.$inferSelect, 'id'> &
  SeenTimes & {
    identities: { namespace: string; value?: string }[];
    account: Pick<typeof accounts.$inferSelect, 'id' | 'name'> | null;
    traits: Record<string, unknown>;
    analytics: boolean;
    skipped_links: (Pick<typeof identity_links.$inferSelect, 'item_id' | 'resource'> & {
      occurred_at: string;
      namespaces: string[];
    })[];
    skipped_links_count: number;
    links_pending: boolean;
  };

/** @param person a select of `id`, with one row or none */
function readPerson(workspaceId: string, person: SQL): SQL {
  return sql`
    with person as materialized (${person})
    select person.id, owned.identities, account.value as account, said.traits, coalesce(said.analytics, true) as analytics,
      seen.first_seen_at, seen.last_seen_at, skipped.links as skipped_links, skipped.count as skipped_links_count,
      skipped.is_pending as links_pending
    from person
    cross join lateral (${identitiesOfPerson(workspaceId)}) owned
    left join lateral (${accountOfPerson(workspaceId)}) account on true
    cross join lateral (${saidOfPerson(workspaceId)}) said
    cross join lateral (${seenOf(workspaceId, (row) => sql`${row}.person_id = person.id`)}) seen
    cross join lateral (${skippedOfPerson(workspaceId)}) skipped`;
}

export function selectPerson(workspaceId: string, id: string): SQL {
  return readPerson(workspaceId, personWithId(workspaceId, id));
}

/** Looks up by hash, never by value. A merge re-points identities to the survivor, so there is no pointer to follow. */
export function selectPersonByIdentity(workspaceId: string, { namespace, value_hash }: HashedIdentity): SQL {
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

export function personOut(row: StoredPerson): Person {
  const { analytics, skipped_links, ...rest } = row;
  return {
    ...rest,
    consent: { analytics },
    first_seen_at: instantOrNull(row.first_seen_at),
    last_seen_at: instantOrNull(row.last_seen_at),
    skipped_links: skipped_links.map((link) => ({
      ...link,
      occurred_at: new Date(link.occurred_at).toISOString(),
    })),
  };
}

interface TimelineQuestion extends TimelinePage {
  person_id: string;
}

/**
 * Links as entries of a timeline. An item has one link at most, but a touchpoint and a conversion may have the same id,
 * so the resource is part of `sort_id`.
 *
 * Needs: `person.id`. Gives: `type, id, sort_id, occurred_at, person_id, fields`, cut to the page.
 */
function linkEntries(question: TimelineQuestion): SQL {
  const { workspace_id, limit } = question;
  const sortId = (row: SQL) => sql`(${row}.resource || ':' || ${row}.item_id) collate "C"`;
  const page = sql`
      select *
      from (
        select l.*
        from identities i
        cross join lateral (
          select l.*
          from identity_links l
          where l.workspace_id = ${tenant(workspace_id)} and l.identity_id = i.id and l.is_current
            and ${within(question, 'link', sql`l.occurred_at`, sortId(sql`l`))}
          order by l.occurred_at desc, ${sortId(sql`l`)}
          limit ${limit + 1}
        ) l
        where i.workspace_id = ${tenant(workspace_id)} and i.person_id = person.id
      ) newest`;
  return sql`
    select 'link' as type, link.item_id as id, ${sortId(sql`link`)} as sort_id, link.occurred_at, person.id as person_id,
      jsonb_build_object('namespaces', link.namespaces, 'skipped', link.skipped, 'resource', link.resource) as fields
    from (${linksWithNamespaces(workspace_id, page)}) link
    order by link.occurred_at desc, ${sortId(sql`link`)}
    limit ${limit + 1}`;
}

/** One row with nulls if the person has nothing in the range; no row if there is no such person. */
export function readTimeline(question: TimelineQuestion): SQL {
  const entries = [
    touchpointEntries(question, sql`t.person_id = person.id`),
    conversionEntries(question, sql`c.person_id = person.id`),
    linkEntries(question),
  ];
  const owner = personWithId(question.workspace_id, question.person_id);
  return timelineOf(owner, 'person', entries, question.limit);
}
