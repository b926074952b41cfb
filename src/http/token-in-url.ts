import { holdsToken, unescapeAscii } from '../domain/token.ts';
import { ApiError } from './errors.ts';

/** Keys and tokens in addresses. Every proxy on the way logs addresses, and histories keep them. */

/**
 * The paths in which a publishable key may stand, because a client that others wrote puts it there to read its
 * configuration. Anyone can read such a key in a page; a secret key or a read token is rejected here as well.
 */
const PATHS_WITH_PUBLISHABLE_KEYS: readonly RegExp[] = [];

const PUBLISHABLE_KEY = /tl_pk_\w+/g;

/**
 * The error for a key or token in the address, which is rejected and not used; null without one.
 * @param publishableIn see `PATHS_WITH_PUBLISHABLE_KEYS`
 */
export function tokenInUrl(url: URL, publishableIn = PATHS_WITH_PUBLISHABLE_KEYS): ApiError | null {
  const path = unescapeAscii(url.pathname);
  const rest = publishableIn.some((allowed) => allowed.test(path))
    ? path.replaceAll(PUBLISHABLE_KEY, '')
    : path;
  if (![rest, ...[...url.searchParams].flat()].some(holdsToken)) return null;
  return new ApiError(
    'unauthenticated',
    'The address has a key or a token in it, and is logged wherever it passes. Rotate the key, and send it as `Authorization: Bearer …`.',
  );
}
