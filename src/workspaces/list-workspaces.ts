import * as z from 'zod';
import { openOperation } from '../http/operation.ts';
import { Workspace, workspaceExample } from './workspace-schema.ts';
import { type StoredWorkspace, selectWorkspaces, workspaceOut } from './workspace-sql.ts';

export const listWorkspaces = openOperation({
  method: 'get',
  path: '/v1/workspaces',
  id: 'listWorkspaces',
  tag: 'Workspaces',
  summary: 'List workspaces',
  description: 'Lists all workspaces of the deployment, oldest first. Requires the root key.',
  access: 'root',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The workspaces.',
    schema: z.object({ data: z.array(Workspace) }),
    example: { data: [workspaceExample] },
  },
  errors: [],
  handle: async ({ databases }) => ({
    body: { data: (await databases.lookup().query<StoredWorkspace>(selectWorkspaces())).map(workspaceOut) },
  }),
});
