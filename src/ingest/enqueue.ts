import type { Resource } from '../domain/settings.ts';
import type { MessageQueue } from '../http/config.ts';
import type { RecordContext } from '../http/operation.ts';
import type { ItemResult } from './batch-answer.ts';
import type { NamedItem } from './name-items.ts';
import { messagesOf } from './queue-message.ts';
import type { PreparedBatch, StoredRow } from './record-batch.ts';

/** A sender waits half a minute at most, and the database needs its share of that if the queue does not answer. */
const SEND_TIMEOUT_MS = 5000;

/**
 * Sends a batch to the queue.
 * @returns true if the queue has all of it. If not, the caller stores the batch at once. That is safe even if the queue
 *   has a part of it: the items have their ids, so those that the queue delivers later are duplicates
 */
export async function enqueue(
  queue: MessageQueue,
  resource: Resource,
  items: readonly NamedItem[],
  context: RecordContext & { request_id: string },
): Promise<boolean> {
  const messages = await messagesOf(resource, items, context);
  if (!messages) return false;
  const sending = Promise.all(messages.map((message) => queue.send(message, { contentType: 'json' })));
  try {
    await withinTime(sending, SEND_TIMEOUT_MS);
    return true;
  } catch (error) {
    // Only the name, because a message of the platform may quote the items.
    const name = error instanceof Error ? error.name : typeof error;
    const { request_id } = context;
    console.error(JSON.stringify({ level: 'error', request_id, error: name, queue: 'not taken' }));
    return false;
  }
}

async function withinTime(work: Promise<unknown>, timeout_ms: number): Promise<void> {
  const { promise: overtime, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), timeout_ms);
  try {
    await Promise.race([work, overtime]);
  } finally {
    clearTimeout(timer);
  }
}

/** The results of a batch in the queue. Items that are invalid in themselves are reported at once. */
export function queuedResults<R extends StoredRow>(batch: PreparedBatch<R>): ItemResult[] {
  const warned = new Map(batch.candidates.map(({ sent, warnings }) => [sent.index, warnings]));
  return batch.items.map(({ index, id }) => {
    const settled = batch.results.get(index);
    if (settled) return settled;
    const warnings = warned.get(index) ?? [];
    return { index, id, status: 'queued', ...(warnings.length > 0 && { warnings }) };
  });
}
