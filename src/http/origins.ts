import * as z from 'zod';
import { normaliseOrigin } from '../domain/origins.ts';
import { holdsToken } from '../domain/token.ts';
import type { Caller } from './caller.ts';
import { ApiError } from './errors.ts';

/** Which pages may use a key or a read token, and what browsers are told about it. */

const MAX_ORIGINS = 50;

export const AllowedOrigins = z
  .array(
    z
      .string()
      .max(255)
      .transform((text, context) => {
        const origin = normaliseOrigin(text);
        if (origin !== null) return origin;
        const message =
          'Send an origin, as https://shop.example: scheme and host, perhaps a port, no path and no *; http for localhost and 127.0.0.1 alone';
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }),
  )
  .min(1)
  .max(MAX_ORIGINS)
  .transform((origins) => [...new Set(origins)])
  .meta({
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: MAX_ORIGINS,
    example: ['https://shop.example'],
  });

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'authorization, content-type, content-encoding, x-write-key, x-retry-count, idempotency-key, x-request-id, if-none-match';
const EXPOSED_HEADERS = 'x-request-id, etag, link, retry-after, ratelimit, ratelimit-policy, server-timing';
/** Browsers cut it: Chromium at two hours, Firefox at a day. */
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** The answer to a preflight, which carries no key: any origin may ask; whether it may read is told by the answer. */
export function preflightResponse(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': request.headers.get('origin') ?? '*',
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_SECONDS),
      vary: 'origin, access-control-request-method, access-control-request-headers',
    },
  });
}

/** Addresses are logged by every proxy on the way, and stay in histories: a key in one is refused, not used. */
export function tokenInUrl(url: URL): ApiError | null {
  if (![...url.searchParams].flat().some(holdsToken)) return null;
  return new ApiError(
    'unauthenticated',
    'The address holds a key or a token, which is logged wherever it passes. Send it as `Authorization: Bearer …`, and rotate this one.',
  );
}

/** May the page that asks, if it is one, use what the caller showed? Headers for the answer, whatever it is. */
export function corsHeaders(request: Request, caller: Caller): Record<string, string> {
  const origin = request.headers.get('origin');
  if (origin === null || !caller.allowed_origins?.includes(origin)) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS };
}

/** Refuses a secret key from a page, and what is made for pages from everywhere but those it is made for. */
export function requireOrigin(request: Request, caller: Pick<Caller, 'allowed_origins'>): void {
  const origin = request.headers.get('origin');
  const { allowed_origins } = caller;
  if (allowed_origins === null) {
    if (origin === null) return;
    throw new ApiError(
      'forbidden',
      'A secret key was sent from a page, where anyone can read it: revoke it. Pages post with a publishable key (`POST /v1/keys`) and read with a read token (`POST /v1/tokens`).',
    );
  }
  if (origin !== null && allowed_origins.includes(origin)) return;
  throw new ApiError(
    'forbidden',
    `${origin === null ? 'The request has no Origin' : 'The page is of another origin'}; this is for pages of ${allowed_origins.join(', ')}.`,
  );
}
