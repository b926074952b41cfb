import * as z from 'zod';
import { type Actor, audited, byRoot } from '../db/audited.ts';
import type { Database } from '../db/client.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, openOperation, operation } from '../http/operation.ts';
import { KeyInput, NewKey, newKeyExample } from './key-schema.ts';
import { grantOfKey, keyOut, makeKey, type StoredKey } from './key-sql.ts';
import { workspaceExample } from './workspace-schema.ts';

const shared = {
  method: 'post',
  tag: 'Keys',
  query: z.object({}),
  body: KeyInput,
  bodyExample: { name: 'Production ingest', scopes: ['ingest'] } as z.input<typeof KeyInput>,
  success: {
    status: 201,
    description: 'The new key. Its token is shown only here.',
    schema: NewKey,
    example: newKeyExample,
  },
} as const;

async function create(database: Database, actor: Actor, key: z.output<typeof KeyInput>) {
  const { id, token, insert } = await makeKey(actor.workspace.id, key);
  const [[row]] = await database.once<[StoredKey]>([
    audited(insert, { actor, action: 'key.create', target_id: id, fields: grantOfKey }),
  ]);
  if (!row) throw new ApiError('not_found', 'No workspace has this id.');
  return { body: { ...keyOut(row), token } };
}

export const createKey = operation({
  ...shared,
  path: '/v1/keys',
  id: 'createKey',
  summary: 'Create a key',
  description:
    'Creates a secret key for servers, with the scopes that it needs and no more, or a publishable key for pages of the named origins.',
  access: 'admin',
  params: z.object({}),
  errors: [...BODY_ERRORS, 'not_found'],
  handle: (context, { body }) => create(context.database, context, body),
});

export const createKeyOfWorkspace = openOperation({
  ...shared,
  path: '/v1/workspaces/{id}/keys',
  id: 'createKeyOfWorkspace',
  summary: 'Create a key of any workspace',
  description:
    'Creates a key in the named workspace, for example when it has lost its keys. Requires the root key.',
  access: 'root',
  params: z.object({ id: z.uuid().meta({ example: workspaceExample.id }) }),
  errors: [...BODY_ERRORS, 'not_found'],
  handle: ({ databases, now }, { params, body }) =>
    create(databases.inWorkspace(params.id), byRoot(params.id, now), body),
});
