import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { workspaces } from '../db/workspace-tables.ts';
import { CANONICAL_VERSION } from '../domain/canonical.ts';
import { instantOut } from '../http/fields.ts';
import type { Workspace, WorkspaceInput, WorkspacePatch } from './workspace-schema.ts';

/** The settings of a workspace, in one place, with the types of their columns. */
const SETTINGS = [
  ['name', 'text'],
  ['timezone', 'text'],
  ['currency', 'text'],
  ['identity_storage', 'text'],
  ['default_country', 'text'],
  ['retention_days', 'int4'],
  ['accounts_from_email', 'bool'],
  ['business_hours', 'jsonb'],
  ['default_model', 'text'],
  ['trust_publishable_values', 'bool'],
] as const satisfies readonly (readonly [keyof WorkspacePatch, string])[];

/** Needs: the table `workspaces`. Gives: the columns that `workspaceOut` reads. */
const stored = sql.join(
  ['id', ...SETTINGS.map(([name]) => name), 'created_at'].map((name) => sql.identifier(name)),
  sql`, `,
);
export type StoredWorkspace = typeof workspaces.$inferSelect;

/**
 * The settings that are present.
 *
 * Needs: nothing. Gives: the column and the value of each.
 */
function settingsOf(workspace: WorkspacePatch): { column: SQL; value: SQL }[] {
  return SETTINGS.flatMap(([name, type]) => {
    if (!(name in workspace)) return [];
    const given = workspace[name] ?? null;
    const value = sql`${typeof given === 'object' && given ? JSON.stringify(given) : given}::${sql.identifier(type)}`;
    return [{ column: sql`${sql.identifier(name)}`, value }];
  });
}

export function insertWorkspace(id: string, workspace: WorkspaceInput): SQL {
  const settings = settingsOf(workspace);
  return sql`
    insert into workspaces (id, content_version, ${sql.join(
      settings.map(({ column }) => column),
      sql`, `,
    )})
    values (${id}, ${CANONICAL_VERSION}::smallint, ${sql.join(
      settings.map(({ value }) => value),
      sql`, `,
    )})
    returning ${stored}`;
}

/** Oldest first. */
export function selectWorkspaces(): SQL {
  return sql`
    select ${stored}
    from workspaces
    order by created_at, id`;
}

export function selectWorkspace(id: string): SQL {
  return sql`
    select ${stored}
    from workspaces
    where id = ${id}`;
}

/**
 * Changes only the settings in the patch; `null` clears a setting that is nullable. Plain storage is not turned on
 * before all values from an earlier time of it are removed, because reads would show them again.
 */
export function updateWorkspaceRow(id: string, patch: WorkspacePatch): SQL {
  const set = settingsOf(patch).map(({ column, value }) => sql`${column} = ${value}`);
  const isPossible = sql`identity_storage = 'plain' or not exists (
        select from identities i where i.workspace_id = ${tenant(id)} and i.value is not null
      )`;
  return sql`
    update workspaces set ${sql.join([...set, sql`id = id`], sql`, `)}
    where id = ${id} and (${patch.identity_storage === 'plain' ? isPossible : sql`true`})
    returning ${stored}`;
}

/**
 * Deletes everything in the workspace, referencing rows first. The last statement returns the id if there was such a
 * workspace. Conversations are deleted before their touchpoints, whose triggers would recompute them again and again; and
 * the horizons of sums of credit before everything, because without them no change is marked.
 * A step of settling locks these rows in another order, so it is waited for.
 */
export function deleteWorkspaceRows(id: string): SQL[] {
  const tables = [
    'credit_horizons',
    'credit_marks',
    'credit_cells',
    'adjustments',
    'conversions',
    'conversations',
    'touchpoints',
    'account_facts',
    'identity_links',
    'link_cursors',
    'identities',
    'person_updates',
    'tombstones',
    'erasures',
  ];
  return [
    sql`select pg_advisory_xact_lock(hashtextextended('settle_credit ' || ${id}::text, 0))`,
    ...tables.map((table) => sql`delete from ${sql.identifier(table)} where workspace_id = ${id}`),
    sql`delete from workspaces where id = ${id} returning id`,
  ];
}

export function workspaceOut(row: StoredWorkspace): Workspace {
  return { ...row, created_at: instantOut(row.created_at) };
}
