import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { GoalKey } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { Goal, goalExample } from './goal-schema.ts';
import { goalOut, isFirstArchived, type StoredGoal, updateGoalArchived } from './goal-sql.ts';

export const archiveGoal = operation({
  method: 'delete',
  path: '/v1/goals/{key}',
  id: 'archiveGoal',
  tag: 'Goals',
  summary: 'Archive a goal',
  description:
    'Archives a goal. It accepts no new conversions, and those it has stay in reports. Putting the goal again restores it. The operation is idempotent.',
  access: 'admin',
  params: z.object({ key: GoalKey }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The goal, archived.',
    schema: Goal,
    example: { ...goalExample, archived_at: '2026-06-01T00:00:00.000Z' },
  },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const statement = updateGoalArchived(context.workspace.id, params.key);
    const entry = { actor: context, action: 'goal.archive', target_id: params.key } as const;
    const [row] = await context.database.query<StoredGoal>(audited(statement, entry, isFirstArchived));
    if (!row) throw new ApiError('not_found', 'No goal has this key.');
    return { body: goalOut(row) };
  },
});
