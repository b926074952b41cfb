import { customType, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Kinds of columns that tables share. */

/** Ids compare bytewise, whatever the collation of the database. */
export const id = customType<{ data: string }>({ dataType: () => 'text collate "C"' });
export const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
/** Milliseconds, as on the wire: a cursor over microseconds would repeat rows. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
export const workspaceId = () => uuid('workspace_id').notNull();
