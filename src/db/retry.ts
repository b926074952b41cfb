/** Time and randomness, as arguments. */
export interface Clock {
  nowMs(): number;
  /** At least 0, below 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** The time-out of an attempt, and the conditions of another one. */
export interface RetryRules {
  attempt_timeout_ms: number;
  deadline_at_ms: number;
  /** May another attempt follow one that failed with this error? */
  mayRepeat(error: unknown): boolean;
  /** Fires when nobody waits any more: the attempt ends, and no other follows. */
  gone?: AbortSignal;
}

/** Retries after the first attempt. More of them would burden a database that is already in trouble. */
export const MAX_RETRIES = 3;

/**
 * The longest wait before the first retry; each further retry doubles it. A session that was
 * ended is replaced sooner.
 */
export const BACKOFF_MS = 200;

/** With less time than this an attempt is unlikely to succeed. */
const MIN_ATTEMPT_MS = 500;

/**
 * Runs `attempt` until it succeeds, at most `1 + MAX_RETRIES` times, and not beyond the deadline. Waits are
 * random from zero up (full jitter), so that callers that failed together do not retry together.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * @throws the error of the last attempt
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { attempt_timeout_ms, deadline_at_ms, mayRepeat, gone }: RetryRules,
  clock: Clock,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    const left_ms = Math.max(0, deadline_at_ms - clock.nowMs());
    try {
      const timeout = AbortSignal.timeout(Math.min(attempt_timeout_ms, left_ms));
      return await attempt(gone ? AbortSignal.any([timeout, gone]) : timeout);
    } catch (error) {
      const wait_ms = clock.random() * BACKOFF_MS * 2 ** retries;
      const isInTime = clock.nowMs() + wait_ms + MIN_ATTEMPT_MS <= deadline_at_ms;
      if (retries === MAX_RETRIES || !isInTime || gone?.aborted || !mayRepeat(error)) throw error;
      await clock.sleep(wait_ms);
    }
  }
}
