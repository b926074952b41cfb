import { type SQL, sql } from 'drizzle-orm';

/**
 * The value of an identity. It is hidden as soon as the workspace turns plain storage off, while the stored values are
 * still being removed.
 *
 * Needs: `identity`, the name of a row of `identities`. Gives: a text expression, null without a value.
 */
export function shownValue(identity: SQL): SQL {
  return sql`case
          when exists (
            select from workspaces w where w.id = ${identity}.workspace_id and w.identity_storage = 'plain'
          ) then ${identity}.value
        end`;
}
