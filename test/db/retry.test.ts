import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BACKOFF_MS, type Clock, MAX_RETRIES, type RetryRules, withRetries } from '../../src/db/retry.ts';

/** A clock that only waiting advances, with draws that are always the same. */
function clockWith(random: number): Clock & { waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    nowMs: () => waits.reduce((sum, wait) => sum + wait, 0),
    random: () => random,
    sleep: async (ms) => {
      waits.push(ms);
    },
  };
}

const PATIENT: RetryRules = { attempt_timeout_ms: 10_000, deadline_at_ms: 30_000, mayRepeat: () => true };

/** Fails a number of times, then returns the number of calls. */
function failing(times: number) {
  let asked = 0;
  return {
    asked: () => asked,
    attempt: async () => {
      asked += 1;
      if (asked <= times) throw new Error(`failure ${asked}`);
      return asked;
    },
  };
}

describe('what fails and may be repeated', () => {
  test('is asked again, three times at most, and then the last failure rises', async () => {
    expect(await withRetries(failing(MAX_RETRIES).attempt, PATIENT, clockWith(0))).toBe(4);
    const hopeless = failing(9);
    await expect(withRetries(hopeless.attempt, PATIENT, clockWith(0))).rejects.toThrow('failure 4');
    expect(hopeless.asked()).toBe(4);
  });

  test('waits between nothing and 200, 400, 800 ms, as chance has it', async () => {
    const shortest = clockWith(0);
    await withRetries(failing(3).attempt, PATIENT, shortest);
    expect(shortest.waits).toEqual([0, 0, 0]);
    const half = clockWith(0.5);
    await withRetries(failing(3).attempt, PATIENT, half);
    expect(half.waits).toEqual([BACKOFF_MS / 2, BACKOFF_MS, BACKOFF_MS * 2]);
  });

  test('is not asked again beyond the deadline', async () => {
    const clock = clockWith(0.5);
    const hopeless = failing(9);
    const rules = { ...PATIENT, deadline_at_ms: 750 };
    await expect(withRetries(hopeless.attempt, rules, clock)).rejects.toThrow('failure 2');
    expect(clock.waits).toEqual([100]);
  });
});

test('what may not be repeated is asked once', async () => {
  const hopeless = failing(9);
  const rules = { ...PATIENT, mayRepeat: (error: unknown) => !(error instanceof Error) };
  await expect(withRetries(hopeless.attempt, rules, clockWith(0))).rejects.toThrow('failure 1');
  expect(hopeless.asked()).toBe(1);
});

describe('the signal of an attempt', () => {
  const firedWithin = async (rules: RetryRules, ms: number) => {
    let fired: AbortSignal | undefined;
    const attempt = async (signal: AbortSignal) => {
      fired = signal;
      await sleep(ms);
    };
    await withRetries(attempt, rules, clockWith(0));
    return fired?.aborted;
  };

  test('fires when the attempt has taken its time', async () => {
    expect(await firedWithin({ ...PATIENT, attempt_timeout_ms: 20 }, 60)).toBe(true);
    expect(await firedWithin(PATIENT, 60)).toBe(false);
  });

  test('fires when the time of the request is up, though the attempt has time left', async () => {
    expect(await firedWithin({ ...PATIENT, deadline_at_ms: 20 }, 60)).toBe(true);
  });
});
