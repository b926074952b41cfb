import * as z from 'zod';
import { ApiError } from '../http/errors.ts';

/** `?dry_run=true` of everything that can be posted. */
export const BatchQuery = z.object({
  dry_run: z.boolean().default(false).meta({ description: 'Validate and answer as if, but store nothing.' }),
});

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** `Idempotency-Key`: items without an id get one from it and their place, so that a retry is the same batch. */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get('idempotency-key');
  if (key === null || IDEMPOTENCY_KEY.test(key)) return key;
  const detail = 'Idempotency-Key takes 1 to 255 visible ASCII characters.';
  throw new ApiError('invalid_request', detail, { errors: [{ pointer: 'Idempotency-Key', detail }] });
}
