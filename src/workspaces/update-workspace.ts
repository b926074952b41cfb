import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { forgetCallers } from '../http/authenticate.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { Workspace, WorkspacePatch, workspaceExample } from './workspace-schema.ts';
import { type StoredWorkspace, updateWorkspaceRow, workspaceOut } from './workspace-sql.ts';

export const updateWorkspace = operation({
  method: 'patch',
  path: '/v1/workspace',
  id: 'updateWorkspace',
  tag: 'Workspaces',
  summary: 'Change the settings of the workspace',
  description:
    'Changes the settings in the body and leaves the others. Other isolates use the new settings within 30 seconds.',
  access: 'admin',
  params: z.object({}),
  query: z.object({}),
  body: WorkspacePatch,
  bodyExample: { timezone: 'America/New_York' },
  success: {
    status: 200,
    description: 'The workspace as it is now.',
    schema: Workspace,
    example: workspaceExample,
  },
  errors: [...BODY_ERRORS, 'not_found'],
  handle: async (context, { body }) => {
    const { database, workspace } = context;
    const [row] = await database.query<StoredWorkspace>(
      audited(updateWorkspaceRow(workspace.id, body), {
        actor: context,
        action: 'workspace.update',
        target_id: null,
        fields: Object.keys(body),
      }),
    );
    forgetCallers(workspace.id);
    if (!row) throw new ApiError('not_found', 'The workspace was deleted.');
    return { body: workspaceOut(row) };
  },
});
