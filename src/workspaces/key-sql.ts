import { type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type AuditEntry, auditRow } from '../db/audited.ts';
import { tenant } from '../db/tenant.ts';
import type { keys } from '../db/workspace-tables.ts';
import type { DailyCaps, KeyKind, Scope } from '../domain/settings.ts';
import { formatToken } from '../domain/token.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import { tokenHash } from '../http/secrets.ts';
import type { Key } from './key-schema.ts';

/**
 * The day is text, because the driver would convert it to midnight in a time zone of its own.
 *
 * Needs: the table `keys`. Gives: the columns that `keyOut` reads.
 */
const stored = sql`id, name, kind, scopes, allowed_origins, goals, daily_caps, created_at, expires_at, last_used_on::text`;

/**
 * What the audit log tells of a key: its kind and its scopes, which are no secret.
 *
 * Needs: the columns `kind` and `scopes`. Gives: a text[] expression, such as `{kind:secret,"scopes:ingest,read"}`.
 */
export const grantOfKey = sql`array['kind:' || kind, 'scopes:' || array_to_string(scopes, ',')]`;
export type StoredKey = Omit<typeof keys.$inferSelect, 'workspace_id' | 'token_hash'>;

export interface KeyToMake {
  name: string;
  kind: KeyKind;
  scopes: readonly Scope[];
  allowed_origins: readonly string[] | null;
  goals: readonly string[] | null;
  daily_caps: DailyCaps | null;
  expires_at: string | null;
}

/** A new token, which is shown once, and the hash of it, which is stored. */
export async function makeToken(kind: KeyKind): Promise<{ token: string; hash: string }> {
  const token = formatToken(crypto.getRandomValues(new Uint8Array(32)), kind);
  return { token, hash: await tokenHash(token) };
}

export function makeKeyId(): string {
  return `key_${uuidv7().replaceAll('-', '')}`;
}

/** A new key: its id, the token to show once, and the statement that stores its hash if the workspace exists. */
export async function makeKey(
  workspaceId: string,
  key: KeyToMake,
): Promise<{ id: string; token: string; insert: SQL }> {
  const { token, hash } = await makeToken(key.kind);
  const id = makeKeyId();
  const origins = key.allowed_origins && sql.param([...key.allowed_origins]);
  const goals = key.goals && sql.param([...key.goals]);
  const caps = key.daily_caps && JSON.stringify(key.daily_caps);
  const insert = sql`
    insert into keys (workspace_id, id, name, kind, scopes, allowed_origins, goals, daily_caps, token_hash, expires_at)
    select w.id, ${id}, ${key.name}, ${key.kind}, ${sql.param([...key.scopes])}::text[], ${origins}::text[],
      ${goals}::text[], ${caps}::jsonb,
      decode(${hash}, 'hex'), ${key.expires_at}::timestamptz
    from workspaces w
    where w.id = ${workspaceId}
    returning ${stored}`;
  return { id, token, insert };
}

/**
 * Inserts a key like an existing one, under another id and token. The old key stays valid for the grace period, and
 * never beyond its own expiry. An expired key counts as missing.
 * @param next the new id, and the hash of a new token of each kind, because only the stored row tells the kind
 */
export function replaceKey(
  workspaceId: string,
  id: string,
  next: { id: string; hashes: Record<KeyKind, string> },
  graceSeconds: number,
  entry: AuditEntry,
): SQL {
  const now = sql`${entry.actor.now.toISOString()}::timestamptz`;
  const { secret, publishable } = next.hashes;
  return sql`
    with old as (
      update keys k set expires_at = least(k.expires_at, ${now} + make_interval(secs => ${graceSeconds}::float8))
      from (
        select workspace_id, id, expires_at
        from keys
        where workspace_id = ${tenant(workspaceId)} and id = ${id} and (expires_at is null or expires_at > ${now})
        for update
      ) was
      where k.workspace_id = was.workspace_id and k.id = was.id
      returning k.*, was.expires_at as was_expires_at
    ), made as (
      insert into keys (workspace_id, id, name, kind, scopes, allowed_origins, goals, daily_caps, token_hash, expires_at)
      select workspace_id, ${next.id}, name, kind, scopes, allowed_origins, goals, daily_caps,
        decode(case kind when 'secret' then ${secret} else ${publishable} end, 'hex'), was_expires_at
      from old
      returning ${stored}
    ), logged as (${auditRow(entry, sql`old`, sql`true`)})
    select * from made`;
}

/** Oldest first. */
export function selectKeys(workspaceId: string): SQL {
  return sql`
    select ${stored}
    from keys
    where workspace_id = ${tenant(workspaceId)}
    order by created_at, id`;
}

export function deleteKeyRow(workspaceId: string, id: string): SQL {
  return sql`
    delete from keys
    where workspace_id = ${tenant(workspaceId)} and id = ${id}
    returning ${stored}`;
}

export function keyOut(row: StoredKey): Key {
  return { ...row, created_at: instantOut(row.created_at), expires_at: instantOrNull(row.expires_at) };
}
