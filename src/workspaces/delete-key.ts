import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { forgetCallers } from '../http/authenticate.ts';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { Key, keyExample } from './key-schema.ts';
import { deleteKeyRow, grantOfKey, keyOut, type StoredKey } from './key-sql.ts';

export const deleteKey = operation({
  method: 'delete',
  path: '/v1/keys/{id}',
  id: 'deleteKey',
  tag: 'Keys',
  summary: 'Revoke a key',
  description:
    'Revokes a key. It stops working at once in the isolate that serves this request, and within 30 seconds everywhere.',
  access: 'admin',
  params: z.object({ id: z.string().meta({ example: keyExample.id }) }),
  query: z.object({}),
  success: { status: 200, description: 'The revoked key.', schema: Key, example: keyExample },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const { database, workspace } = context;
    const entry = { actor: context, action: 'key.delete', target_id: params.id, fields: grantOfKey } as const;
    const [[row]] = await database.once<[StoredKey]>([audited(deleteKeyRow(workspace.id, params.id), entry)]);
    forgetCallers(workspace.id);
    if (!row) throw new ApiError('not_found', 'No key has this id.');
    return { body: keyOut(row) };
  },
});
