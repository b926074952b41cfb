import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/** The id of the key, unless it was revoked since this isolate looked it up; no row then. */
export function keyInForce(workspaceId: string, keyId: string, now: Date): SQL {
  return sql`
    select id
    from keys
    where workspace_id = ${tenant(workspaceId)} and id = ${keyId}
      and (expires_at is null or expires_at > ${now.toISOString()}::timestamptz)`;
}
