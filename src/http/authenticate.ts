import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import type { keys } from '../db/workspace-tables.ts';
import { isWellFormedToken, READ_TOKEN_PREFIX } from '../domain/token.ts';
import type { Caller } from './caller.ts';
import type { Config } from './config.ts';
import { ApiError } from './errors.ts';
import { heldKeys } from './identity-keys.ts';
import { mayLookUp, noteLookUp } from './key-lookups.ts';
import { ringOf } from './key-material.ts';
import { type Claims, readClaims, tokenSecrets } from './read-token.ts';
import { tokenHash } from './secrets.ts';

/** Where a request comes from, and when. */
interface Client {
  /** Null in a local run, where nothing in front of the Worker names it. */
  address: string | null;
  now_ms: number;
}

interface CachedCaller {
  caller: Caller;
  until_ms: number;
}

/** Every isolate notices a revoked key, or changed settings, within this time. */
const CACHE_MS = 30_000;
const MAX_CACHED = 10_000;
const cache = new Map<string, CachedCaller>();

/** Makes this isolate notice revoked keys and changed settings of a workspace at once. */
export function forgetCallers(workspaceId: string): void {
  for (const [hash, entry] of cache) if (entry.caller.workspace.id === workspaceId) cache.delete(hash);
}

/**
 * The token in `Authorization: Bearer …`.
 * @throws ApiError unauthenticated if there is none
 */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization');
  const token = header?.match(/^Bearer ([\x21-\x7e]+)$/i)?.[1];
  if (token) return token;
  throw new ApiError('unauthenticated', 'Send the key as `Authorization: Bearer tl_sk_…`.');
}

/** Rejects every key but the root key. Hashes are compared, so the time does not depend on how much of it was right. */
export async function authenticateRoot(request: Request, rootKey: string): Promise<void> {
  const [given, right] = await Promise.all([tokenHash(bearerToken(request)), tokenHash(rootKey)]);
  if (given !== right)
    throw new ApiError('unauthenticated', 'This route requires the root key of the deployment.');
}

/** The caller, from the key or token alone. One query, or none while the key is cached in this isolate. */
export async function authenticate(
  request: Request,
  database: Database,
  { now, config }: { now: Date; config: Config },
): Promise<Caller> {
  const client = { address: request.headers.get('cf-connecting-ip'), now_ms: now.getTime() };
  const token = bearerToken(request);
  if (token.startsWith(READ_TOKEN_PREFIX))
    return callerOfClaims(await readClaims(token, tokenSecrets(config), now), { database, client, config });
  if (!isWellFormedToken(token))
    throw new ApiError('unauthenticated', 'The key is mistyped or is not a Throughline key.');
  const hash = await tokenHash(token);
  const caller = await cached(hash, client, () =>
    loadCaller(database, config, sql`k.token_hash = decode(${hash}, 'hex')`),
  );
  if (caller) return caller;
  throw new ApiError('unauthenticated', 'The key is unknown, expired or revoked.');
}

/** The caller of a read token, which is valid as long as its key and the workspace of its key. */
async function callerOfClaims(
  claims: Claims,
  { database, client, config }: { database: Database; client: Client; config: Config },
): Promise<Caller> {
  const { workspace_id, key_id, allowed_origins, reports, where, where_conversion, scope } = claims;
  const key = await cached(`${workspace_id} ${key_id}`, client, () =>
    loadCaller(database, config, sql`k.workspace_id = ${workspace_id}::uuid and k.id = ${key_id}`),
  );
  if (!key) {
    const detail = 'The key that created the read token has expired or is revoked; request a new token.';
    throw new ApiError('unauthenticated', detail);
  }
  const narrowing = { reports, where, where_conversion, scope };
  return { ...key, scopes: ['read'], allowed_origins, narrowing };
}

/** The caller of this name, from the cache or loaded; null if there is none, or if its key has expired. */
async function cached(
  name: string,
  { address, now_ms: nowMs }: Client,
  load: () => Promise<Caller | null>,
): Promise<Caller | null> {
  const warm = cache.get(name);
  if (warm && warm.until_ms > nowMs) return warm.caller;
  if (!mayLookUp(address, name, nowMs)) return null;
  const caller = await load();
  const expiresAtMs = caller?.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
  noteLookUp(address, name, caller !== null && expiresAtMs > nowMs, nowMs);
  if (!caller || expiresAtMs <= nowMs) {
    cache.delete(name);
    return null;
  }
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(name, { caller, until_ms: Math.min(nowMs + CACHE_MS, expiresAtMs) });
  return caller;
}

/** The workspace with its current settings, for work that comes without a key; null if it was deleted. */
export async function workspaceById(
  database: Database,
  config: Config,
  id: string,
): Promise<Pick<Caller, 'workspace' | 'identity_keys'> | null> {
  const [row] = await database.query<Pick<Caller, 'workspace' | 'identity_keys'>>(sql`
    select to_jsonb(w) as workspace, ${heldKeys(await ringOf(config))} as identity_keys
    from workspaces w
    where w.id = ${id}::uuid`);
  return row ?? null;
}

type StoredCaller = Pick<
  typeof keys.$inferSelect,
  'kind' | 'scopes' | 'allowed_origins' | 'goals' | 'daily_caps' | 'last_used_on' | 'expires_at'
> &
  Pick<Caller, 'key_id' | 'workspace' | 'identity_keys'>;

async function loadCaller(database: Database, config: Config, which: SQL): Promise<Caller | null> {
  const [row] = await database.query<StoredCaller>(sql`
    select k.id as key_id, k.kind, k.scopes, k.allowed_origins, k.goals, k.daily_caps,
      k.last_used_on::text, k.expires_at, to_jsonb(w) as workspace,
      ${heldKeys(await ringOf(config))} as identity_keys
    from keys k
    join workspaces w on w.id = k.workspace_id
    where ${which}`);
  return row ? { ...row, narrowing: null } : null;
}
