import type pg from 'pg';
import { type KeyMaterial, ringOf, unwrapKey, type WrappedKey } from '../src/http/key-material.ts';

/** The key material of a workspace that was made under this secret: what the Worker hashes with. */
export async function materialOf(
  client: pg.Client,
  workspaceId: string,
  secret: string,
): Promise<KeyMaterial> {
  const { rows } = await client.query<WrappedKey>(
    `select secret_id, encode(sealed_key, 'hex') as sealed_key, hash_version from identity_keys where workspace_id = $1`,
    [workspaceId],
  );
  const [held] = rows;
  const [opener] = await ringOf({ identity_secret: secret });
  const material = held && (await unwrapKey(held, workspaceId, opener));
  if (!material) throw new Error('the workspace was made under another secret');
  return material;
}
