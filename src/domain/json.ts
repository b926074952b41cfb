import { isExactNumber } from './exact-json.ts';

/**
 * The deepest nesting that is accepted. Deeper JSON is a mistake of the sender, and recursion needs a limit.
 */
export const MAX_DEPTH = 64;

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Is the value nested more than `limit` levels deep? Objects and arrays are levels; a scalar has depth 0. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return false;
  if (limit === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, limit - 1));
}

/** One thing that is wrong, and where: a JSON pointer into the body, or `?name` for a query parameter. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/**
 * JSON pointers (RFC 6901) of values that cannot be stored as they were sent: text and keys with NUL or a
 * lone surrogate, which Postgres rejects, and numbers beyond the range of a double, which JSON parsing makes
 * infinite. Such items are rejected and never repaired, because a repair would change the data.
 * @returns the pointer of the containing object for a key, since the key itself cannot be
 * shown; empty if all is well
 */
export function unstorable(value: unknown): string[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [''];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [''];
  if (isExactNumber(value)) return [];
  return membersWhere(value, (key, member) => (isStorable(key) ? unstorable(member) : null));
}

/**
 * JSON pointers of `__proto__` keys, which schemas ignore silently. Keys inside `properties` do not count,
 * because any key is allowed there.
 */
export function protoKeys(value: unknown): string[] {
  return membersWhere(value, (key, member) => {
    if (key === '__proto__') return [''];
    return key === 'properties' ? [] : protoKeys(member);
  });
}

/**
 * Collects the pointers that `find` returns for the members of an object or list. Null stands
 * for the object itself, because of a key that cannot be shown. Pointers are built on the way
 * back, so that a value without findings costs nothing.
 */
function membersWhere(value: unknown, find: (key: string, member: unknown) => string[] | null): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const found: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    const below = find(key, member);
    if (below === null) found.push('');
    else for (const pointer of below) found.push(`/${escapePointer(key)}${pointer}`);
  }
  return found;
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Escapes a key for use in a JSON pointer (RFC 6901, section 3). */
export function escapePointer(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}
