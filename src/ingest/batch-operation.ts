import * as z from 'zod';
import { type AnyOperation, BODY_ERRORS, operation } from '../http/operation.ts';
import { BatchAnswer, batchReply } from './batch-answer.ts';
import { BatchQuery, idempotencyKeyOf } from './batch-request.ts';
import { enqueue, queuedResults } from './enqueue.ts';
import { nameItems } from './name-items.ts';
import { MAX_ITEMS, readItems } from './read-items.ts';
import { type IngestResource, prepareBatch, type StoredRow, storeBatch } from './record-batch.ts';

interface BatchDefinition<I extends { id?: string | null | undefined }, R extends StoredRow> {
  id: string;
  tag: string;
  summary: string;
  description: string;
  /** One item as sent, with an id. */
  example: Record<string, unknown>;
  ingest: IngestResource<I, R>;
  takesPublishableKeys?: true;
  /** Items may wait in the queue, if there is one, because no request depends on them in the meantime. */
  takesQueue?: true;
}

const PARTLY = 'Some items are rejected or in conflict; the others are accepted, duplicates or dropped.';
const PARTLY_QUEUED =
  'Some items are rejected or in conflict; the others are accepted, duplicates, dropped or queued.';
const QUEUED =
  'In a deployment with a queue: every item is in the queue, and is stored soon. Items that only the database can reject are found under /v1/rejections afterwards.';

/**
 * `POST /v1/<resource>` with `{"<resource>": [ … ]}` or NDJSON: the operation of every resource that is posted in
 * batches.
 */
export function batchOperation<I extends { id?: string | null | undefined }, R extends StoredRow>(
  definition: BatchDefinition<I, R>,
): AnyOperation {
  const { ingest, example, takesQueue, ...texts } = definition;
  const member = ingest.resource;
  const result = { index: 0, id: String(example.id), status: 'accepted' as const };
  return operation({
    ...texts,
    method: 'post',
    path: `/v1/${member}`,
    access: 'ingest',
    params: z.object({}),
    query: BatchQuery,
    body: z.strictObject({ [member]: z.array(ingest.schema).min(1).max(MAX_ITEMS) }),
    bodyExample: { [member]: [example] } as never,
    readsBodyAs: ['json', 'ndjson'],
    success: {
      status: 200,
      description: 'Every item is accepted, a duplicate, or dropped.',
      schema: BatchAnswer,
      example: { accepted: 1, duplicates: 0, dropped: 0, rejected: 0, results: [result] },
    },
    alsoAnswers: takesQueue ? { 202: QUEUED, 207: PARTLY_QUEUED } : { 207: PARTLY },
    errors: [
      ...BODY_ERRORS,
      'no_item_accepted',
      ...(texts.takesPublishableKeys ? (['daily_cap_reached'] as const) : []),
    ],
    handle: async (context, { query }) => {
      const sent = await readItems(context.request, member);
      const items = await nameItems(ingest.id_prefix, sent, idempotencyKeyOf(context.request), context);
      const batch = await prepareBatch(ingest, items, context);
      const queue = takesQueue && !query.dry_run ? context.config.ingest_queue : undefined;
      if (queue && (await enqueue(queue, member, items, context))) return batchReply(queuedResults(batch));
      return batchReply(await storeBatch(ingest, batch, { dryRun: query.dry_run }, context));
    },
  });
}
