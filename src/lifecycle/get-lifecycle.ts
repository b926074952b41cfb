import * as z from 'zod';
import { lifecycleRows } from '../domain/lifecycle.ts';
import { rangeOf } from '../stats/range-fields.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { historyWarning } from '../stats/warnings.ts';
import { LifecycleQuery, LifecycleReport, lifecycleExample } from './lifecycle-schema.ts';
import { type LifecycleAnswer, type LifecycleQuestion, lifecycleStatement } from './lifecycle-sql.ts';

export const lifecycleReport = defineReport({
  name: 'lifecycle',
  params: z.object({}),
  query: LifecycleQuery,
  schema: LifecycleReport,
  parse: ({ query }, { workspace, now }): LifecycleQuestion & { timezone: string } => {
    const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
    return { workspace_id: workspace.id, from: from.toISOString(), to: to.toISOString(), timezone };
  },
  statements: (question) => [lifecycleStatement(question)],
  shape: ([answer]: [LifecycleAnswer], { from, to, timezone }, { workspace }) => {
    const { people, stages, moves } = answer;
    return {
      query: { from, to, timezone },
      observational: true as const,
      totals: { people },
      data: lifecycleRows(stages ?? {}, people),
      moves,
      warnings: historyWarning(workspace, 'stages reached only by what is deleted are missing'),
    };
  },
});

export const getLifecycle = reportOperation(lifecycleReport, {
  method: 'get',
  path: '/v1/reports/lifecycle',
  id: 'getLifecycle',
  tag: 'Reports',
  summary: 'People per lifecycle stage, and their moves',
  description:
    'The built-in stage funnel: how many people are at each stage at the end of the range, how many reached it, and who moved inside the range. `conversation`: an inbound touchpoint. `consideration`, `trial`: a touchpoint whose `stage` says so, or a conversion of a goal of that stage. `purchase`: the first conversion of a goal of the stage `purchase`, `loyalty`: the second, over all such goals; of a goal that counts once only the first counts. Other values of `stage` make nothing. A stage is reached by whoever has it or a later one of these five, so nobody ever falls back. `advocacy` stands beside them: an advocate is a person named by `referred_by` on a touchpoint of somebody else, at whatever stage. Moves go from the furthest stage before to the new one, stages between are skipped; a move to `advocacy` is the first referral, and leaves the stage as it is. Everything before `to` is read, also what is older than the range; `from` only tells which moves count. Goals have the stage that they have now; voided touchpoints and retracted conversions never happened.',
  success: {
    description: 'The report. CSV and NDJSON hold the stages, not the moves.',
    example: lifecycleExample,
  },
  errors: ['invalid_request', 'report_too_slow'],
  isTable: true,
  isCacheable: true,
});
