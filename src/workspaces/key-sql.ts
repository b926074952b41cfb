import { type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Row } from '../db/client.ts';
import { tenant } from '../db/tenant.ts';
import type { Scope } from '../domain/settings.ts';
import { formatToken } from '../domain/token.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import { tokenHash } from '../http/secrets.ts';
import type { Key } from './workspace-schema.ts';

const stored = sql`id, name, kind, scopes, created_at, expires_at`;

export interface KeyToMake {
  name: string;
  scopes: readonly Scope[];
  expires_at: string | null;
}

/** A new secret key: its id, the token to show once, and the statement that stores its hash if the workspace exists. */
export async function makeKey(
  workspaceId: string,
  key: KeyToMake,
): Promise<{ id: string; token: string; insert: SQL }> {
  const token = formatToken(crypto.getRandomValues(new Uint8Array(32)));
  const hash = await tokenHash(token);
  const id = `key_${uuidv7().replaceAll('-', '')}`;
  const insert = sql`
    insert into keys (workspace_id, id, name, kind, scopes, token_hash, expires_at)
    select w.id, ${id}, ${key.name}, 'secret', ${sql.param([...key.scopes])}::text[], decode(${hash}, 'hex'), ${key.expires_at}::timestamptz
    from workspaces w
    where w.id = ${workspaceId}
    returning ${stored}`;
  return { id, token, insert };
}

/** Oldest first. */
export function listKeys(workspaceId: string): SQL {
  return sql`
    select ${stored}
    from keys
    where workspace_id = ${tenant(workspaceId)}
    order by created_at, id`;
}

export function deleteKey(workspaceId: string, id: string): SQL {
  return sql`
    delete from keys
    where workspace_id = ${tenant(workspaceId)} and id = ${id}
    returning ${stored}`;
}

export function keyOut(row: Row): Key {
  return { ...row, created_at: instantOut(row.created_at), expires_at: instantOrNull(row.expires_at) } as Key;
}
