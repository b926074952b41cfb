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
import type { Person } from './person-schema.ts';

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
 * The link facts that hold an identity of the person. The rows of a fact differ only in the identity, so one of them
 * stands for the fact.
 *
 * Needs: `person.id`. Gives: `link_id, resource, item_id, occurred_at, skipped, namespaces`, a row for each fact.
 * @param only a condition on the fact's row `l`
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
        where l.workspace_id = ${tenant(workspaceId)} and l.identity_id = i.id and l.is_current and ${only}
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
      where l.workspace_id = ${tenant(workspaceId)} and l.link_id = fact.link_id and l.is_current
    ) named`;
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
        jsonb_strip_nulls(jsonb_build_object('namespace', i.namespace, 'value', i.value)) order by i.namespace, i.id
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
  };

/** @param person a select of `id`, with one row or none */
function readPerson(workspaceId: string, person: SQL): SQL {
  return sql`
    with person as materialized (${person})
    select person.id, owned.identities, account.value as account, said.traits, coalesce(said.analytics, true) as analytics,
      seen.first_seen_at, seen.last_seen_at, skipped.links as skipped_links
    from person
    cross join lateral (${identitiesOfPerson(workspaceId)}) owned
    left join lateral (${accountOfPerson(workspaceId)}) account on true
    cross join lateral (${saidOfPerson(workspaceId)}) said
    cross join lateral (${seenOf(workspaceId, (row) => sql`${row}.person_id = person.id`)}) seen
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
  const sortId = sql`(link.resource || ':' || link.item_id) collate "C"`;
  return sql`
    select 'link' as type, link.item_id as id, ${sortId} as sort_id, link.occurred_at, person.id as person_id,
      jsonb_build_object('namespaces', link.namespaces, 'skipped', link.skipped, 'resource', link.resource) as fields
    from (${linksOfPerson(question.workspace_id, within(question, 'link', sql`l.occurred_at`, sql`(l.resource || ':' || l.item_id) collate "C"`))}) link
    order by link.occurred_at desc, ${sortId}
    limit ${question.limit + 1}`;
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
