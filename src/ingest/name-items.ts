import { v7 as uuidv7 } from 'uuid';
import { isBlank } from '../domain/canonical.ts';
import type { RecordContext } from '../http/operation.ts';
import type { SentItem } from './read-items.ts';

/** An item with its id: the sender's, or one that the server generated. */
export interface NamedItem extends SentItem {
  id: string;
  isIdOfSender: boolean;
}

/** In hex: the part of the hash that is in a derived id. */
const ID_HASH_LENGTH = 32;

/**
 * Gives each item its id: the sender's, or a generated one.
 * @param idempotencyKey the header `Idempotency-Key`. Ids of items without one are derived from it and their index, so
 *   that a retry is the same batch. Null: they get time-sortable ids
 */
export function nameItems(
  prefix: string,
  sentItems: readonly SentItem[],
  idempotencyKey: string | null,
  context: RecordContext,
): Promise<NamedItem[]> {
  return Promise.all(
    sentItems.map(async (sent) => {
      const id = idOfSender(sent);
      if (id !== null) return { ...sent, id, isIdOfSender: true };
      return { ...sent, id: await makeId(prefix, sent.index, idempotencyKey, context), isIdOfSender: false };
    }),
  );
}

/** The id that the item carries; null without one. */
export function idOfSender({ value, unreadable }: SentItem): string | null {
  const id = unreadable ? undefined : (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' && !isBlank(id) ? id : null;
}

async function makeId(
  prefix: string,
  index: number,
  idempotencyKey: string | null,
  { now, secrets }: RecordContext,
): Promise<string> {
  if (idempotencyKey === null) return `${prefix}_${uuidv7({ msecs: now.getTime() }).replaceAll('-', '')}`;
  const hash = await secrets.hash('idempotency', `${prefix} ${idempotencyKey} ${index}`);
  return `${prefix}_${hash.slice(0, ID_HASH_LENGTH)}`;
}
