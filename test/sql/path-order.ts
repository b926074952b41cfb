import { compareBytewise } from '../../src/domain/journey.ts';
import type { PathGroup } from '../../src/domain/paths.ts';

/** Null sorts last, and a longer list sorts after its prefix. */
export function compareLists(a: PathGroup, b: PathGroup): number {
  const at = a.findIndex((value, i) => i >= b.length || value !== b[i]);
  if (at === -1 || at >= b.length) return a.length - b.length;
  return compareValues(a[at] ?? null, b[at] ?? null);
}

function compareValues(a: string | null, b: string | null): number {
  return a === null || b === null ? Number(a === null) - Number(b === null) : compareBytewise(a, b);
}
