import { DERIVED, type SecretRing, unwrapKey, type WrappedKey } from '../src/http/key-material.ts';
import { type Ask, inRole } from './rotation-session.ts';

/** The workspaces of a deployment by the secrets that open their key material. */
export interface Survey {
  workspaces: number;
  /** Opened by IDENTITY_SECRET. */
  current: number;
  /** Opened by IDENTITY_SECRET_PREVIOUS alone. */
  previous: number;
  /** Without stored key material, because they are of release 0.1.0 and were not used since. */
  unkept: number;
  /** Opened by neither, or with a row that does not open with its own secret. */
  closed: number;
  /** Some of them. */
  closed_ids: string[];
  /** Wrapped under secrets besides IDENTITY_SECRET. */
  elsewhere: number;
  /** With key material that release 0.1.0 derived from its secret. */
  derived: number;
}

/** A workspace with its wrapped keys. */
export interface HeldWorkspace {
  id: string;
  wrapped: WrappedKey[];
}

const PAGE = 1000;
const EXAMPLES = 3;
export const FIRST = '00000000-0000-0000-0000-000000000000';

/** Opens the key material of every workspace, and changes nothing. */
export async function survey(ask: Ask, ring: SecretRing): Promise<Survey> {
  const found: Survey = {
    workspaces: 0,
    current: 0,
    previous: 0,
    unkept: 0,
    closed: 0,
    closed_ids: [],
    elsewhere: 0,
    derived: 0,
  };
  for (let after = FIRST; ; ) {
    const page = await inRole(ask, () => heldAfter(ask, after, PAGE));
    const states = await Promise.all(page.map((workspace) => stateOf(workspace, ring)));
    page.forEach(({ id, wrapped }, i) => {
      const state = states[i] ?? 'closed';
      found[state] += 1;
      if (state === 'closed' && found.closed_ids.length < EXAMPLES) found.closed_ids.push(id);
      if (wrapped.some(({ secret_id }) => secret_id !== ring[0].id)) found.elsewhere += 1;
      if (wrapped.every(({ hash_version }) => hash_version === DERIVED)) found.derived += 1;
    });
    found.workspaces += page.length;
    const last = page.at(-1);
    if (!last) return found;
    after = last.id;
  }
}

async function stateOf(
  { id, wrapped }: HeldWorkspace,
  ring: SecretRing,
): Promise<'current' | 'previous' | 'unkept' | 'closed'> {
  if (wrapped.length === 0) return 'unkept';
  let opener: number | null = null;
  for (const [place, secret] of ring.entries()) {
    const own = wrapped.find(({ secret_id }) => secret_id === secret.id);
    if (!own) continue;
    if (!(await unwrapKey(own, id, secret))) return 'closed';
    opener ??= place;
  }
  if (opener === null) return 'closed';
  return opener === 0 ? 'current' : 'previous';
}

/**
 * The next workspaces, in the order of their ids.
 * @param condition on `w`, with the parameters from `$3` on
 */
export async function heldAfter(
  ask: Ask,
  after: string,
  limit: number,
  condition = 'true',
  params: unknown[] = [],
): Promise<HeldWorkspace[]> {
  return ask<HeldWorkspace>(
    `select w.id, coalesce(
       jsonb_agg(jsonb_build_object(
         'secret_id', k.secret_id, 'sealed_key', encode(k.sealed_key, 'hex'), 'hash_version', k.hash_version
       )) filter (where k.workspace_id is not null), '[]'
     ) as wrapped
     from (select w.id from workspaces w where w.id > $1 and ${condition} order by w.id limit $2) w
     left join identity_keys k on k.workspace_id = w.id
     group by w.id
     order by w.id`,
    [after, limit, ...params],
  );
}
