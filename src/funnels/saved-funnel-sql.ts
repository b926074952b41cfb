import { type SQL, sql } from 'drizzle-orm';
import type { funnels } from '../db/report-tables.ts';
import { tenant } from '../db/tenant.ts';
import type { goals } from '../db/workspace-tables.ts';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { instantOut } from '../http/fields.ts';
import type { Funnel } from './funnel-schema.ts';
import { goalsNamed } from './run-funnel.ts';

/** The columns of a funnel. Needs: the table `funnels`. Gives: a list of columns. */
const stored = sql`key, name, definition, created_at, updated_at`;
export type StoredFunnel = Omit<typeof funnels.$inferSelect, 'workspace_id'>;

export type KnownGoal = Pick<typeof goals.$inferSelect, 'key'>;

/** The goals among these that exist. Rows: `key`. */
export function goalsAmong(workspaceId: string, goals: readonly string[]): SQL {
  return sql`
    select key
    from goals
    where workspace_id = ${tenant(workspaceId)} and key = any(${sql.param([...goals])}::text[])
    order by key`;
}

/**
 * Creates or replaces a funnel. Returns no row, and changes nothing, if it names a goal that does not exist.
 */
export function upsertFunnel(
  workspaceId: string,
  key: string,
  { name, ...definition }: FunnelDefinition & { name: string },
): SQL {
  const goals = goalsNamed(definition);
  return sql`
    insert into funnels (workspace_id, key, name, definition)
    select w.id, ${key}, ${name}, ${JSON.stringify(definition)}::jsonb
    from workspaces w
    where w.id = ${workspaceId}
      and (select count(*) from (${goalsAmong(workspaceId, goals)}) known) = ${goals.length}::int
    on conflict (workspace_id, key) do update set
      name = excluded.name, definition = excluded.definition, updated_at = now()
    returning ${stored}`;
}

export function selectFunnels(workspaceId: string): SQL {
  return sql`
    select ${stored}
    from funnels
    where workspace_id = ${tenant(workspaceId)}
    order by key`;
}

export function selectFunnel(workspaceId: string, key: string): SQL {
  return sql`
    select ${stored}
    from funnels
    where workspace_id = ${tenant(workspaceId)} and key = ${key}`;
}

export function deleteFunnelRow(workspaceId: string, key: string): SQL {
  return sql`
    delete from funnels
    where workspace_id = ${tenant(workspaceId)} and key = ${key}
    returning ${stored}`;
}

/** A stored funnel as it is shown. */
export function funnelOut({ key, name, definition, created_at, updated_at }: StoredFunnel): Funnel {
  return {
    key,
    name,
    ...definition,
    breakdown: definition.breakdown ?? null,
    currency: definition.currency ?? null,
    created_at: instantOut(created_at),
    updated_at: instantOut(updated_at),
  };
}
