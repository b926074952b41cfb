import * as z from 'zod';
import { REPORT_ERRORS } from '../http/operation.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { rangeOf } from '../stats/range-fields.ts';
import { defineReport, type ReportContext, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { historyWarning } from '../stats/warnings.ts';
import { CultivationQuery, CultivationReport, cultivationExample } from './cultivation-schema.ts';
import { type CultivationAnswer, type CultivationQuestion, cultivationStatement } from './cultivation-sql.ts';
import { refuseOtherKinds, reportOf } from './shape-cultivation.ts';

type Asked = CultivationQuestion & { timezone: string };

export const cultivationReport = defineReport({
  name: 'cultivation',
  params: z.object({}),
  query: CultivationQuery,
  schema: CultivationReport,
  parse: ({ query }, context) => questionOf(query, context),
  statements: (question) => [cultivationStatement(question)],
  shape: ([answer]: [CultivationAnswer], question, { workspace }) => {
    const goals = answer.goals ?? [];
    const cultivationGoals = goals.filter(({ kind }) => kind === 'cultivation').map(({ key }) => key);
    const named = { goal: question.goals, cultivation_goal: question.cultivation_goals ?? cultivationGoals };
    refuseUnknownGoals(
      named,
      goals.map(({ key }) => key),
    );
    refuseOtherKinds(named, goals);
    const { from, to, timezone, landmark_days, horizon_days, group_by, currency } = question;
    const report = reportOf(question, named, answer);
    report.warnings.push(
      ...historyWarning(workspace, 'earlier conversions and cultivation are not in this report'),
    );
    return {
      query: { ...named, from, to, timezone, landmark_days, horizon_days, group_by, currency },
      ...report,
    };
  },
});

export const getCultivation = reportOperation(cultivationReport, {
  method: 'get',
  path: '/v1/reports/cultivation',
  id: 'getCultivation',
  tag: 'Reports',
  summary: 'Whether cultivated people convert more',
  description:
    'Compares people who were cultivated (followed, subscribed, joined) with people who were not: how many convert, how soon, and with what value. A person who had time to be cultivated cannot have converted before, so a plain count is biased. Therefore a landmark decides who is cultivated: `landmark_days` after the first touchpoint, which is of any kind and lies in the range. People who converted by the landmark are left out and counted, and so are people with less than `horizon_days` of follow-up after it. An event exactly at the landmark is by the landmark, and one exactly at the horizon is within it. Voided touchpoints, retracted conversions and events later than now are ignored. Conversions that a touchpoint recorded count like others. The pool shows everyone now who is cultivated and has not converted.',
  success: { description: 'The report. CSV and NDJSON contain the rows.', example: cultivationExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

/** The effective query, with cultivation goals in the order in which the statement returns them. */
function questionOf(query: CultivationQuery, { workspace, now }: ReportContext): Asked {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  const { landmark_days, horizon_days, group_by = null } = query;
  return {
    ...moneyOf(query.currency, workspace),
    goals: [...new Set(query.goal)],
    cultivation_goals: query.cultivation_goal ? [...new Set(query.cultivation_goal)].sort() : null,
    from: from.toISOString(),
    to: to.toISOString(),
    now: now.toISOString(),
    landmark_days,
    horizon_days,
    group_by,
    timezone,
  };
}
