import { z } from '@hono/zod-openapi';
import { type AnyOperation, BODY_ERRORS, operation } from '../operation.ts';
import { BatchAnswer, batchReply } from './answer.ts';
import { BatchQuery, idempotencyKeyOf } from './batch-request.ts';
import { MAX_ITEMS, readItems } from './read-items.ts';
import { type IngestResource, recordBatch, type StoredRow } from './record-batch.ts';

interface BatchDefinition<I extends { id?: string | null | undefined }, R extends StoredRow> {
  id: string;
  tag: string;
  summary: string;
  description: string;
  /** One item as sent, with an id. */
  example: Record<string, unknown>;
  ingest: IngestResource<I, R>;
  takesPublishableKeys?: true;
}

/** `POST /v1/<resource>` with `{"<resource>": [ … ]}` or NDJSON: the one way in for everything that comes in batches. */
export function batchOperation<I extends { id?: string | null | undefined }, R extends StoredRow>(
  definition: BatchDefinition<I, R>,
): AnyOperation {
  const { ingest, example, ...texts } = definition;
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
    alsoAnswers: { 207: 'Some items are rejected or conflict; the others went in.' },
    errors: [...BODY_ERRORS, 'no_item_accepted'],
    handle: async (context, { query }) => {
      const items = await readItems(context.request, member);
      const options = { dryRun: query.dry_run, idempotencyKey: idempotencyKeyOf(context.request) };
      return batchReply(await recordBatch(ingest, items, options, context));
    },
  });
}
