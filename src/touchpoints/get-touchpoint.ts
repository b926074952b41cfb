import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { storedTouchpointExample, Touchpoint } from './touchpoint-schema.ts';
import { type StoredTouchpoint, selectTouchpoint, touchpointOut } from './touchpoint-sql.ts';

export const getTouchpoint = operation({
  method: 'get',
  path: '/v1/touchpoints/{id}',
  id: 'getTouchpoint',
  tag: 'Touchpoints',
  summary: 'Get a touchpoint',
  description: 'Returns one touchpoint by its id, whether it is voided or not.',
  access: 'read',
  params: z.object({ id: z.string().meta({ example: 'tweet-1' }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The touchpoint.',
    schema: Touchpoint,
    example: storedTouchpointExample,
  },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredTouchpoint>(selectTouchpoint(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No touchpoint has this id.');
    return { body: touchpointOut(row) };
  },
});
