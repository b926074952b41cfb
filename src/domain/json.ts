/** Deeper nesting says that something went wrong at the sender, and recursion has an end. */
export const MAX_DEPTH = 64;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Is there nesting below `limit` levels? Counts objects and arrays; a scalar has depth 0. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, limit - 1));
}

/** One thing that is wrong, and where: a JSON pointer into the body, or `?name` for a query parameter. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/**
 * JSON pointers (RFC 6901) of what cannot be stored as it was sent: text and keys with NUL or a lone surrogate,
 * which Postgres refuses, and numbers beyond a double, which JSON parsing makes infinite. They are rejected, never
 * repaired: a repair would change what the sender said.
 */
export function unstorable(value: unknown): string[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [''];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [''];
  return membersWhere(value, (key, member) => (isStorable(key) ? unstorable(member) : null));
}

/**
 * JSON pointers of `__proto__` keys, which schemas pass over in silence, outside `properties`, where any key is an
 * ordinary one.
 */
export function protoKeys(value: unknown): string[] {
  return membersWhere(value, (key, member) => {
    if (key === '__proto__') return [''];
    return key === 'properties' ? [] : protoKeys(member);
  });
}

/**
 * Pointers below the members of an object or list, as `find` gives them for each; null blames the object itself,
 * for a key that cannot be named. Pointers are put together on the way back, so that finding nothing costs nothing.
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

export function escapePointer(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * One text for one content: keys sorted, members that are null left out. Two items are the same if and only if
 * these texts are equal.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(
      Object.entries(member)
        .filter(([, inner]) => inner !== null)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}
