import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { ACCOUNT_FACT_SOURCES } from '../domain/settings.ts';
import { id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

/** Companies. The id is the sender's, or the domain if nobody gave an id. */
export const accounts = pgTable(
  'accounts',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: id('id').notNull(),
    name: text('name'),
    /** When the name was asserted; the latest assertion wins. */
    named_at: instant('named_at'),
    /**
     * True while nobody has given an id. The row is deleted when an account with an id turns
     * out to own the domain.
     */
    is_domain: boolean('is_domain').notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('accounts_created').on(t.workspace_id, t.created_at, t.id),
  ],
);

/**
 * Claims on domains, by items that name an account by id and domain (`is_put` false) and by
 * administrators (true). The owner of a domain is the account of its first current claim in the
 * order (put, claimed_at, account_id).
 *
 * Rows are kept like those of `identity_links`: an item with an earlier date adds a row with
 * the next `assertion`.
 */
export const account_domains = pgTable(
  'account_domains',
  {
    workspace_id: inWorkspace(workspaceId()),
    domain: id('domain').notNull(),
    account_id: id('account_id').notNull(),
    is_put: boolean('is_put').notNull(),
    assertion: integer('assertion').notNull().default(1),
    is_current: boolean('is_current').notNull().default(true),
    claimed_at: instant('claimed_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
    /** When a later PUT omitted the domain. */
    withdrawn_at: instant('withdrawn_at'),
  },
  (t) => [
    primaryKey({
      name: 'account_domains_pk',
      columns: [t.workspace_id, t.domain, t.account_id, t.is_put, t.assertion],
    }),
    index('account_domains_account').on(t.workspace_id, t.account_id),
  ],
);

/**
 * Membership facts: from `occurred_at` on, a person belongs to an account, until a later fact.
 * There is one for each item that names an account, and one for each e-mail address at a
 * company domain, dated by the earliest item that brought it. Only the latter can get an
 * earlier date; its rows are kept like those of `identity_links`.
 */
export const account_facts = pgTable(
  'account_facts',
  {
    workspace_id: workspaceId(),
    /** The resource of the item, or `email`. */
    source: text('source', { enum: ACCOUNT_FACT_SOURCES }).notNull(),
    /** The id of the item, or of the e-mail identity. */
    source_id: id('source_id').notNull(),
    assertion: integer('assertion').notNull().default(1),
    is_current: boolean('is_current').notNull().default(true),
    /** Null after the person is erased. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    person_id: uuid('person_id').notNull(),
    /** The present owner of `domain` if that is set; rewritten when another account becomes the owner. */
    account_id: id('account_id').notNull(),
    /** Set if the item named the account by its domain alone. */
    domain: id('domain'),
    occurred_at: instant('occurred_at').notNull(),
    received_at: instant('received_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.source, t.source_id, t.assertion] }),
    index('account_facts_person').on(t.workspace_id, t.person_id, t.occurred_at),
    index('account_facts_account').on(t.workspace_id, t.account_id),
    index('account_facts_domain').on(t.workspace_id, t.domain).where(sql`domain is not null`),
  ],
);
