import { compareBytewise } from './journey.ts';

/** A link fact: an item asserted that its identities, two or more, are one person. */
export interface LinkFact {
  from_secret_key: boolean;
  /** Milliseconds since 1970. */
  occurred_at: number;
  item_id: string;
  /** Each as namespace and value, such as `user_id:u1`. */
  identities: readonly string[];
}

/** The outcome of an erasure. */
export interface ErasureReceipt {
  person_id: string;
  /** RFC 3339. */
  erased_at: string;
  identities: number;
  touchpoints: number;
  conversions: number;
  rejections: number;
}

/**
 * The most identities of one person. More than these come from a shared device or a bug that
 * would merge a crowd.
 */
export const MAX_IDENTITIES_OF_PERSON = 100;

/**
 * People and their identities, computed from the set of link facts alone. This is the definition; the
 * database functions have to agree with it.
 *
 * Facts apply in order: from secret keys first, then by time, then by item id. A fact is skipped if it would
 * put two `user_id`s, or more than `MAX_IDENTITIES_OF_PERSON` identities, in one person. Facts with the same
 * set of identities are one fact, which is dated by the first of them in that order. For facts that never
 * conflict the result is that of union–find.
 *
 * @param facts in any order
 * @returns the identities of each person, sorted, and the skipped facts. An identity without
 * any fact is not included.
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
      compareBytewise(a.item_id, b.item_id),
  );
  const firsts = new Map<string, LinkFact>();
  for (const fact of ordered) {
    const key = fact.identities.toSorted().join('\n');
    if (!firsts.has(key)) firsts.set(key, fact);
  }
  return [...firsts.values()];
}
