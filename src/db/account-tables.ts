import { sql } from 'drizzle-orm';
import { bigint, boolean, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './tables.ts';

/** Companies. The id is the sender's; of one that is known by a domain alone, the domain. */
export const accounts = pgTable(
  'accounts',
  {
    workspace_id: inWorkspace(workspaceId()),
    id: id('id').notNull(),
    name: text('name'),
    /** When the name was said; the last word counts. */
    named_at: instant('named_at'),
    /** True while nobody gave it an id: it goes when an account with an id turns out to own the domain. */
    is_domain: boolean('is_domain').notNull(),
    created_at: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('accounts_created').on(t.workspace_id, t.created_at, t.id),
  ],
);

/**
 * Who says that a domain is whose: items that name an account by id and domain, and PUT. The domain is the account's
 * whose claim is the first in the order (put, claimed_at, account_id).
 */
export const account_domains = pgTable(
  'account_domains',
  {
    workspace_id: inWorkspace(workspaceId()),
    domain: id('domain').notNull(),
    account_id: id('account_id').notNull(),
    /** Said by an admin, which goes before whatever items say. */
    is_put: boolean('is_put').notNull(),
    claimed_at: instant('claimed_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.domain, t.account_id] }),
    index('account_domains_account').on(t.workspace_id, t.account_id),
  ],
);

/**
 * Facts: from `occurred_at` on, a person was of an account, until another fact says otherwise. One of each item that
 * names an account, and one of each e-mail address at a company's domain, dated by the first item that brought it.
 */
export const account_facts = pgTable(
  'account_facts',
  {
    workspace_id: workspaceId(),
    /** `touchpoints`, `conversions` or `people`, and the id of the item; or `email`, and the id of the identity. */
    source: text('source').notNull(),
    source_id: id('source_id').notNull(),
    /** Null once the person was erased. */
    identity_id: bigint('identity_id', { mode: 'number' }),
    person_id: uuid('person_id').notNull(),
    /** Whose it is now; rewritten when the domain goes to another account. */
    account_id: id('account_id').notNull(),
    /** Set where the account was named by its domain alone. */
    domain: id('domain'),
    occurred_at: instant('occurred_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.source, t.source_id] }),
    index('account_facts_person').on(t.workspace_id, t.person_id, t.occurred_at),
    index('account_facts_account').on(t.workspace_id, t.account_id),
    index('account_facts_domain').on(t.workspace_id, t.domain).where(sql`domain is not null`),
  ],
);
