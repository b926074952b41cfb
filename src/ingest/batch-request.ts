import * as z from 'zod';
import { ApiError } from '../http/errors.ts';

/** `?dry_run=true`, for every operation that records items. */
export const BatchQuery = z.object({
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Validates the items and returns their results, but stores nothing.' }),
});

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The header `Idempotency-Key`. Ids of items without one are derived from it and their index, so that a retry is the
 * same batch.
 */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get('idempotency-key');
  if (key === null || IDEMPOTENCY_KEY.test(key)) return key;
  const detail = 'Send Idempotency-Key as 1 to 255 visible ASCII characters.';
  throw new ApiError('invalid_request', detail, { errors: [{ pointer: 'Idempotency-Key', detail }] });
}
