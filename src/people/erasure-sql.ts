import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/** The receipt, or null if there is no such person; see `migrations/functions/erase_person.sql`. */
export function callErasePerson(workspaceId: string, personId: string, now: Date): SQL {
  return sql`select erase_person(${workspaceId}::uuid, ${personId}::uuid, ${now.toISOString()}::timestamptz) as receipt`;
}

/**
 * True if this request erased the person: the receipt is dated now. `callErasePerson` returns a row even if nothing was
 * done, with null for an unknown person and with the first receipt for a repeated request.
 *
 * Needs: `receipt`. Gives: a condition.
 */
export function isErasedAt(now: Date): SQL {
  return sql`(receipt ->> 'erased_at')::timestamptz = ${now.toISOString()}::timestamptz`;
}

/**
 * Rows of a table as JSON, without `workspace_id`, which is the same in all of them.
 *
 * Needs: the steps that `condition` names; it names the row `held`. Gives: a JSON list, as an expression.
 */
const rowsOf = (table: string, condition: SQL, workspaceId: string) => sql`(
  select coalesce(jsonb_agg(to_jsonb(held) - 'workspace_id'), '[]')
  from ${sql.identifier(table)} held
  where held.workspace_id = ${tenant(workspaceId)} and ${condition}
)`;

/**
 * All data of a person, table by table, as it is stored. A merged id returns the survivor. One row, or none.
 * A test walks every table that refers to people, so that a new one is not forgotten here.
 */
export function selectPersonExport(workspaceId: string, personId: string): SQL {
  const own = sql`held.person_id = person.id`;
  const ofOwnIdentity = sql`held.identity_id in (select id from own_identities)`;
  return sql`
    with person as materialized (
      select coalesce(p.merged_into, p.id) as id
      from people p
      where p.workspace_id = ${tenant(workspaceId)} and p.id = ${personId}
    ), own_identities as materialized (
      select i.id, i.namespace || ':' || encode(i.value_hash, 'hex') as hash
      from identities i, person
      where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id
    )
    select person.id as person_id,
      ${rowsOf('people', sql`person.id in (held.id, held.merged_into)`, workspaceId)} as people,
      ${rowsOf('identities', own, workspaceId)} as identities,
      ${rowsOf('identity_links', ofOwnIdentity, workspaceId)} as identity_links,
      ${rowsOf('link_cursors', ofOwnIdentity, workspaceId)} as link_cursors,
      ${rowsOf('person_updates', own, workspaceId)} as person_updates,
      ${rowsOf('account_facts', own, workspaceId)} as account_facts,
      ${rowsOf('touchpoints', own, workspaceId)} as touchpoints,
      ${rowsOf('conversions', own, workspaceId)} as conversions,
      (
        select coalesce(jsonb_agg(to_jsonb(a) - 'workspace_id'), '[]')
        from adjustments a
        join conversions c
          on c.workspace_id = ${tenant(workspaceId)} and c.id = a.conversion_id and c.person_id = person.id
        where a.workspace_id = ${tenant(workspaceId)}
      ) as adjustments,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', r.id, 'resource', r.resource, 'item_id', r.item_id, 'errors', r.errors, 'received_at', r.received_at,
          'item_encrypted', encode(r.item_encrypted, 'hex')
        )), '[]')
        from rejections r
        where r.workspace_id = ${tenant(workspaceId)}
          and r.identity_hashes && (select array_agg(hash) from own_identities)
      ) as rejections,
      (
        select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'occurred_at', t.occurred_at)), '[]')
        from own_identities
        join touchpoints t
          on t.workspace_id = ${tenant(workspaceId)} and t.referred_by_identity_id = own_identities.id
      ) as referred_touchpoints
    from person`;
}
