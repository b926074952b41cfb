import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { GoalKey } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { Goal, goalExample } from './goal-schema.ts';
import { goalOut, type StoredGoal, selectGoal } from './goal-sql.ts';

export const getGoal = operation({
  method: 'get',
  path: '/v1/goals/{key}',
  id: 'getGoal',
  tag: 'Goals',
  summary: 'Get a goal',
  description: 'Returns one goal by its key, whether it is archived or not.',
  access: 'read',
  params: z.object({ key: GoalKey }),
  query: z.object({}),
  success: { status: 200, description: 'The goal.', schema: Goal, example: goalExample },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredGoal>(selectGoal(workspace.id, params.key));
    if (!row) throw new ApiError('not_found', 'No goal has this key.');
    return { body: goalOut(row) };
  },
});
