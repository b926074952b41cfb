import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomFrom } from '../../local/demo/random.ts';
import type { Json } from '../support/api.ts';
import type { Attempt } from './history.ts';

/** One request of a sender. Beside each item is the name by which the sender identifies it. */
export interface Batch {
  resource: 'touchpoints' | 'conversions' | 'people' | 'spend';
  items: { name: string; item: object }[];
  /** For items without ids, so that the same batch sent again has the same ids. */
  idempotencyKey?: string;
}

/** The attempts of many senders, and whether they should stop. */
export interface Sending {
  url: string;
  token: string;
  /** The platform's `fetch`, unless the application is called without a URL. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  attempts: Attempt[];
  /** Numbers of responses by status; any status but 200, 202, 207 and 503 is a defect. */
  statuses: Map<number | 'none', number>;
  /** Set to make senders give up, even with items left. */
  stopped: boolean;
}

export function sendingTo(url: string, token: string, fetchFrom: Sending['fetch'] = fetch): Sending {
  return { url, token, fetch: fetchFrom, attempts: [], statuses: new Map(), stopped: false };
}

/** Longer than the Worker waits before it gives up. */
const CLIENT_TIMEOUT_MS = 40_000;

/** Real senders wait for the 5 seconds of `Retry-After`, or less; a test has no time for that. */
const LONGEST_WAIT_MS = 400;

/** Real senders give up at some point. The outcome of their items is then unknown. */
const MAX_ATTEMPTS = 60;

/** Runs many concurrent senders, each of which takes the next batch until none is left. */
export async function sendAll(
  sending: Sending,
  batches: Iterable<Batch>,
  options: { clients: number; seed: number },
): Promise<void> {
  const queue = batches[Symbol.iterator]();
  const client = async (number: number) => {
    const random = randomFrom(options.seed + number);
    for (let next = queue.next(); !next.done && !sending.stopped; next = queue.next()) {
      await deliver(sending, next.value, random);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, (_, number) => client(number)));
}

/** Sends one batch as real senders do: with the same ids again, until a response has its outcome. */
async function deliver(sending: Sending, batch: Batch, random: Random): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (attempt > 0 && sending.stopped) return;
    const results = await attemptOnce(sending, batch);
    if (results) {
      batch.items.forEach(({ name }, i) => {
        sending.attempts.push({ item: name, outcome: outcomeOf(results[i]) });
      });
      return;
    }
    for (const { name } of batch.items) sending.attempts.push({ item: name, outcome: 'unknown' });
    await sleep(random.between(0, LONGEST_WAIT_MS));
  }
}

function outcomeOf(result: Json): Attempt['outcome'] {
  const status = result?.status;
  return status === 'accepted' || status === 'duplicate' || status === 'queued' ? status : 'failed';
}

/** The results of the items; undefined if the outcome is unknown. */
async function attemptOnce(
  sending: Sending,
  { resource, items, idempotencyKey }: Batch,
): Promise<Json[] | null> {
  const note = (status: number | 'none') =>
    sending.statuses.set(status, (sending.statuses.get(status) ?? 0) + 1);
  try {
    const response = await sending.fetch(`${sending.url}/v1/${resource}`, {
      method: 'POST',
      signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${sending.token}`,
        'content-type': 'application/json',
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      body: JSON.stringify({ [resource]: items.map(({ item }) => item) }),
    });
    const body = (await response.json()) as Json;
    note(response.status);
    return response.status >= 500 ? null : (body.results ?? []);
  } catch (error) {
    // Node's fetch fails with a TypeError for a broken connection and a DOMException for a time-out.
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    note('none');
    return null;
  }
}
