import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { audited, byRoot } from '../db/audited.ts';
import type { Row } from '../db/client.ts';
import { SCOPES } from '../domain/settings.ts';
import { insertKeys } from '../http/identity-keys.ts';
import { randomMaterial, ringOf, wrapKey } from '../http/key-material.ts';
import { BODY_ERRORS, openOperation } from '../http/operation.ts';
import { NewKey, newKeyExample } from './key-schema.ts';
import { type KeyToMake, keyOut, makeKey, type StoredKey } from './key-sql.ts';
import { Workspace, WorkspaceInput, workspaceExample } from './workspace-schema.ts';
import { insertWorkspace, type StoredWorkspace, workspaceOut } from './workspace-sql.ts';

const FIRST_KEY: KeyToMake = {
  name: 'First key',
  kind: 'secret',
  goals: null,
  daily_caps: null,
  scopes: SCOPES,
  allowed_origins: null,
  expires_at: null,
};

export const createWorkspace = openOperation({
  method: 'post',
  path: '/v1/workspaces',
  id: 'createWorkspace',
  tag: 'Workspaces',
  summary: 'Create a workspace',
  description:
    'Creates a workspace and its first key, which has all three scopes. Requires the root key of the deployment.',
  access: 'root',
  params: z.object({}),
  query: z.object({}),
  body: WorkspaceInput,
  bodyExample: { name: 'Acme', timezone: 'Europe/Berlin', currency: 'EUR' },
  success: {
    status: 201,
    description: 'The workspace and its first key, whose token is shown only here.',
    schema: z.object({ workspace: Workspace, key: NewKey }),
    example: {
      workspace: workspaceExample,
      key: { ...newKeyExample, name: 'First key', scopes: [...SCOPES] },
    },
  },
  errors: BODY_ERRORS,
  handle: async ({ databases, now, config }, { body }) => {
    const id = uuidv7({ msecs: now.getTime() });
    const { token, insert } = await makeKey(id, FIRST_KEY);
    const material = randomMaterial();
    const ring = await ringOf(config);
    const wrapped = await Promise.all(ring.map((secret) => wrapKey(material, id, secret)));
    const entry = { actor: byRoot(id, now), action: 'workspace.create', target_id: null } as const;
    const [[workspace], [key]] = await databases
      .inWorkspace(id)
      .once<[StoredWorkspace, StoredKey, Row]>([
        audited(insertWorkspace(id, body), entry),
        insert,
        insertKeys(id, wrapped),
      ]);
    if (!workspace || !key) throw new Error('what is inserted is returned');
    return { body: { workspace: workspaceOut(workspace), key: { ...keyOut(key), token } } };
  },
});
