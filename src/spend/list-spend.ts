import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { Day, Instant } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { Spend, spendExample } from './spend-schema.ts';
import { type StoredSpend, selectSpendRows, spendOut } from './spend-sql.ts';

export const listSpend = operation({
  method: 'get',
  path: '/v1/spend',
  id: 'listSpend',
  tag: 'Spend',
  summary: 'List spend',
  description:
    'Lists current rows by the time they were first received, newest first, with a cursor. For incremental sync, `updated_after` also selects rows that were replaced since.',
  access: 'read',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    from: Day.optional().meta({ description: 'Rows with a day on or after this one.' }),
    to: Day.optional().meta({ description: 'Rows with a day on or before this one.' }),
    channel: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'Only rows of this channel.', example: 'paid_search' }),
    updated_after: Instant.optional().meta({
      description: 'Only rows that are new or were replaced after this instant.',
    }),
    ...FormatQuery.shape,
  }),
  success: {
    status: 200,
    description: 'A page of spend.',
    schema: PageOf(Spend),
    example: { data: [spendExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const { from = null, to = null, channel = null, updated_after = null, cursor, limit } = query;
    const filter = { from, to, channel, updated_after };
    const rows = await database.query<StoredSpend & OfPage>(
      selectSpendRows(workspace.id, filter, decodeCursor(cursor), limit),
    );
    return { body: pageOf(rows, spendOut, ({ received_at, id }) => ({ at: received_at, id })) };
  },
});
