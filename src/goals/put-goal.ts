import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { GoalKey } from '../http/fields.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { Goal, GoalInput, goalExample } from './goal-schema.ts';
import { goalOut, type StoredGoal, upsertGoal } from './goal-sql.ts';

export const putGoal = operation({
  method: 'put',
  path: '/v1/goals/{key}',
  id: 'putGoal',
  tag: 'Goals',
  summary: 'Create or replace a goal',
  description:
    'Write the objective down first: every conversion names a goal, and reports are about goals. A `match` applies to touchpoints that are received from now on.',
  access: 'admin',
  params: z.object({ key: GoalKey }),
  query: z.object({}),
  body: GoalInput,
  bodyExample: { name: 'Purchase', kind: 'conversion', stage: 'purchase' },
  success: { status: 200, description: 'The goal as it is now.', schema: Goal, example: goalExample },
  errors: [...BODY_ERRORS, 'not_found'],
  handle: async (context, { params, body }) => {
    const statement = upsertGoal(context.workspace.id, params.key, body);
    const [row] = await context.database.query<StoredGoal>(
      audited(statement, {
        actor: context,
        action: 'goal.put',
        target_id: params.key,
        fields: Object.keys(body),
      }),
    );
    if (!row) throw new ApiError('not_found', 'The workspace is gone.');
    return { body: goalOut(row) };
  },
});
