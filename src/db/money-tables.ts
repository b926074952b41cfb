import { sql } from 'drizzle-orm';
import { check, date, index, integer, numeric, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytes, contentVersion, id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

/**
 * Spend on days. A row that is posted again replaces the stored one; earlier versions are kept
 * in `row_versions`.
 */
export const spend = pgTable(
  'spend',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: id('id').notNull(),
    /** Both included, in the workspace's time zone. */
    from: date('from').notNull(),
    to: date('to').notNull(),
    channel: text('channel'),
    source: text('source'),
    medium: text('medium'),
    campaign: text('campaign'),
    amount: numeric('amount').notNull(),
    currency: text('currency').notNull(),
    content_hash: bytes('content_hash').notNull(),
    /** The version of the canonical form that `content_hash` is of, see `domain/canonical.ts`. */
    content_version: contentVersion(),
    /** 1, plus 1 with each replacement. */
    version: integer('version').notNull().default(1),
    /** When the row was first received, and when its present version was. */
    received_at: instant('received_at').notNull().defaultNow(),
    updated_at: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('spend_days').on(t.workspace_id, t.to, t.from),
    index('spend_received').on(t.workspace_id, t.received_at, t.id),
    index('spend_updated').on(t.workspace_id, t.updated_at),
    check('spend_amount', sql`amount >= 0`),
    check('spend_order', sql`"from" <= "to"`),
  ],
);

/** Exchange rates: one unit of `from` is `rate` units of `to`, on a day. */
export const fx_rates = pgTable(
  'fx_rates',
  {
    workspace_id: inWorkspace(workspaceId()),
    date: date('date').notNull(),
    from: text('from').notNull(),
    to: text('to').notNull(),
    rate: numeric('rate').notNull(),
    updated_at: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    // The pair precedes the day, because a look-up reads the latest day of one pair.
    primaryKey({ columns: [t.workspace_id, t.from, t.to, t.date] }),
    check('fx_rates_rate', sql`rate > 0`),
    check('fx_rates_pair', sql`"from" <> "to"`),
  ],
);
