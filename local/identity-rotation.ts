import {
  derivedMaterial,
  type KeyMaterial,
  type SecretRing,
  unwrapKey,
  type WrappedKey,
  wrapKey,
} from '../src/http/key-material.ts';
import { FIRST, type HeldWorkspace, heldAfter, type Survey, survey } from './identity-survey.ts';
import { type Ask, inRole } from './rotation-session.ts';

/** The rotation cannot be done with these secrets. Nothing was changed. The message states what to do. */
export class RotationRefused extends Error {
  override name = 'RotationRefused';
}

/** The progress of one kind of step, in workspaces. */
export interface Progress {
  what: 'added' | 'removed';
  done: number;
  of: number;
  per_second: number;
}

export interface Rotation {
  ask: Ask;
  /** IDENTITY_SECRET and, if it is set, IDENTITY_SECRET_PREVIOUS. */
  ring: SecretRing;
  /** Workspaces of one transaction. */
  batch_size: number;
  onProgress: (progress: Progress) => void;
  /** Stops the rotation after the present batch. */
  signal: AbortSignal;
}

/** Workspaces that are created meanwhile, by isolates without the new secret, are found by another round. */
const MAX_ROUNDS = 3;

/**
 * With two secrets, wraps the key material of every workspace under the first one as well. With one, stores the key
 * material of workspaces of release 0.1.0, and then removes what is wrapped under any other secret. Each batch is one
 * transaction. It can be stopped at any point and run again, also at the same time.
 * @returns the workspaces afterwards; fewer than all are done if it was stopped
 * @throws RotationRefused before anything is changed
 */
export async function rotate(rotation: Rotation, before: Survey): Promise<Survey> {
  const { ask, ring, signal } = rotation;
  refuseUnfit(before, ring);
  let found = before;
  for (let round = 0; round < MAX_ROUNDS && !isDone(found, ring) && !signal.aborted; round++) {
    await addWraps(rotation, found.previous + found.unkept);
    if (ring.length === 1) await removeWraps(rotation, found.elsewhere);
    found = await survey(ask, ring);
  }
  return found;
}

export function isDone({ previous, unkept, closed, elsewhere }: Survey, ring: SecretRing): boolean {
  return previous + unkept + closed === 0 && (ring.length > 1 || elsewhere === 0);
}

/** @throws RotationRefused */
function refuseUnfit(
  { workspaces, current, unkept, closed, closed_ids, elsewhere }: Survey,
  ring: SecretRing,
) {
  if (closed > 0) {
    const which = `${closed} of ${workspaces} workspaces (such as ${closed_ids.join(', ')})`;
    throw new RotationRefused(
      ring.length > 1
        ? `IDENTITY_SECRET and IDENTITY_SECRET_PREVIOUS do not open the keys of ${which}. Set IDENTITY_SECRET_PREVIOUS to the secret that the deployment has had so far.`
        : `IDENTITY_SECRET does not open the keys of ${which}. Set IDENTITY_SECRET_PREVIOUS to the secret that opens them, and run this again with both.`,
    );
  }
  if (unkept === 0) return;
  const which = `${unkept} of ${workspaces} workspaces are of release 0.1.0 and have no stored key yet`;
  if (ring.length > 1 || elsewhere > 0)
    throw new RotationRefused(
      `${which}. Run this with the secret that release 0.1.0 had as IDENTITY_SECRET, and without IDENTITY_SECRET_PREVIOUS.`,
    );
  if (current === 0)
    throw new RotationRefused(
      `${which}, and nothing shows that IDENTITY_SECRET is the secret of the deployment. Deploy this release with that secret, send one request with the key of any workspace, and run this again.`,
    );
}

/**
 * Whether the workspace `w` has key material under the secret `$3`, or under another one. `offset 0` keeps it one index
 * probe a workspace: statistics from before the rotation know only one secret, and a join would read the whole table
 * for each workspace (measured: 176 workspaces a second instead of 2,700).
 */
function isHeld(comparison: '=' | '<>'): string {
  return `exists (
    select from identity_keys c where c.workspace_id = w.id and c.secret_id ${comparison} $3 offset 0
  )`;
}

/** Wraps the key material of workspaces that IDENTITY_SECRET does not open yet. */
async function addWraps({ ask, ring, batch_size, onProgress, signal }: Rotation, of: number) {
  const [current] = ring;
  const count = counter('added', of, onProgress);
  const condition = `not ${isHeld('=')}`;
  for (let after = FIRST; !signal.aborted; ) {
    const batch = await inRole(ask, async () => {
      const held = await heldAfter(ask, after, batch_size, condition, [current.id]);
      const rows = await Promise.all(
        held.map(async ({ id, wrapped }) => ({
          workspace_id: id,
          ...(await wrapKey(await materialOf({ id, wrapped }, ring), id, current)),
        })),
      );
      // Isolates of the deployment, and another run of this, may add the same ones.
      await ask(
        `insert into identity_keys (workspace_id, secret_id, sealed_key, hash_version)
         select w.id, k.secret_id, decode(k.sealed_key, 'hex'), k.hash_version
         from jsonb_to_recordset($1::jsonb) as k (workspace_id uuid, secret_id text, sealed_key text, hash_version smallint)
         join workspaces w on w.id = k.workspace_id
         order by w.id
         on conflict do nothing`,
        [JSON.stringify(rows)],
      );
      return held;
    });
    const last = batch.at(-1);
    if (!last) return;
    after = last.id;
    count(batch.length);
  }
}

/** The survey has found that it opens, so a failure here is a defect, or a change by somebody else meanwhile. */
async function materialOf({ id, wrapped }: HeldWorkspace, ring: SecretRing): Promise<KeyMaterial> {
  if (wrapped.length === 0 && ring.length === 1) return derivedMaterial(ring[0], id);
  for (const secret of ring) {
    const own = wrapped.find(({ secret_id }) => secret_id === secret.id);
    const material = own && (await unwrapKey(own, id, secret));
    if (material) return material;
  }
  throw new Error(`no secret opens the keys of workspace ${id} any more`);
}

/**
 * Removes what is wrapped under other secrets, where the key material opens with IDENTITY_SECRET. Two runs with
 * different secrets would each remove what the other one keeps, so each batch is under one lock.
 */
async function removeWraps({ ask, ring, batch_size, onProgress, signal }: Rotation, of: number) {
  const [current] = ring;
  const count = counter('removed', of, onProgress);
  const condition = `${isHeld('=')} and ${isHeld('<>')}`;
  for (let after = FIRST; !signal.aborted; ) {
    const batch = await inRole(ask, async () => {
      await ask(`select pg_advisory_xact_lock(hashtextextended('rotate_identities', 0))`);
      const held = await heldAfter(ask, after, batch_size, condition, [current.id]);
      const kept = await Promise.all(held.map((workspace) => openedBy(workspace, ring)));
      await ask(
        `delete from identity_keys k
         using jsonb_to_recordset($1::jsonb) as kept (workspace_id uuid, sealed_key text)
         where k.workspace_id = kept.workspace_id and k.secret_id <> $2 and exists (
           select from identity_keys c
           where c.workspace_id = k.workspace_id and c.secret_id = $2 and c.sealed_key = decode(kept.sealed_key, 'hex')
           offset 0
         )`,
        [JSON.stringify(kept.flat()), current.id],
      );
      return held;
    });
    const last = batch.at(-1);
    if (!last) return;
    after = last.id;
    count(batch.length);
  }
}

/** The wrapped key of the workspace that opens with the secret; none if it does not. */
async function openedBy({ id, wrapped }: HeldWorkspace, [current]: SecretRing) {
  const own: WrappedKey | undefined = wrapped.find(({ secret_id }) => secret_id === current.id);
  const material = own && (await unwrapKey(own, id, current));
  return material ? [{ workspace_id: id, sealed_key: own.sealed_key }] : [];
}

function counter(what: Progress['what'], of: number, onProgress: Rotation['onProgress']) {
  const started = performance.now();
  let done = 0;
  return (more: number) => {
    done += more;
    const seconds = (performance.now() - started) / 1000;
    onProgress({ what, done, of: Math.max(of, done), per_second: Math.round(done / seconds) });
  };
}
