import { type SQL, sql } from 'drizzle-orm';
import { canonicalJson } from '../domain/canonical.ts';
import type { FieldError } from '../domain/json.ts';
import type { Resource } from '../domain/settings.ts';
import type { RecordContext } from '../http/operation.ts';
import { identityHashesOf } from './person.ts';

/** A rejected item with the reasons. */
export interface RejectedItem {
  value: unknown;
  /** The sender's id, or the generated one. */
  id: string;
  isIdOfSender: boolean;
  errors: FieldError[];
}

/**
 * Stores rejected items as rejections, encrypted, so that nothing a tool sent is lost. The id of a rejection is a hash
 * of its content: the same bad item sent again dates its rejection anew and adds no row. The generated id of an item
 * without an id is part of the hash, because two equal ones may be two events.
 */
export async function keepRejections(
  resource: Resource,
  items: readonly RejectedItem[],
  context: RecordContext,
): Promise<SQL> {
  const { secrets, workspace, now } = context;
  const rows = await Promise.all(
    items.map(async ({ value, id, isIdOfSender, errors }) => {
      const text = canonicalJson(value ?? null);
      return {
        id: `rj_${(await secrets.hash('rejection', `${resource} ${isIdOfSender ? '' : id} ${text}`)).slice(0, 32)}`,
        item_id: escapeUnstorable(id),
        item_encrypted: await secrets.seal(JSON.stringify(value ?? null)),
        errors,
        identity_hashes: await identityHashesOf(value, context),
      };
    }),
  );
  return sql`
    insert into rejections (workspace_id, id, resource, item_id, item_encrypted, errors, identity_hashes, received_at)
    select distinct on (r.id) ${workspace.id}::uuid, r.id, ${resource}, r.item_id, decode(r.item_encrypted, 'hex'), r.errors,
      r.identity_hashes,
      ${now.toISOString()}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, item_id text, item_encrypted text, errors jsonb, identity_hashes text[])
    order by r.id
    on conflict (workspace_id, id) do update set received_at = excluded.received_at, errors = excluded.errors`;
}

/** Makes the id of a rejected item storable: NUL and lone surrogates, which Postgres rejects, become U+FFFD. */
function escapeUnstorable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
