import type { Caller } from './caller.ts';
import type { RateLimiter } from './config.ts';
import { ApiError } from './errors.ts';

/** Of each key, together with the read tokens made with it, in each of Cloudflare's places. As in wrangler.toml. */
export const RATE_LIMIT = { requests: 1000, period_seconds: 10 } as const;

/** Counts the request. Without a limiter, as in a bare workerd, nobody is limited. */
export async function requireRate(caller: Caller, limiter: RateLimiter | undefined): Promise<void> {
  const { success } = (await limiter?.limit({ key: caller.key_id })) ?? { success: true };
  if (success) return;
  const { requests, period_seconds } = RATE_LIMIT;
  throw new ApiError(
    'rate_limited',
    `More than ${requests} requests in ${period_seconds} s with this key. Wait as \`Retry-After\` says, and send more items in each request.`,
  );
}

/** Headers of draft-ietf-httpapi-ratelimit-headers. What is left is only known when nothing is. */
export function rateLimitHeaders(status: number): Record<string, string> {
  const { requests, period_seconds } = RATE_LIMIT;
  const policy = { 'ratelimit-policy': `"default";q=${requests};w=${period_seconds}` };
  if (status !== 429) return policy;
  return {
    ...policy,
    ratelimit: `"default";r=0;t=${period_seconds}`,
    'retry-after': String(period_seconds),
  };
}
