import { customType, smallint, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Column types that tables share. */

/** Ids compare bytewise, whatever the collation of the database. */
export const id = customType<{ data: string }>({ dataType: () => 'text collate "C"' });
export const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
/** Milliseconds, as on the wire. With microseconds, a cursor would repeat rows. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
export const workspaceId = () => uuid('workspace_id').notNull();
/** Rows of release 0.1.0, which does not write it, have version 1. */
export const contentVersion = () => smallint('content_version').notNull().default(1);
