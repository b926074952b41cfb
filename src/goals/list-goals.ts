import * as z from 'zod';
import { operation } from '../http/operation.ts';
import { Goal, goalExample } from './goal-schema.ts';
import { goalOut, type StoredGoal, selectGoals } from './goal-sql.ts';

export const listGoals = operation({
  method: 'get',
  path: '/v1/goals',
  id: 'listGoals',
  tag: 'Goals',
  summary: 'List goals',
  description:
    'Lists all goals of the workspace by key, including archived ones. There are few, so the list has no pages.',
  access: 'read',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The goals.',
    schema: z.object({ data: z.array(Goal) }),
    example: { data: [goalExample] },
  },
  errors: [],
  handle: async ({ database, workspace }) => ({
    body: { data: (await database.query<StoredGoal>(selectGoals(workspace.id))).map(goalOut) },
  }),
});
