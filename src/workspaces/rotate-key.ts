import * as z from 'zod';
import { forgetCallers } from '../http/authenticate.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { keyExample, NewKey, newKeyExample, RotationInput } from './key-schema.ts';
import { grantOfKey, keyOut, makeKeyId, makeToken, replaceKey, type StoredKey } from './key-sql.ts';

export const rotateKey = operation({
  method: 'post',
  path: '/v1/keys/{id}/rotate',
  id: 'rotateKey',
  tag: 'Keys',
  summary: 'Rotate a key',
  description:
    'Replaces a key with a new one that has its own id and token, and the name, kind, scopes, origins and expiry of the old one. The old key stays valid for `grace_seconds`, so that its users can change over, and never beyond its own expiry. With 0, it stops working at once in the isolate that serves this request, and within 30 seconds everywhere. Read tokens that the old key created stop working with it.',
  access: 'admin',
  params: z.object({ id: z.string().meta({ example: keyExample.id }) }),
  query: z.object({}),
  body: RotationInput,
  bodyExample: { grace_seconds: 3600 },
  success: {
    status: 201,
    description: 'The new key. The token is shown only here.',
    schema: NewKey,
    example: newKeyExample,
  },
  errors: [...BODY_ERRORS, 'not_found'],
  handle: async (context, { params, body }) => {
    const { database, workspace } = context;
    const [secret, publishable] = await Promise.all([makeToken('secret'), makeToken('publishable')]);
    const next = {
      id: makeKeyId(),
      hashes: { secret: secret.hash, publishable: publishable.hash },
    };
    const entry = { actor: context, action: 'key.rotate', target_id: params.id, fields: grantOfKey } as const;
    // Not idempotent: a second run would rotate a key that has ended, and the token of the first run would be lost.
    const [[row]] = await database.once<[StoredKey]>([
      replaceKey(workspace.id, params.id, next, body.grace_seconds, entry),
    ]);
    forgetCallers(workspace.id);
    if (!row) throw new ApiError('not_found', 'No key in force has this id.');
    const key = keyOut(row);
    return { body: { ...key, token: { secret, publishable }[key.kind].token } };
  },
});
