import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import type { PlainModel } from '../domain/attribution.ts';
import type { BusinessHours } from '../domain/business-hours.ts';
import type { IdentityStorage, Scope } from '../domain/settings.ts';
import { isWellFormedToken } from '../domain/token.ts';
import { ApiError } from './errors.ts';
import { tokenHash } from './secrets.ts';

/** The workspace a key belongs to, with the settings that requests need. */
export interface Workspace {
  id: string;
  name: string;
  timezone: string;
  currency: string;
  identity_storage: IdentityStorage;
  default_country: string | null;
  retention_days: number | null;
  accounts_from_email: boolean;
  business_hours: BusinessHours | null;
  default_model: PlainModel;
}

export interface Caller {
  key_id: string;
  scopes: readonly Scope[];
  workspace: Workspace;
}

interface CachedCaller {
  caller: Caller;
  expires_at_ms: number;
}

/** A revoked key, or changed settings, are noticed by every isolate within this. */
const CACHE_MS = 30_000;
const MAX_CACHED = 10_000;
const cache = new Map<string, CachedCaller>();

/** After a key is revoked or settings change, this isolate need not wait. */
export function forgetCallers(workspaceId: string): void {
  for (const [hash, entry] of cache) if (entry.caller.workspace.id === workspaceId) cache.delete(hash);
}

/** The token of `Authorization: Bearer …`, or an error that says what is missing. */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization');
  const token = header?.match(/^Bearer ([\x21-\x7e]+)$/i)?.[1];
  if (token) return token;
  throw new ApiError('unauthenticated', 'Send the key as `Authorization: Bearer tl_sk_…`.');
}

/** Refuses everybody but the holder of the root key, in time that does not depend on how much of it was right. */
export async function authenticateRoot(request: Request, rootKey: string): Promise<void> {
  const [given, right] = await Promise.all([tokenHash(bearerToken(request)), tokenHash(rootKey)]);
  if (given !== right)
    throw new ApiError('unauthenticated', 'This route takes the root key of the deployment.');
}

/** Who calls, from the key alone. One query, or none while the key is warm in this isolate. */
export async function authenticate(request: Request, database: Database, nowMs: number): Promise<Caller> {
  const token = bearerToken(request);
  if (!isWellFormedToken(token))
    throw new ApiError('unauthenticated', 'The key is mistyped or is no Throughline key.');
  const hash = await tokenHash(token);
  const cached = cache.get(hash);
  if (cached && cached.expires_at_ms > nowMs) return cached.caller;
  const loaded = await loadCaller(database, hash);
  if (!loaded || (loaded.key_expires_at !== null && loaded.key_expires_at <= nowMs)) {
    cache.delete(hash);
    throw new ApiError('unauthenticated', 'The key is unknown, expired or revoked.');
  }
  if (cache.size >= MAX_CACHED) cache.clear();
  const expiresAtMs = Math.min(nowMs + CACHE_MS, loaded.key_expires_at ?? Number.POSITIVE_INFINITY);
  cache.set(hash, { caller: loaded.caller, expires_at_ms: expiresAtMs });
  return loaded.caller;
}

export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.includes(scope)) return;
  throw new ApiError(
    'forbidden',
    `This needs the scope \`${scope}\`; the key has ${caller.scopes.join(', ')}.`,
  );
}

interface CallerRow {
  [column: string]: unknown;
  key_id: string;
  scopes: Scope[];
  key_expires_at: Date | null;
  workspace: Workspace;
}

async function loadCaller(database: Database, hash: string) {
  const [row] = await database.query<CallerRow>(sql`
    select k.id as key_id, k.scopes, k.expires_at as key_expires_at, to_jsonb(w) as workspace
    from keys k
    join workspaces w on w.id = k.workspace_id
    where k.token_hash = decode(${hash}, 'hex')`);
  if (!row) return null;
  const { key_id, scopes, workspace, key_expires_at } = row;
  return { caller: { key_id, scopes, workspace }, key_expires_at: key_expires_at?.getTime() ?? null };
}
