import type { EventFilter } from './funnel.ts';

/**
 * Can one event fit both filters? Not if their types differ, or if they allow different values of one field.
 */
export function mayOverlap(a: EventFilter, b: EventFilter): boolean {
  if ('conversion' in a && 'conversion' in b) return shares(a.conversion.goal, b.conversion.goal);
  if (!('touchpoint' in a && 'touchpoint' in b)) return false;
  return Object.entries(a.touchpoint).every(([field, values]) => {
    const others = b.touchpoint[field];
    return others === undefined || shares(values, others);
  });
}

/** Does every event that fits the second filter also fit the first? If true, certainly; if false, perhaps. */
export function covers(a: EventFilter, b: EventFilter): boolean {
  const within = (values: readonly (string | null)[], others: readonly (string | null)[]) =>
    values.every((value) => others.includes(value));
  if ('conversion' in a) return 'conversion' in b && within(b.conversion.goal, a.conversion.goal);
  if (!('touchpoint' in b)) return false;
  return Object.entries(a.touchpoint).every(([field, values]) => {
    const others = b.touchpoint[field];
    return others !== undefined && within(others, values);
  });
}

function shares(a: readonly (string | null)[], b: readonly (string | null)[]): boolean {
  return a.some((value) => b.includes(value));
}

/**
 * Groups filters so that no event fits filters of two groups. An event that fits several filters of one group
 * can fill only one of them at a time.
 * @returns the indexes of the filters of each group, ascending; groups in the order of their first filter
 */
export function overlapGroups(filters: readonly EventFilter[]): number[][] {
  let groups: number[][] = [];
  filters.forEach((filter, i) => {
    const touching = groups.filter((group) => group.some((j) => mayOverlap(filter, filters[j] ?? filter)));
    groups = [
      ...groups.filter((group) => !touching.includes(group)),
      [...touching.flat(), i].sort((x, y) => x - y),
    ];
  });
  return groups.sort((x, y) => (x[0] ?? 0) - (y[0] ?? 0));
}
