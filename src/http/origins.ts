import * as z from 'zod';
import { normaliseOrigin } from '../domain/origins.ts';
import type { Caller } from './caller.ts';
import { ApiError } from './errors.ts';

/** The origins whose pages may use a key or a read token, and the CORS headers for browsers. */

const MAX_ORIGINS = 50;

const originList = z
  .array(
    z
      .string()
      .max(255)
      .transform((text, context) => {
        const origin = normaliseOrigin(text);
        if (origin !== null) return origin;
        const message =
          'Send an origin, such as https://shop.example: a scheme, a host and perhaps a port, without path or *; http is for localhost and 127.0.0.1 only';
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }),
  )
  .max(MAX_ORIGINS);
const deduplicated = (origins: string[]) => [...new Set(origins)];
const onWire = {
  type: 'array' as const,
  items: { type: 'string' as const },
  maxItems: MAX_ORIGINS,
  example: ['https://shop.example'],
};

/** The origins of a publishable key, one or more. */
export const AllowedOrigins = originList
  .min(1)
  .transform(deduplicated)
  .meta({ ...onWire, minItems: 1 });

/** The origins of a read token. An empty list is a token for servers and agents. */
export const TokenOrigins = originList.transform(deduplicated).meta(onWire);

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'authorization, content-type, content-encoding, x-write-key, x-retry-count, idempotency-key, x-request-id, if-none-match';
const EXPOSED_HEADERS = 'x-request-id, etag, link, retry-after, ratelimit, ratelimit-policy, server-timing';
/** Browsers limit it: Chromium to two hours, Firefox to a day. */
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** The response to a preflight, which carries no key: any origin gets it. The actual response decides who may read. */
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

/**
 * The origin of the page that sent the request; null if no page did. Browsers leave `Origin` out of a GET to the page's
 * own origin, and send `Sec-Fetch-Site`, which no script can set, in its place.
 */
function originOf(request: Request): string | null {
  const origin = request.headers.get('origin');
  if (origin !== null) return origin;
  return request.headers.get('sec-fetch-site') === 'same-origin' ? new URL(request.url).origin : null;
}

/** Does the request come from a page? `none` is a request that the user made, such as an address typed in. */
function isFromPage(request: Request): boolean {
  return request.headers.has('origin') || (request.headers.get('sec-fetch-site') ?? 'none') !== 'none';
}

/** CORS headers for a response of any status: set if the caller's key or token allows the origin of the request. */
export function corsHeaders(request: Request, caller: Caller): Record<string, string> {
  const origin = request.headers.get('origin');
  if (origin === null || !caller.allowed_origins?.includes(origin)) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS };
}

/**
 * Rejects a secret key that a page sends, a publishable key or read token from any origin but its own ones, and a read
 * token for servers from every page.
 */
export function requireOrigin(request: Request, caller: Pick<Caller, 'allowed_origins'>): void {
  const origin = originOf(request);
  const { allowed_origins } = caller;
  if (allowed_origins === null) {
    if (origin === null) return;
    throw new ApiError(
      'forbidden',
      'A page sent a secret key, and anyone can read it there: revoke it. Pages post with a publishable key (`POST /v1/keys`) and read with a read token (`POST /v1/tokens`).',
    );
  }
  if (allowed_origins.length === 0) {
    if (!isFromPage(request)) return;
    throw new ApiError(
      'forbidden',
      'A page sent a read token that is for servers and agents. Create one whose `allowed_origins` name the origin of the page.',
    );
  }
  if (origin !== null && allowed_origins.includes(origin)) return;
  throw new ApiError(
    'forbidden',
    `${origin === null ? 'The request has no Origin' : 'The origin is not allowed'}; use this key or token in pages of ${allowed_origins.join(', ')}.`,
  );
}
