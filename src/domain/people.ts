/** An item that names two identities or more says that they are one person. */
export interface LinkFact {
  from_secret_key: boolean;
  /** Milliseconds since 1970. */
  occurred_at: number;
  item_id: string;
  /** Each with its namespace, as `user_id:u1`. */
  identities: readonly string[];
}

/** What an erasure did, and when: RFC 3339. */
export interface ErasureReceipt {
  person_id: string;
  erased_at: string;
  identities: number;
  touchpoints: number;
  conversions: number;
  rejections: number;
}

/** More identities than a person has; a shared device, or a bug, would join a crowd. */
export const MAX_IDENTITIES_OF_PERSON = 100;

/**
 * Who is who, from the set of facts alone: the definition that the database's functions have to agree with.
 *
 * Facts apply in the order (from secret keys first, then time, then item id), skipping any that would put two
 * `user_id`s, or more than `MAX_IDENTITIES_OF_PERSON` identities, in one person. The same set of identities said
 * again is the same fact, dated by the first in that order. On facts that never conflict this is union–find.
 *
 * @returns each person's identities, sorted, and the facts that were skipped; no identity without a fact
 */
export function peopleOf(facts: readonly LinkFact[]): { people: string[][]; skipped: LinkFact[] } {
  const personOf = new Map<string, Set<string>>();
  const skipped: LinkFact[] = [];
  for (const fact of firstsInOrder(facts)) {
    for (const identity of fact.identities) {
      if (!personOf.has(identity)) personOf.set(identity, new Set([identity]));
    }
    const joined = new Set(fact.identities.flatMap((identity) => [...(personOf.get(identity) ?? [])]));
    const users = [...joined].filter((identity) => identity.startsWith('user_id:'));
    if (users.length > 1 || joined.size > MAX_IDENTITIES_OF_PERSON) skipped.push(fact);
    else for (const identity of joined) personOf.set(identity, joined);
  }
  const people = [...new Set(personOf.values())].map((identities) => [...identities].sort());
  return { people: people.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)), skipped };
}

function firstsInOrder(facts: readonly LinkFact[]): LinkFact[] {
  const ordered = facts.toSorted(
    (a, b) =>
      Number(b.from_secret_key) - Number(a.from_secret_key) ||
      a.occurred_at - b.occurred_at ||
      (a.item_id < b.item_id ? -1 : Number(a.item_id > b.item_id)),
  );
  const firsts = new Map<string, LinkFact>();
  for (const fact of ordered) {
    const key = fact.identities.toSorted().join('\n');
    if (!firsts.has(key)) firsts.set(key, fact);
  }
  return [...firsts.values()];
}
