import publicMailDomains from 'email-providers/all.json' with { type: 'json' };
import { compareBytewise } from './journey.ts';

/**
 * A dated membership fact: a person belongs to an account from an instant on, until a later
 * fact of that person.
 */
export interface AccountFact {
  /** `item`: an item that named the account. `email`: an e-mail address at a company domain. */
  source: 'item' | 'email';
  /** Milliseconds since 1970. */
  occurred_at: number;
  account_id: string;
}

/**
 * The account of a person at an instant, computed from the person's membership facts. This is the definition;
 * the database functions have to agree with it.
 *
 * The latest fact at or before the instant decides, else the earliest later fact. Tie-break at one instant:
 * facts of items come before facts of e-mail addresses, then the bytewise greater account id holds.
 * @param facts all facts of one person, in any order
 * @param at milliseconds since 1970
 * @returns null if there is no fact at all
 */
export function accountAt(facts: readonly AccountFact[], at: number): string | null {
  const ordered = facts.toSorted(
    (a, b) =>
      a.occurred_at - b.occurred_at ||
      Number(b.source === 'email') - Number(a.source === 'email') ||
      compareBytewise(a.account_id, b.account_id),
  );
  const latest = ordered.findLast((fact) => fact.occurred_at <= at);
  if (latest) return latest.account_id;
  const next = ordered[0]?.occurred_at;
  return ordered.findLast((fact) => fact.occurred_at === next)?.account_id ?? null;
}

/** Public mail providers that the package `email-providers` lacks. */
const MORE_PUBLIC_MAIL_DOMAINS = [
  'duck.com',
  'fastmail.com',
  'posteo.de',
  'tutanota.com',
  'tuta.com',
  'tuta.io',
];

const PUBLIC_MAIL_DOMAINS: ReadonlySet<string> = new Set([...publicMailDomains, ...MORE_PUBLIC_MAIL_DOMAINS]);

/**
 * Is this the domain of a public mail provider? Anybody can have an address there, so an
 * account for it would join strangers.
 *
 * Source: the package `email-providers`, and six domains of our own (ADR 12).
 * @param domain as `normaliseDomain` returns it
 */
export function isPublicMailDomain(domain: string): boolean {
  return PUBLIC_MAIL_DOMAINS.has(domain);
}
