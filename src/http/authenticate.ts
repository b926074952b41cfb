import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import type { PlainModel } from '../domain/attribution.ts';
import type { BusinessHours } from '../domain/business-hours.ts';
import type { IdentityStorage, KeyKind, Scope } from '../domain/settings.ts';
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
  trust_publishable_values: boolean;
}

export interface Caller {
  key_id: string;
  kind: KeyKind;
  scopes: readonly Scope[];
  /** The pages that may use it; null: none may. */
  allowed_origins: readonly string[] | null;
  /** The UTC day that was noted when the key was looked up. */
  last_used_on: string | null;
  expires_at: Date | null;
  workspace: Workspace;
}

interface CachedCaller {
  caller: Caller;
  until_ms: number;
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
  const caller = await cached(hash, nowMs, () =>
    loadCaller(database, sql`k.token_hash = decode(${hash}, 'hex')`),
  );
  if (caller) return caller;
  throw new ApiError('unauthenticated', 'The key is unknown, expired or revoked.');
}

/** The caller of this name while it is in force: warm in this isolate, or as it is loaded. */
async function cached(
  name: string,
  nowMs: number,
  load: () => Promise<Caller | null>,
): Promise<Caller | null> {
  const warm = cache.get(name);
  if (warm && warm.until_ms > nowMs) return warm.caller;
  const caller = await load();
  const expiresAtMs = caller?.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
  if (!caller || expiresAtMs <= nowMs) {
    cache.delete(name);
    return null;
  }
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(name, { caller, until_ms: Math.min(nowMs + CACHE_MS, expiresAtMs) });
  return caller;
}

async function loadCaller(database: Database, which: SQL): Promise<Caller | null> {
  const [row] = await database.query(sql`
    select k.id as key_id, k.kind, k.scopes, k.allowed_origins, k.last_used_on::text, k.expires_at, to_jsonb(w) as workspace
    from keys k
    join workspaces w on w.id = k.workspace_id
    where ${which}`);
  return row ? (row as unknown as Caller) : null;
}
