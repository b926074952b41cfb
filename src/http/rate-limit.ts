import type { Caller } from './caller.ts';
import type { RateLimiter } from './config.ts';
import { ApiError } from './errors.ts';

/** The limit of a key together with its read tokens, in each Cloudflare location. The same as in wrangler.toml. */
export const RATE_LIMIT = { requests: 1000, period_seconds: 10 } as const;

/** Counts the request. Without a limiter, as in a bare workerd, there is no limit. */
export async function requireRate(caller: Caller, limiter: RateLimiter | undefined): Promise<void> {
  const { success } = (await limiter?.limit({ key: caller.key_id })) ?? { success: true };
  if (success) return;
  const { requests, period_seconds } = RATE_LIMIT;
  throw new ApiError(
    'rate_limited',
    `More than ${requests} requests in ${period_seconds} s with this key. Wait for the time in \`Retry-After\`, and send more items in each request.`,
  );
}

/** Headers of draft-ietf-httpapi-ratelimit-headers. The remaining quota is known only once it is used up. */
export function rateLimitHeaders(isUsedUp: boolean): Record<string, string> {
  const { requests, period_seconds } = RATE_LIMIT;
  const policy = { 'ratelimit-policy': `"default";q=${requests};w=${period_seconds}` };
  if (!isUsedUp) return policy;
  return {
    ...policy,
    ratelimit: `"default";r=0;t=${period_seconds}`,
    'retry-after': String(period_seconds),
  };
}
