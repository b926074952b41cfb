import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { funnelExample } from './funnel-examples.ts';
import { Funnel, FunnelKey } from './funnel-schema.ts';
import { funnelOut, type StoredFunnel, selectFunnel } from './saved-funnel-sql.ts';

export const getFunnel = operation({
  method: 'get',
  path: '/v1/funnels/{key}',
  id: 'getFunnel',
  tag: 'Funnels',
  summary: 'Get a saved funnel',
  description: 'One funnel by its key, with its defaults applied.',
  access: 'read',
  params: z.object({ key: FunnelKey }),
  query: z.object({}),
  success: { status: 200, description: 'The funnel.', schema: Funnel, example: funnelExample },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredFunnel>(selectFunnel(workspace.id, params.key));
    if (!row) throw new ApiError('not_found', 'No funnel has this key.');
    return { body: funnelOut(row) };
  },
});
