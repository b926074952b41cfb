import * as z from 'zod';
import { operation } from '../http/operation.ts';
import { funnelExample } from './funnel-examples.ts';
import { Funnel } from './funnel-schema.ts';
import { funnelOut, type StoredFunnel, selectFunnels } from './saved-funnel-sql.ts';

export const listFunnels = operation({
  method: 'get',
  path: '/v1/funnels',
  id: 'listFunnels',
  tag: 'Funnels',
  summary: 'List saved funnels',
  description: 'All saved funnels of the workspace, ordered by key. They are few, so there are no pages.',
  access: 'read',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The funnels.',
    schema: z.object({ data: z.array(Funnel) }),
    example: { data: [funnelExample] },
  },
  errors: [],
  handle: async ({ database, workspace }) => ({
    body: { data: (await database.query<StoredFunnel>(selectFunnels(workspace.id))).map(funnelOut) },
  }),
});
