import * as z from 'zod';
import { moneyOf } from '../http/journey-fields.ts';
import { operation, type WorkspaceContext } from '../http/operation.ts';
import { rangeOf } from '../http/report-fields.ts';
import { refuseUnknownGoals } from '../http/unknown-goals.ts';
import { historyWarning } from '../http/warnings.ts';
import { CultivationQuery, CultivationReport, cultivationExample } from './cultivation-schema.ts';
import { type CultivationAnswer, type CultivationQuestion, cultivationReport } from './cultivation-sql.ts';
import { refuseOtherKinds, reportOf } from './shape-cultivation.ts';

export const getCultivation = operation({
  method: 'get',
  path: '/v1/reports/cultivation',
  id: 'getCultivation',
  tag: 'Reports',
  summary: 'Whether cultivated people convert more',
  description:
    'Compares people who were cultivated (followed, subscribed, joined) with people who were not: how many convert, how soon, and what they are worth. Who lives long enough to be cultivated has not converted before, so whom to call cultivated is settled at a landmark: `landmark_days` after the first touchpoint, of any kind, which is what lies in the range. Whoever has converted by then is left out and counted; so is whoever has been followed for less than `horizon_days` since. At the landmark exactly is by then; at the horizon exactly is within it. Voided touchpoints and retracted conversions never happened, what lies ahead of now has not happened yet, and conversions that a touchpoint recorded count like others. The pool, of everyone now, is whom to turn to.',
  access: 'read',
  report: 'cultivation',
  params: z.object({}),
  query: CultivationQuery,
  success: {
    status: 200,
    description: 'The report. CSV and NDJSON hold the rows.',
    schema: CultivationReport,
    example: cultivationExample,
  },
  errors: ['invalid_request', 'unknown_goal'],
  isTable: true,
  isCacheable: true,
  handle: async (context, { query }) => {
    const { question, timezone } = questionOf(query, context);
    const [[row] = []] = await context.database.report([cultivationReport(question)]);
    if (!row) throw new Error('the report has no row');
    const answer = row as CultivationAnswer;
    const goals = answer.goals ?? [];
    const asked = {
      goal: question.goals,
      cultivation_goal:
        question.cultivation_goals ??
        goals.filter(({ kind }) => kind === 'cultivation').map(({ key }) => key),
    };
    refuseUnknownGoals(
      asked,
      goals.map(({ key }) => key),
    );
    refuseOtherKinds(asked, goals);
    const { from, to, landmark_days, horizon_days, group_by, currency } = question;
    const report = reportOf(question, asked, answer);
    report.warnings.push(
      ...historyWarning(context.workspace, 'nobody is known to have converted or been cultivated before'),
    );
    return {
      body: {
        query: { ...asked, from, to, timezone, landmark_days, horizon_days, group_by, currency },
        ...report,
      },
    };
  },
});

/** Cultivation goals in the order in which the statement has them. */
function questionOf(
  query: CultivationQuery,
  { workspace, now }: WorkspaceContext,
): { question: CultivationQuestion; timezone: string } {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  const { landmark_days, horizon_days, group_by = null } = query;
  const question = {
    ...moneyOf(query.currency, workspace),
    goals: [...new Set(query.goal)],
    cultivation_goals: query.cultivation_goal ? [...new Set(query.cultivation_goal)].sort() : null,
    from: from.toISOString(),
    to: to.toISOString(),
    now: now.toISOString(),
    landmark_days,
    horizon_days,
    group_by,
  };
  return { question, timezone };
}
