import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { storedTouchpointExample, Touchpoint } from './touchpoint-schema.ts';
import { type StoredTouchpoint, touchpointOut, updateTouchpointVoided } from './touchpoint-sql.ts';

export const voidTouchpoint = operation({
  method: 'delete',
  path: '/v1/touchpoints/{id}',
  id: 'voidTouchpoint',
  tag: 'Touchpoints',
  summary: 'Void a touchpoint',
  description:
    'Removes a wrong touchpoint from every report. Its id stays taken, explanations list it as `voided`, and the conversions that it recorded through the `match` of a goal are retracted. The operation is idempotent.',
  access: 'admin',
  params: z.object({ id: z.string().meta({ example: 'tweet-1' }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The touchpoint, voided.',
    schema: Touchpoint,
    example: { ...storedTouchpointExample, voided_at: '2026-05-02T08:00:00.000Z' },
  },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const { database, workspace } = context;
    const entry = { actor: context, action: 'touchpoint.void', target_id: params.id } as const;
    const [row] = await database.query<StoredTouchpoint>(
      updateTouchpointVoided(workspace.id, params.id, entry),
    );
    if (!row) throw new ApiError('not_found', 'No touchpoint has this id.');
    return { body: touchpointOut(row) };
  },
});
