import * as z from 'zod';
import { forgetCallers } from '../http/authenticate.ts';
import { ApiError } from '../http/errors.ts';
import { openOperation } from '../http/operation.ts';
import { workspaceExample } from './workspace-schema.ts';
import { deleteWorkspaceRows } from './workspace-sql.ts';

export const deleteWorkspace = openOperation({
  method: 'delete',
  path: '/v1/workspaces/{id}',
  id: 'deleteWorkspace',
  tag: 'Workspaces',
  summary: 'Delete a workspace',
  description:
    'Deletes the workspace with everything in it, at once and irreversibly. Requires the root key.',
  access: 'root',
  params: z.object({ id: z.uuid().meta({ example: workspaceExample.id }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The id of the deleted workspace.',
    schema: z.object({ id: z.uuid(), deleted: z.literal(true) }),
    example: { id: workspaceExample.id, deleted: true },
  },
  errors: ['not_found'],
  handle: async ({ databases }, { params }) => {
    const answers = await databases.inWorkspace(params.id).once(deleteWorkspaceRows(params.id));
    forgetCallers(params.id);
    if (answers.at(-1)?.length !== 1) throw new ApiError('not_found', 'No workspace has this id.');
    return { body: { id: params.id, deleted: true as const } };
  },
});
