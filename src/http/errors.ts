import type { FieldError } from '../domain/json.ts';
import { maskTokens } from '../domain/token.ts';

/**
 * Every error that a caller can get. The runtime and the document both read this table, so a status cannot differ from
 * the documented one.
 */
export const ERRORS = {
  malformed_json: { status: 400, title: 'The body is not readable JSON' },
  too_deep: { status: 400, title: 'The JSON is nested too deeply' },
  unauthenticated: { status: 401, title: 'A valid key is required' },
  forbidden: { status: 403, title: 'The key does not permit this' },
  not_found: { status: 404, title: 'The resource does not exist' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  domain_taken: { status: 409, title: 'The domain belongs to another account' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  invalid_request: { status: 422, title: 'The request is invalid' },
  no_item_accepted: { status: 422, title: 'No item was accepted' },
  unknown_goal: { status: 422, title: 'The goal does not exist' },
  item_unreadable: { status: 422, title: 'The stored item cannot be decrypted' },
  rate_limited: { status: 429, title: 'Too many requests with this key' },
  daily_cap_reached: { status: 429, title: 'The key has recorded what it may in a day' },
  too_many_reports: {
    status: 429,
    title: 'Too many reports of the workspace at a time',
    retry_after_seconds: 2,
  },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  not_migrated: { status: 503, title: 'The database lacks migrations', retry_after_seconds: 5 },
  schema_too_new: {
    status: 503,
    title: 'The schema no longer supports this release',
    retry_after_seconds: 5,
  },
  database_read_only: { status: 503, title: 'The database is read-only', retry_after_seconds: 5 },
  misconfigured: { status: 503, title: 'The service is misconfigured', retry_after_seconds: 5 },
  database_unavailable: { status: 503, title: 'The database did not answer', retry_after_seconds: 5 },
  report_too_slow: { status: 503, title: 'The report took too long', retry_after_seconds: 60 },
} as const satisfies Record<string, { status: number; title: string; retry_after_seconds?: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** A mistake of the caller. The message states what to change. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: ErrorCode;
  readonly errors: FieldError[] | undefined;
  /** Members besides the standard ones, such as the counts of a batch. */
  readonly members: Record<string, unknown>;
  /** In place of the one of the table. */
  readonly retry_after_seconds: number | undefined;
  constructor(
    code: ErrorCode,
    detail: string,
    more: { errors?: FieldError[]; members?: Record<string, unknown>; retry_after_seconds?: number } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors;
    this.members = more.members ?? {};
    this.retry_after_seconds = more.retry_after_seconds;
  }
}

/**
 * The response for an error, as RFC 9457 defines it.
 * @param instance the path of the request; keys and tokens in it are masked
 */
export function problemResponse(error: ApiError, instance: string, requestId: string): Response {
  const { status, title, ...rest } = ERRORS[error.code];
  const problem = {
    type: `urn:throughline:error:${error.code}`,
    title,
    status,
    detail: error.message,
    instance: maskTokens(instance),
    code: error.code,
    request_id: requestId,
    ...(error.errors && { errors: error.errors }),
    ...error.members,
  };
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (status === 401) headers.set('www-authenticate', 'Bearer realm="throughline"');
  const ofTable = 'retry_after_seconds' in rest ? rest.retry_after_seconds : undefined;
  const retryAfter = error.retry_after_seconds ?? ofTable;
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  return new Response(JSON.stringify(problem), { status, headers });
}
