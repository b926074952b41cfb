import type { EventFilter } from './funnel.ts';

/** Can one event fit both? Not if they are of different types, or ask for different values of one field. */
export function mayOverlap(a: EventFilter, b: EventFilter): boolean {
  if ('conversion' in a && 'conversion' in b) return shares(a.conversion.goal, b.conversion.goal);
  if (!('touchpoint' in a && 'touchpoint' in b)) return false;
  return Object.entries(a.touchpoint).every(([field, values]) => {
    const others = b.touchpoint[field];
    return others === undefined || shares(values, others);
  });
}

function shares(a: readonly (string | null)[], b: readonly (string | null)[]): boolean {
  return a.some((value) => b.includes(value));
}

/**
 * The filters in groups, by index, such that no event fits filters of two groups; in the order of their first.
 * What fits several filters of a group can fill only one of them at a time.
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
