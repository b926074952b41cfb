import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { adjustmentOut, type StoredAdjustment, selectAdjustments } from './adjustment-sql.ts';
import { Adjustment, adjustmentExample } from './conversion-schema.ts';

export const listAdjustments = operation({
  method: 'get',
  path: '/v1/conversions/{id}/adjustments',
  id: 'listAdjustments',
  tag: 'Conversions',
  summary: 'List the adjustments of a conversion',
  description:
    'Lists adjustments in the order in which they apply. The last restatement decides, unless there is a retraction.',
  access: 'read',
  params: z.object({ id: z.string().meta({ example: 'order-1' }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The adjustments.',
    schema: z.object({ data: z.array(Adjustment) }),
    example: { data: [adjustmentExample] },
  },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const rows = await database.query<StoredAdjustment | { id: null }>(
      selectAdjustments(workspace.id, params.id),
    );
    if (rows.length === 0) throw new ApiError('not_found', 'No conversion has this id.');
    return { body: { data: rows.filter((row) => row.id !== null).map(adjustmentOut) } };
  },
});
