import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { randomMaterial, ringOf, wrapKey } from '../src/http/key-material.ts';
import { materialOf } from './workspace-material.ts';

export const IDENTITIES = 1_000_000;
export const SMALL_WORKSPACES = 10_000;
const CHUNK = 50_000;

/** The user of an identity, by its number. */
export const userOf = (n: number) => `u${n}`;

/** Inserts the identities of one workspace, hashed as the Worker hashes them, each with a person of its own. */
export async function loadIdentities(client: pg.Client, workspaceId: string, secret: string): Promise<void> {
  const material = await materialOf(client, workspaceId, secret);
  const key = material.bytes.slice(0, 32);
  for (let start = 0; start < IDENTITIES; start += CHUNK) {
    const hashes = Array.from({ length: CHUNK }, (_, i) =>
      createHmac('sha256', key)
        .update(`identity\0user_id\0${userOf(start + i)}`)
        .digest('hex'),
    );
    await client.query(
      `with made as (
         insert into identities (workspace_id, namespace, value_hash, hash_version, person_id)
         select $1, 'user_id', decode(h, 'hex'), $3, gen_random_uuid() from unnest($2::text[]) h
         returning person_id
       )
       insert into people (workspace_id, id) select $1, person_id from made`,
      [workspaceId, hashes, material.hash_version],
    );
  }
}

/** Inserts workspaces without rows, each with key material of its own. */
export async function loadWorkspaces(client: pg.Client, secret: string): Promise<void> {
  const [opener] = await ringOf({ identity_secret: secret });
  const rows = await Promise.all(
    Array.from({ length: SMALL_WORKSPACES }, async () => {
      const workspace_id = crypto.randomUUID();
      return { workspace_id, ...(await wrapKey(randomMaterial(), workspace_id, opener)) };
    }),
  );
  await client.query(
    `with k as (
       select * from jsonb_to_recordset($1::jsonb)
         as k (workspace_id uuid, secret_id text, sealed_key text, hash_version smallint)
     ), made as (
       insert into workspaces (id, name) select workspace_id, 'Small' from k
     )
     insert into identity_keys (workspace_id, secret_id, sealed_key, hash_version)
     select workspace_id, secret_id, decode(sealed_key, 'hex'), hash_version from k`,
    [JSON.stringify(rows)],
  );
  await client.query('vacuum analyze');
}
