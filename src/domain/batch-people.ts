/**
 * Proposes one person for all items of a batch that share an identity, directly or through other items. A
 * batch about unknown people then creates each of them once, and nothing has to be merged afterwards.
 *
 * @param items the identities of each item, as text that is equal for equal identities
 * @param makeId makes a new person id; called once per group of items
 * @returns the id of the proposed person of each item, in the order of the items
 */
export function proposePeople(items: readonly (readonly string[])[], makeId: () => string): string[] {
  const parents = items.map((_, i) => i);
  const rootOf = (start: number): number => {
    let node = start;
    for (let parent = parents[node] ?? node; parent !== node; parent = parents[node] ?? node) node = parent;
    parents[start] = node;
    return node;
  };
  const seenAt = new Map<string, number>();
  items.forEach((identities, i) => {
    for (const identity of identities) {
      const earlier = seenAt.get(identity);
      if (earlier === undefined) seenAt.set(identity, i);
      else {
        const a = rootOf(earlier);
        const b = rootOf(i);
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    }
  });
  const ids = new Map<number, string>();
  return items.map((_, i) => {
    const root = rootOf(i);
    const id = ids.get(root) ?? makeId();
    ids.set(root, id);
    return id;
  });
}
