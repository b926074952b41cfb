import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { RESOURCES } from '../domain/settings.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { Rejection, rejectionExample } from './rejection-schema.ts';
import { rejectionOut, type StoredRejection, selectRejections } from './rejection-sql.ts';

export const listRejections = operation({
  method: 'get',
  path: '/v1/rejections',
  id: 'listRejections',
  tag: 'Rejections',
  summary: 'List rejections',
  description:
    'Lists items that were rejected or in conflict, as they were sent, with the reasons, newest first. Rejections are kept for 30 days; of very large items only a digest. Correct the cause, then replay them.',
  access: 'admin',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    resource: z.enum(RESOURCES).optional().meta({ description: 'Only items of this resource.' }),
    ...FormatQuery.shape,
  }),
  success: {
    status: 200,
    description: 'A page of rejections.',
    schema: PageOf(Rejection),
    example: { data: [rejectionExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace, secrets }, { query }) => {
    const rows = await database.query<StoredRejection & OfPage>(
      selectRejections(workspace.id, query.resource ?? null, decodeCursor(query.cursor), query.limit),
    );
    const opened = await Promise.all(
      rows.map(async (row) => ({ ...(await rejectionOut(row, secrets)), has_next: row.has_next })),
    );
    return {
      body: pageOf(
        opened,
        (row: Rejection) => row,
        (row) => ({ at: row.received_at, id: row.id }),
      ),
    };
  },
});
