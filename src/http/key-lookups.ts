import { ApiError } from './errors.ts';

/** Bounds look-ups of keys that do not exist, before the database is asked. The memory is that of one isolate. */

/** Failed look-ups of one address in one period. Servers use keys that exist; a mistyped key has no checksum. */
export const MAX_FAILED_LOOKUPS = 20;
export const FAILED_LOOKUPS_PERIOD_SECONDS = 10;

/** An unknown key is not looked up again for so long. */
const UNKNOWN_MS = 10_000;

const MAX_REMEMBERED = 10_000;

interface Failures {
  count: number;
  until_ms: number;
}

const failures = new Map<string, Failures>();
const unknown = new Map<string, number>();
/** Keys that existed when they were last looked up. Their senders share an address with whoever guesses keys there. */
const good = new Set<string>();

/**
 * Lets a look-up pass, or tells its result from memory.
 * @param address of the client; null, as in a local run: not limited
 * @param name of the key
 * @returns false if the key is known not to exist
 * @throws ApiError rate_limited
 */
export function mayLookUp(address: string | null, name: string, nowMs: number): boolean {
  const until = unknown.get(name);
  if (until !== undefined && until > nowMs) {
    noteFailure(address, nowMs);
    return false;
  }
  const failed = address === null ? undefined : failures.get(address);
  if (!failed || failed.until_ms <= nowMs || failed.count < MAX_FAILED_LOOKUPS || good.has(name)) return true;
  const retry_after_seconds = Math.max(1, Math.ceil((failed.until_ms - nowMs) / 1000));
  const detail = `More than ${MAX_FAILED_LOOKUPS} requests with unknown keys in ${FAILED_LOOKUPS_PERIOD_SECONDS} s from this address. Wait for the time in \`Retry-After\`, and correct the key.`;
  throw new ApiError('rate_limited', detail, { retry_after_seconds });
}

/** Notes the result of a look-up. */
export function noteLookUp(address: string | null, name: string, exists: boolean, nowMs: number): void {
  if (exists) {
    unknown.delete(name);
    if (good.size >= MAX_REMEMBERED) good.clear();
    good.add(name);
    return;
  }
  good.delete(name);
  if (unknown.size >= MAX_REMEMBERED) unknown.clear();
  unknown.set(name, nowMs + UNKNOWN_MS);
  noteFailure(address, nowMs);
}

function noteFailure(address: string | null, nowMs: number): void {
  if (address === null) return;
  const known = failures.get(address);
  if (known && known.until_ms > nowMs) {
    known.count += 1;
    return;
  }
  if (failures.size >= MAX_REMEMBERED) failures.clear();
  failures.set(address, { count: 1, until_ms: nowMs + FAILED_LOOKUPS_PERIOD_SECONDS * 1000 });
}
