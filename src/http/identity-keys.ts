import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { tenant } from '../db/tenant.ts';
import { runningFirst } from './beforehand.ts';
import { ApiError } from './errors.ts';
import {
  derivedMaterial,
  type KeyMaterial,
  type RingSecrets,
  ringOf,
  type SecretRing,
  unwrapKey,
  type WrappedKey,
  wrapKey,
} from './key-material.ts';
import { secretsFrom, type WorkspaceSecrets } from './secrets.ts';

/** The key material of a workspace as it is stored. Every look-up of a workspace returns it, in the same round trip. */
export interface HeldKeys {
  /** Empty for a workspace of release 0.1.0 that no request has used since. */
  wrapped: WrappedKey[];
  /** Whether any workspace has key material under a secret that is not of the ring; null if this one has any at all. */
  are_foreign_held: boolean | null;
}

/**
 * Needs: `w`, a row of `workspaces`; the role `throughline_lookup`, which sees all workspaces. Gives: `HeldKeys`, as an
 * expression.
 */
export function heldKeys(ring: SecretRing): SQL {
  return sql`(
    select jsonb_build_object(
      'wrapped', coalesce(jsonb_agg(jsonb_build_object(
        'secret_id', k.secret_id, 'sealed_key', encode(k.sealed_key, 'hex'), 'hash_version', k.hash_version
      )), '[]'),
      'are_foreign_held', case when count(k) = 0 then exists (
        select from identity_keys other where other.secret_id <> all (${idsOf(ring)})
      ) end
    )
    from identity_keys k
    where k.workspace_id = w.id
  )`;
}

/** Returns `{are_foreign}`: whether there is stored key material, and none of it under a secret of the ring. */
export function areKeysForeign(ring: SecretRing): SQL {
  return sql`
    select exists (select from identity_keys) and not exists (
      select from identity_keys k where k.secret_id = any (${idsOf(ring)})
    ) as are_foreign`;
}

function idsOf(ring: SecretRing): SQL {
  return sql`${sql.param(ring.map(({ id }) => id))}::text[]`;
}

/** Stores wrapped key material of a workspace, which may have been created earlier in the same transaction. */
export function insertKeys(workspaceId: string, wrapped: readonly WrappedKey[], condition = sql`true`): SQL {
  return sql`
    insert into identity_keys (workspace_id, secret_id, sealed_key, hash_version)
    select w.id, k.secret_id, decode(k.sealed_key, 'hex'), k.hash_version
    from workspaces w
    cross join jsonb_to_recordset(${JSON.stringify(wrapped)}::jsonb) as k (secret_id text, sealed_key text, hash_version smallint)
    where w.id = ${tenant(workspaceId)} and ${condition}
    on conflict do nothing`;
}

/** The secrets of a workspace. */
export interface OpenedSecrets {
  secrets: WorkspaceSecrets;
  /** The key material of a workspace of release 0.1.0, which is not stored yet; null for any other. */
  unkept: WrappedKey | null;
}

/** Isolates live long and serve few workspaces each. */
const MAX_CACHED = 1000;
const cache = new Map<string, Promise<OpenedSecrets | null>>();

export const NOT_OPENED =
  'No stored key opens with IDENTITY_SECRET or IDENTITY_SECRET_PREVIOUS. Set IDENTITY_SECRET_PREVIOUS to the secret that the deployment had before; see "Rotate secrets" in SECURITY.md.';
const NOT_DERIVED =
  'This workspace has no stored key yet, and the deployment has had more than one IDENTITY_SECRET. Run `npm run rotate-identities` with the secret of release 0.1.0 alone; see "Rotate secrets" in SECURITY.md.';

/**
 * Opens the key material of a workspace. It is never guessed: under other key material, known people would become
 * strangers.
 * @throws ApiError misconfigured if no secret of the deployment opens it
 */
export async function secretsOf(
  config: RingSecrets,
  workspaceId: string,
  { wrapped, are_foreign_held }: HeldKeys,
): Promise<OpenedSecrets> {
  const ring = await ringOf(config);
  if (wrapped.length === 0) {
    if (ring.length > 1 || are_foreign_held !== false) throw new ApiError('misconfigured', NOT_DERIVED);
    const opened = await cached(`${workspaceId} ${ring[0].id}`, () => derived(ring, workspaceId));
    if (opened) return opened;
  }
  for (const secret of ring) {
    for (const one of wrapped.filter(({ secret_id }) => secret_id === secret.id)) {
      const opened = await cached(`${workspaceId} ${one.secret_id} ${one.sealed_key}`, async () =>
        openedFrom(await unwrapKey(one, workspaceId, secret)),
      );
      if (opened) return opened;
    }
  }
  throw new ApiError('misconfigured', NOT_OPENED);
}

function cached(name: string, open: () => Promise<OpenedSecrets | null>): Promise<OpenedSecrets | null> {
  const known = cache.get(name);
  if (known) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const opening = open();
  cache.set(name, opening);
  return opening;
}

async function openedFrom(material: KeyMaterial | null): Promise<OpenedSecrets | null> {
  return material && { secrets: await secretsFrom(material), unkept: null };
}

async function derived([secret]: SecretRing, workspaceId: string): Promise<OpenedSecrets> {
  const material = await derivedMaterial(secret, workspaceId);
  return { secrets: await secretsFrom(material), unkept: await wrapKey(material, workspaceId, secret) };
}

/** Workspaces whose key material this isolate has stored. */
const kept = new Set<string>();

/** The database of a request. Its first `query`, `atomic` or `report` also stores key material that is not stored yet. */
export function keepingKey(database: Database, workspaceId: string, unkept: WrappedKey | null): Database {
  if (!unkept || kept.has(workspaceId)) return database;
  // While another request stores it, this one does not wait for the end of its transaction.
  const alone = sql`pg_try_advisory_xact_lock(hashtextextended('identity_keys ' || w.id::text, 0))`;
  return runningFirst(database, insertKeys(workspaceId, [unkept], alone), {
    isDone: () => kept.has(workspaceId),
    done: () => {
      if (kept.size >= MAX_CACHED) kept.clear();
      kept.add(workspaceId);
    },
  });
}
