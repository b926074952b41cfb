import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { funnelExample } from './funnel-examples.ts';
import { Funnel, FunnelKey } from './funnel-schema.ts';
import { deleteFunnelRow, funnelOut, type StoredFunnel } from './saved-funnel-sql.ts';

export const deleteFunnel = operation({
  method: 'delete',
  path: '/v1/funnels/{key}',
  id: 'deleteFunnel',
  tag: 'Funnels',
  summary: 'Delete a saved funnel',
  description: 'Deletes the stored query. The data that it reports on is not affected.',
  access: 'admin',
  params: z.object({ key: FunnelKey }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The funnel that was deleted.',
    schema: Funnel,
    example: funnelExample,
  },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const statement = deleteFunnelRow(context.workspace.id, params.key);
    const entry = { actor: context, action: 'funnel.delete', target_id: params.key } as const;
    const [[row]] = await context.database.once<[StoredFunnel]>([audited(statement, entry)]);
    if (!row) throw new ApiError('not_found', 'No funnel has this key.');
    return { body: funnelOut(row) };
  },
});
