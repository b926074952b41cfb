import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { funnelExample, funnelInputExample } from './funnel-examples.ts';
import { Funnel, FunnelInput, FunnelKey } from './funnel-schema.ts';
import { goalsNamed, refuseUnknownStepGoals } from './run-funnel.ts';
import {
  funnelOut,
  goalsAmong,
  type KnownGoal,
  type StoredFunnel,
  upsertFunnel,
} from './saved-funnel-sql.ts';

export const putFunnel = operation({
  method: 'put',
  path: '/v1/funnels/{key}',
  id: 'putFunnel',
  tag: 'Funnels',
  summary: 'Create or replace a saved funnel',
  description:
    'Stores a funnel without its range, so that its report can be requested by key. The goals that it names must exist.',
  access: 'admin',
  params: z.object({ key: FunnelKey }),
  query: z.object({}),
  body: FunnelInput,
  bodyExample: funnelInputExample,
  success: { status: 200, description: 'The stored funnel.', schema: Funnel, example: funnelExample },
  errors: [...BODY_ERRORS, 'not_found', 'unknown_goal'],
  handle: async (context, { params, body }) => {
    const { database, workspace } = context;
    const statement = upsertFunnel(workspace.id, params.key, body);
    const fields = Object.keys(body);
    const [[row], known] = await database.atomic<[StoredFunnel, KnownGoal]>([
      audited(statement, { actor: context, action: 'funnel.put', target_id: params.key, fields }),
      goalsAmong(workspace.id, goalsNamed(body)),
    ]);
    if (row) return { body: funnelOut(row) };
    refuseUnknownStepGoals(
      body,
      known.map(({ key }) => key),
    );
    throw new ApiError('not_found', 'The workspace does not exist any more.');
  },
});
