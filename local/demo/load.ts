import { type Access, ask, send, unexpected } from './client.ts';
import type { DemoData } from './diary.ts';

const BATCH_ITEMS = 1000;
const AT_A_TIME = 2;
const MAX_SHOWN = 3;

interface ItemResult {
  id: string;
  status: string;
  errors?: { pointer: string; detail: string }[];
}

type Collection = 'touchpoints' | 'conversions';

export function countItems({ touchpoints, conversions, adjustments }: DemoData): number {
  return touchpoints.length + conversions.length + adjustments.length;
}

/**
 * Posts a data set. `onStored` is called with the number of items that each request stored. Throws unless the API
 * accepts every item.
 */
export async function loadDemo(
  access: Access,
  data: DemoData,
  onStored: (items: number) => void,
): Promise<void> {
  // Goals first: conversions name them, and touchpoints that fit a goal record conversions.
  for (const { key, ...goal } of data.goals) await ask(access, 'PUT', `/v1/goals/${key}`, goal);
  for (const name of ['touchpoints', 'conversions'] as const) {
    await eachAtATime(batches<unknown>(data[name]), async (batch) => {
      await postBatch(access, name, batch);
      onStored(batch.length);
    });
  }
  for (const { conversion_id, ...adjustment } of data.adjustments) {
    await ask(access, 'POST', `/v1/conversions/${conversion_id}/adjustments`, adjustment);
    onStored(1);
  }
}

async function postBatch(access: Access, name: Collection, items: readonly unknown[]): Promise<void> {
  const path = `/v1/${name}`;
  const answer = await send(access, 'POST', path, { [name]: items });
  if (!hasResults(answer.body)) throw unexpected('POST', path, answer);
  const refused = answer.body.results.filter(({ status }) => status !== 'accepted');
  if (refused.length > 0) throw new Error(refusal(path, items.length, refused));
}

function hasResults(body: unknown): body is { results: ItemResult[] } {
  return typeof body === 'object' && body !== null && 'results' in body && Array.isArray(body.results);
}

function refusal(path: string, sent: number, refused: ItemResult[]): string {
  const shown = refused.slice(0, MAX_SHOWN).map(({ id, status, errors = [] }) => {
    const reasons = errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
    return `  ${[`${id}: ${status}`, ...reasons].join('; ')}`;
  });
  return [`POST ${path} did not accept ${refused.length} of ${sent} items:`, ...shown].join('\n');
}

function batches<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / BATCH_ITEMS);
  return Array.from({ length: count }, (_, i) => items.slice(i * BATCH_ITEMS, (i + 1) * BATCH_ITEMS));
}

async function eachAtATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
