import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { SpendWithHistory, spendExample } from './spend-schema.ts';
import { type StoredSpendWithHistory, selectSpend, spendWithHistoryOut } from './spend-sql.ts';

const { id: _, received_at: _received, updated_at: _updated, ...was } = spendExample;

export const getSpend = operation({
  method: 'get',
  path: '/v1/spend/{id}',
  id: 'getSpend',
  tag: 'Spend',
  summary: 'Get a row of spend and its history',
  description:
    'Returns the current row and every earlier version of it, so that no total changes without a trace.',
  access: 'read',
  params: z.object({ id: z.string().meta({ example: spendExample.id }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The row.',
    schema: SpendWithHistory,
    example: {
      ...spendExample,
      history: [{ ...was, version: 1, replaced_at: '2026-06-02T04:00:00.000Z', amount: 1198.2 }],
    },
  },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredSpendWithHistory>(selectSpend(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No row of spend has this id.');
    return { body: spendWithHistoryOut(row) };
  },
});
