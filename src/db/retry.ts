/** Time and chance, as arguments. */
export interface Clock {
  nowMs(): number;
  /** From 0 up to, and without, 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** How long one attempt may take, and until when there is a next one. */
export interface RetryRules {
  attempt_timeout_ms: number;
  deadline_at_ms: number;
  /** May the attempt that failed so be followed by another? */
  mayRepeat(error: unknown): boolean;
}

/** After the first attempt. More would keep a database busy that has trouble enough. */
export const MAX_RETRIES = 3;

/** Before the first retry, at most; doubled before each further one. A session that was ended is replaced sooner. */
export const BACKOFF_MS = 200;

/** Less is not enough for an attempt to succeed. */
const MIN_ATTEMPT_MS = 500;

/**
 * Runs `attempt` until it succeeds, at most `1 + MAX_RETRIES` times, and not beyond the deadline. Waits are drawn from
 * zero up (full jitter), so that those who failed together do not come back together.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @throws what the last attempt threw
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { attempt_timeout_ms, deadline_at_ms, mayRepeat }: RetryRules,
  clock: Clock,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    const left_ms = Math.max(0, deadline_at_ms - clock.nowMs());
    try {
      return await attempt(AbortSignal.timeout(Math.min(attempt_timeout_ms, left_ms)));
    } catch (error) {
      const wait_ms = clock.random() * BACKOFF_MS * 2 ** retries;
      const isInTime = clock.nowMs() + wait_ms + MIN_ATTEMPT_MS <= deadline_at_ms;
      if (retries === MAX_RETRIES || !isInTime || !mayRepeat(error)) throw error;
      await clock.sleep(wait_ms);
    }
  }
}
