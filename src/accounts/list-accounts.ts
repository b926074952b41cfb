import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { AccountRow, accountRowExample } from './account-schema.ts';
import { accountRowOut, type StoredAccountRow, selectAccounts } from './account-sql.ts';

export const listAccounts = operation({
  method: 'get',
  path: '/v1/accounts',
  id: 'listAccounts',
  tag: 'Accounts',
  summary: 'List accounts',
  description:
    'Lists accounts newest first, with a cursor: those that items named, by id or domain, and those that were put.',
  access: 'read',
  params: z.object({}),
  query: z.object({ ...PageQuery.shape, ...FormatQuery.shape }),
  success: {
    status: 200,
    description: 'A page of accounts.',
    schema: PageOf(AccountRow),
    example: { data: [accountRowExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const rows = await database.query<StoredAccountRow & OfPage>(
      selectAccounts(workspace.id, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows, accountRowOut, (row) => ({ at: row.created_at, id: row.id })),
    };
  },
});
