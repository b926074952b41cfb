import * as z from 'zod';
import { audited } from '../db/audited.ts';
import type { Resource } from '../domain/settings.ts';
import { ApiError } from '../http/errors.ts';
import { type AnyOperation, operation, type RecordContext } from '../http/operation.ts';
import { BatchAnswer, batchReply, type ItemResult } from '../ingest/batch-answer.ts';
import { idOfSender, type NamedItem } from '../ingest/name-items.ts';
import { rejectionExample } from './rejection-schema.ts';
import { deleteRejection, getRejection, rejectionOut, type StoredRejection } from './rejection-sql.ts';

/**
 * The function that records items of each resource. The application passes them in, because slices never import each
 * other.
 */
export type Recorders = Record<
  Resource,
  (items: readonly NamedItem[], context: RecordContext) => Promise<ItemResult[]>
>;

const ONLY_DIGEST =
  'Only a digest of this item is kept, because it was too large; send the item itself again.';
const UNREADABLE =
  'The item was stored under a key that the deployment does not have, so it cannot be replayed. Send the item again.';

export function replayRejection(recorders: Recorders): AnyOperation {
  return operation({
    method: 'post',
    path: '/v1/rejections/{id}/replay',
    id: 'replayRejection',
    tag: 'Rejections',
    summary: 'Replay a rejection',
    description:
      'Records the item once more, as it was sent. If it is accepted, dropped or already stored, the rejection is deleted. If not, the rejection stays, with the reasons of this attempt. Where only the digest of an item is kept, the response is 422: send the item again.',
    access: 'admin',
    params: z.object({ id: z.string().meta({ example: rejectionExample.id }) }),
    query: z.object({}),
    success: {
      status: 200,
      description: 'The item is accepted, dropped, or was already stored.',
      schema: BatchAnswer,
      example: {
        accepted: 1,
        duplicates: 0,
        dropped: 0,
        rejected: 0,
        results: [{ index: 0, id: 'order-7', status: 'accepted' }],
      },
    },
    errors: ['not_found', 'no_item_accepted', 'invalid_request', 'item_unreadable'],
    handle: async (context, { params }) => {
      const { database, workspace, secrets } = context;
      const [row] = await database.query<StoredRejection>(getRejection(workspace.id, params.id));
      if (!row) throw new ApiError('not_found', 'No rejection has this id. Rejections are kept for 30 days.');
      const { resource, item, item_id, item_digest, item_unreadable } = await rejectionOut(row, secrets);
      if (item_digest !== null) throw new ApiError('invalid_request', ONLY_DIGEST);
      if (item_unreadable) throw new ApiError('item_unreadable', UNREADABLE);
      // A line that was not JSON is kept as a string, and no valid item is a string.
      const sent = { index: 0, pointer: '', value: item, unreadable: typeof item === 'string' };
      // An item without an id keeps the one that was generated when it was rejected, so replaying it and retrying it
      // under the same Idempotency-Key store it once.
      const named = { ...sent, id: idOfSender(sent) ?? item_id, isIdOfSender: idOfSender(sent) !== null };
      const reply = batchReply(await recorders[resource]([named], context));
      const entry = { actor: context, action: 'rejection.replay', target_id: params.id } as const;
      await database.query(audited(deleteRejection(workspace.id, params.id), entry));
      return reply;
    },
  });
}
