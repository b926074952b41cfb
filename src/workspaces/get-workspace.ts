import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { Workspace, workspaceExample } from './workspace-schema.ts';
import { type StoredWorkspace, selectWorkspace, workspaceOut } from './workspace-sql.ts';

export const getWorkspace = operation({
  method: 'get',
  path: '/v1/workspace',
  id: 'getWorkspace',
  tag: 'Workspaces',
  summary: 'Get the workspace',
  description: 'Returns the workspace of the key, with its settings.',
  access: 'admin',
  params: z.object({}),
  query: z.object({}),
  success: { status: 200, description: 'The workspace.', schema: Workspace, example: workspaceExample },
  errors: ['not_found'],
  handle: async ({ database, workspace }) => {
    const [row] = await database.query<StoredWorkspace>(selectWorkspace(workspace.id));
    if (!row) throw new ApiError('not_found', 'The workspace was deleted.');
    return { body: workspaceOut(row) };
  },
});
