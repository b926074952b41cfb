import * as z from 'zod';
import { lifecycleRows } from '../domain/lifecycle.ts';
import { operation } from '../http/operation.ts';
import { rangeOf } from '../http/report-fields.ts';
import { historyWarning } from '../http/warnings.ts';
import { LifecycleQuery, LifecycleReport, lifecycleExample } from './lifecycle-schema.ts';
import { type LifecycleAnswer, lifecycleReport } from './lifecycle-sql.ts';

export const getLifecycle = operation({
  method: 'get',
  path: '/v1/reports/lifecycle',
  id: 'getLifecycle',
  tag: 'Reports',
  summary: 'People per lifecycle stage, and their moves',
  description:
    'The built-in stage funnel: how many people are at each stage at the end of the range, how many reached it, and who moved inside the range. `conversation`: an inbound touchpoint. `consideration`, `trial`: a touchpoint whose `stage` says so, or a conversion of a goal of that stage. `purchase`: the first conversion of a goal of the stage `purchase`, `loyalty`: the second, over all such goals; of a goal that counts once only the first counts. Other values of `stage` make nothing. A stage is reached by whoever has it or a later one of these five, so nobody ever falls back. `advocacy` stands beside them: an advocate is a person named by `referred_by` on a touchpoint of somebody else, at whatever stage. Moves go from the furthest stage before to the new one, stages between are skipped; a move to `advocacy` is the first referral, and leaves the stage as it is. Everything before `to` is read, also what is older than the range; `from` only tells which moves count. Goals have the stage that they have now; voided touchpoints and retracted conversions never happened.',
  access: 'read',
  report: 'lifecycle',
  params: z.object({}),
  query: LifecycleQuery,
  success: {
    status: 200,
    description: 'The report. CSV and NDJSON hold the stages, not the moves.',
    schema: LifecycleReport,
    example: lifecycleExample,
  },
  errors: ['invalid_request'],
  isTable: true,
  isCacheable: true,
  handle: async ({ database, workspace, now }, { query }) => {
    const range = rangeOf(query, workspace.timezone, now);
    const from = range.from.toISOString();
    const to = range.to.toISOString();
    const [[row] = []] = await database.report([lifecycleReport({ workspace_id: workspace.id, from, to })]);
    const answer = row as LifecycleAnswer | undefined;
    const people = answer?.people ?? 0;
    const body: LifecycleReport = {
      query: { from, to, timezone: range.timezone },
      observational: true,
      totals: { people },
      data: lifecycleRows(answer?.stages ?? {}, people),
      moves: answer?.moves ?? [],
      warnings: historyWarning(workspace, 'stages reached only by what is deleted are missing'),
    };
    return { body };
  },
});
