import * as z from 'zod';
import { readJson } from '../http/body.ts';
import { ApiError } from '../http/errors.ts';
import { MAX_ID_LENGTH } from '../http/fields.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { BatchAnswer, batchReply } from '../ingest/batch-answer.ts';
import { BatchQuery, idempotencyKeyOf } from '../ingest/batch-request.ts';
import { nameItems } from '../ingest/name-items.ts';
import { occurredAtOf } from '../ingest/normalise-item.ts';
import { type IngestResource, recordBatch } from '../ingest/record-batch.ts';
import { type AdjustmentRow, checkAdjustments, insertAdjustments, WAITING_DAYS } from './adjustment-sql.ts';
import { AdjustmentInput, AdjustmentItem } from './conversion-schema.ts';

const IS_WAITING = `No conversion has this id yet. The adjustment waits for it for ${WAITING_DAYS} days, and counts as soon as it is stored.`;
const NOT_FOUND = `${IS_WAITING} Sent again, the adjustment is a duplicate.`;
const NOT_FOUND_DRY = `No conversion has this id yet. Without dry_run, the adjustment would wait for it for ${WAITING_DAYS} days.`;

export const adjustmentIngest: IngestResource<AdjustmentItem, AdjustmentRow> = {
  resource: 'adjustments',
  id_prefix: 'ad',
  schema: AdjustmentItem,
  prepare: async (item, id, pointer, context) => {
    const { conversion_id, kind, value } = item;
    const { occurred_at, errors } = occurredAtOf(item.occurred_at, pointer, context);
    if (errors.length > 0) return { errors };
    return {
      row: { id, conversion_id, kind, value: value ?? null, occurred_at },
      content: {},
      warnings: [],
    };
  },
  write: async (rows, { workspace }) => [insertAdjustments(workspace.id, rows)],
  check: (rows, { workspace }) => checkAdjustments(workspace.id, rows),
  rejections: {},
  warnings: { waiting: { code: 'waiting_for_conversion', pointer: '/conversion_id', detail: IS_WAITING } },
};

function refuse(pointer: string, detail: string): ApiError {
  return new ApiError('invalid_request', detail, { errors: [{ pointer, detail }] });
}

export const recordAdjustment = operation({
  method: 'post',
  path: '/v1/conversions/{id}/adjustments',
  id: 'recordAdjustment',
  tag: 'Conversions',
  summary: 'Adjust a conversion',
  description:
    'A retraction cancels the conversion and is final. A restatement sets its new total; the last one by `(occurred_at, id)` decides. Net reports restate the day of the conversion itself. An adjustment whose conversion is not stored yet is answered 404 and waits: it counts as soon as the conversion is stored, within 30 days. The response is that of a batch of one.',
  access: 'ingest',
  params: z.object({ id: z.string().meta({ example: 'order-1' }) }),
  query: BatchQuery,
  body: AdjustmentInput,
  bodyExample: { id: 'refund-1', kind: 'restatement', value: 49.9, occurred_at: '2026-05-10T09:30:00Z' },
  readsBodyAs: ['json'],
  success: {
    status: 200,
    description: 'The adjustment is stored, by this request or an earlier one.',
    schema: BatchAnswer,
    example: {
      accepted: 1,
      duplicates: 0,
      dropped: 0,
      rejected: 0,
      results: [{ index: 0, id: 'refund-1', status: 'accepted' }],
    },
  },
  errors: [...BODY_ERRORS, 'no_item_accepted', 'not_found'],
  handle: async (context, { params, query }) => {
    const sent = await readJson(context.request);
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
      throw refuse('', 'Send one adjustment as a JSON object.');
    }
    if ('conversion_id' in sent)
      throw refuse('/conversion_id', 'The path names the conversion; leave this field out.');
    if (params.id.length > MAX_ID_LENGTH)
      throw new ApiError('not_found', `No conversion has an id of over ${MAX_ID_LENGTH} characters.`);
    const item = { index: 0, pointer: '', value: { ...sent, conversion_id: params.id }, unreadable: false };
    const { id_prefix } = adjustmentIngest;
    const items = await nameItems(id_prefix, [item], idempotencyKeyOf(context.request), context);
    const results = await recordBatch(adjustmentIngest, items, { dryRun: query.dry_run }, context);
    if (results[0]?.warnings?.some(({ code }) => code === 'waiting_for_conversion'))
      throw new ApiError('not_found', query.dry_run ? NOT_FOUND_DRY : NOT_FOUND);
    return batchReply(results);
  },
});
