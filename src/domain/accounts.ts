import publicMailDomains from 'email-providers/all.json' with { type: 'json' };

/** That a person was of an account from an instant on, until another fact says otherwise. */
export interface AccountFact {
  /** An item that named the account, or an e-mail address at a company's domain. */
  source: 'item' | 'email';
  /** Milliseconds since 1970. */
  occurred_at: number;
  account_id: string;
}

/**
 * The account of a person at an instant, from the facts about the person: the definition that the database's
 * functions have to agree with. The latest fact at or before the instant counts, else the first later one. Of several
 * facts at one instant those of items go before those of e-mail addresses, then the greater account id bytewise.
 *
 * @param at milliseconds since 1970
 * @returns null where there is no fact at all
 */
export function accountAt(facts: readonly AccountFact[], at: number): string | null {
  const ordered = facts.toSorted(
    (a, b) =>
      a.occurred_at - b.occurred_at ||
      Number(b.source === 'email') - Number(a.source === 'email') ||
      (a.account_id < b.account_id ? -1 : Number(a.account_id > b.account_id)),
  );
  const latest = ordered.findLast((fact) => fact.occurred_at <= at);
  if (latest) return latest.account_id;
  const next = ordered[0]?.occurred_at;
  return ordered.findLast((fact) => fact.occurred_at === next)?.account_id ?? null;
}

/** Providers that the list lacks. */
const MORE_PUBLIC_MAIL_DOMAINS = [
  'duck.com',
  'fastmail.com',
  'posteo.de',
  'tutanota.com',
  'tuta.com',
  'tuta.io',
];

const PUBLIC_MAIL_DOMAINS: ReadonlySet<string> = new Set([...publicMailDomains, ...MORE_PUBLIC_MAIL_DOMAINS]);

/** Does anybody have an address there? Then it is no company: an account of it would join strangers. */
export function isPublicMailDomain(domain: string): boolean {
  return PUBLIC_MAIL_DOMAINS.has(domain);
}
