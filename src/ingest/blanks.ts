import { isBlank } from '../domain/canonical.ts';

/** Members whose blank values are kept: free JSON is stored as it came, and a blank identity gets a warning. */
const KEPT_WHOLE: ReadonlySet<string> = new Set(['properties', 'traits', 'person', 'referred_by']);

/** The item without members that are blank text: forms send them for fields that nobody filled in. */
export function withoutBlanks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value);
  const kept = members.flatMap(([key, member]) => {
    if (isBlank(member)) return [];
    return [[key, KEPT_WHOLE.has(key) ? member : withoutBlanks(member)] as const];
  });
  return Object.fromEntries(kept);
}
