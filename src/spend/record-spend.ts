import { deriveChannel } from '../domain/channels.ts';
import { batchOperation } from '../ingest/batch-operation.ts';
import type { IngestResource } from '../ingest/record-batch.ts';
import { SpendInput, spendInputExample } from './spend-schema.ts';
import { checkSpend, lockSpend, type SpendRow, upsertSpend } from './spend-sql.ts';

export const spendIngest: IngestResource<SpendInput, SpendRow> = {
  resource: 'spend',
  id_prefix: 'sp',
  schema: SpendInput,
  prepare: async (item, id, _pointer, { workspace }) => {
    const { from, to, source = null, medium = null, campaign = null, amount } = item;
    const currency = item.currency ?? workspace.currency;
    const channel = item.channel ?? channelOf(item);
    return {
      row: { id, from, to, channel, source, medium, campaign, amount, currency },
      content: {},
      warnings: [],
    };
  },
  write: async (rows, { workspace }) => [lockSpend(workspace.id), upsertSpend(workspace.id, rows)],
  check: (rows, { workspace }) => checkSpend(workspace.id, rows),
  rejections: {},
  warnings: {
    replaced: {
      pointer: '/id',
      detail: 'This replaced a stored row with other content. GET /v1/spend/{id} shows the earlier version.',
    },
  },
};

/** Null unless both source and medium are sent; a campaign alone would give `unassigned`, which is a channel too. */
function channelOf({ source, medium, campaign }: SpendInput): string | null {
  if (!source || !medium) return null;
  return deriveChannel({ kind: 'click', source, medium, campaign: campaign ?? null }).channel;
}

export const recordSpend = batchOperation({
  id: 'recordSpend',
  tag: 'Spend',
  summary: 'Record spend',
  description:
    'Stores 1 to 1000 rows, each with the amount spent over some days. A row that is posted again with other content replaces the stored one, because ad platforms restate; the earlier version is kept and shown by GET /v1/spend/{id}. To cancel a row, send it with the amount 0. Reports spread a row evenly over its days.',
  example: spendInputExample,
  ingest: spendIngest,
});
