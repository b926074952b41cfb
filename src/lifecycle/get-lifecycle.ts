import * as z from 'zod';
import { lifecycleRows } from '../domain/lifecycle.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
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
      warnings: historyWarning(workspace, 'stages that depend only on deleted rows are missing'),
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
    'The built-in stage funnel: the number of people at each stage at the end of the range, the number who reached it, and the moves inside the range. `conversation`: an inbound touchpoint. `consideration` and `trial`: a touchpoint with that `stage`, or a conversion of a goal with that stage. `purchase` and `loyalty`: the first and the second conversion over all goals of the stage `purchase`; a goal that counts once counts only the first. Other values of `stage` have no effect. A person who has one of these five stages has reached it and all earlier ones, so nobody falls back. `advocacy` is counted beside them: an advocate is a person, at any stage, whom `referred_by` names on a touchpoint of somebody else. A move leads from the furthest stage so far to the new one and skips stages in between. A move to `advocacy` is the first referral and leaves the stage unchanged. The report reads everything before `to`, also what precedes the range; `from` only decides which moves count. Goals have their current stage. Voided touchpoints and retracted conversions are ignored.',
  success: {
    description: 'The report. CSV and NDJSON contain the stages, not the moves.',
    example: lifecycleExample,
  },
  errors: ['invalid_request', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});
