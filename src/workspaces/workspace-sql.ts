import { type SQL, sql } from 'drizzle-orm';
import type { Row } from '../db/client.ts';
import { instantOut } from '../http/fields.ts';
import type { Workspace, WorkspaceInput, WorkspacePatch } from './workspace-schema.ts';

const stored = sql`id, name, timezone, currency, identity_storage, default_country, retention_days, accounts_from_email, created_at`;

export function insertWorkspace(id: string, workspace: WorkspaceInput): SQL {
  const { name, timezone, currency, identity_storage, default_country, retention_days, accounts_from_email } =
    workspace;
  return sql`
    insert into workspaces (id, name, timezone, currency, identity_storage, default_country, retention_days, accounts_from_email)
    values (${id}, ${name}, ${timezone}, ${currency}, ${identity_storage}, ${default_country}, ${retention_days}::int, ${accounts_from_email})
    returning ${stored}`;
}

/** Oldest first. */
export function listWorkspaces(): SQL {
  return sql`
    select ${stored}
    from workspaces
    order by created_at, id`;
}

export function getWorkspace(id: string): SQL {
  return sql`
    select ${stored}
    from workspaces
    where id = ${id}`;
}

/** Only what the patch names; `null` for `default_country` or `retention_days` empties it. */
export function updateWorkspace(id: string, patch: WorkspacePatch): SQL {
  const country = 'default_country' in patch ? sql`${patch.default_country ?? null}` : sql`default_country`;
  const retention =
    'retention_days' in patch ? sql`${patch.retention_days ?? null}::int` : sql`retention_days`;
  return sql`
    update workspaces set
      name = coalesce(${patch.name ?? null}, name),
      timezone = coalesce(${patch.timezone ?? null}, timezone),
      currency = coalesce(${patch.currency ?? null}, currency),
      identity_storage = coalesce(${patch.identity_storage ?? null}, identity_storage),
      accounts_from_email = coalesce(${patch.accounts_from_email ?? null}::boolean, accounts_from_email),
      default_country = ${country},
      retention_days = ${retention}
    where id = ${id}
    returning ${stored}`;
}

/** Everything of the workspace, children first; the last statement tells whether there was one. */
export function deleteWorkspace(id: string): SQL[] {
  const tables = [
    'adjustments',
    'conversions',
    'touchpoints',
    'account_facts',
    'identity_links',
    'identities',
    'person_updates',
    'tombstones',
    'erasures',
  ];
  return [
    ...tables.map((table) => sql`delete from ${sql.identifier(table)} where workspace_id = ${id}`),
    sql`delete from workspaces where id = ${id} returning id`,
  ];
}

export function workspaceOut(row: Row): Workspace {
  return { ...row, created_at: instantOut(row.created_at) } as Workspace;
}
