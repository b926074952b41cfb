import * as z from 'zod';
import { audited } from '../db/audited.ts';
import type { Row } from '../db/client.ts';
import { forgetCallers } from '../http/authenticate.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { clearPlainValues } from './plain-values-sql.ts';
import { Workspace, WorkspacePatch, workspaceExample } from './workspace-schema.ts';
import { type StoredWorkspace, selectWorkspace, updateWorkspaceRow, workspaceOut } from './workspace-sql.ts';

/** Values that the request itself removes when plain storage is turned off; the hourly run removes the rest. */
const CLEARED_AT_ONCE = 5000;

export const updateWorkspace = operation({
  method: 'patch',
  path: '/v1/workspace',
  id: 'updateWorkspace',
  tag: 'Workspaces',
  summary: 'Change the settings of the workspace',
  description:
    'Changes the settings in the body and leaves the others. Other isolates use the new settings within 30 seconds. From `identity_storage` `plain` to `hashed`, no response shows a value any more, and stored values are removed: up to 5,000 by this request, the others within hours. Until all of them are removed, `plain` is a 422.',
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
    const entry = {
      actor: context,
      action: 'workspace.update',
      target_id: null,
      fields: Object.keys(body),
    } as const;
    const [[row], , [before]] = await database.atomic<[StoredWorkspace, Row, StoredWorkspace]>([
      audited(updateWorkspaceRow(workspace.id, body), entry),
      clearPlainValues(CLEARED_AT_ONCE, workspace.id),
      selectWorkspace(workspace.id),
    ]);
    forgetCallers(workspace.id);
    if (row) return { body: workspaceOut(row) };
    if (!before) throw new ApiError('not_found', 'The workspace was deleted.');
    const detail =
      'Values from before plain storage was turned off are still being removed, within hours at most; until then, leave this out.';
    throw new ApiError('invalid_request', detail, { errors: [{ pointer: '/identity_storage', detail }] });
  },
});
