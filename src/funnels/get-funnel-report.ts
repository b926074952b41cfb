import * as z from 'zod';
import { FormatQuery } from '../http/formats.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { retentionWarning } from '../http/warnings.ts';
import { askFunnels, previousOf, questionOf, rangeInBody, refuseUnknownGoals } from './ask-funnel.ts';
import { funnelBodyExample, funnelReportExample } from './funnel-examples.ts';
import type { FunnelAnswer, FunnelQuestion } from './funnel-question.ts';
import { FunnelReport } from './funnel-report-schema.ts';
import { FunnelBody } from './funnel-schema.ts';
import { breakdownOf, echoOf, rateWarnings, rowsOf, totalsOf } from './shape-funnel.ts';
import { stepNames } from './step-names.ts';

export const getFunnelReport = operation({
  method: 'post',
  path: '/v1/reports/funnel',
  id: 'getFunnelReport',
  tag: 'Reports',
  summary: 'How far people come, step by step',
  description:
    'How many people, or accounts, come from one step to the next, how long it takes and what it is worth. A chain begins with an event in the range; the events after it may lie behind the range, within the window of the first. Each event fills one step. Values, seconds and groups are those of the one chain of each entity that leads furthest and begins first, also when completions are counted. Steps that nobody came to are rows with 0. It changes nothing, and is a POST for the sake of its body.',
  access: 'read',
  report: 'funnel',
  params: z.object({}),
  query: z.object({ ...FormatQuery.shape }),
  body: FunnelBody,
  bodyExample: funnelBodyExample,
  success: { status: 200, description: 'The report.', schema: FunnelReport, example: funnelReportExample },
  errors: [...BODY_ERRORS, 'unknown_goal'],
  isTable: true,
  handle: async ({ database, workspace, now }, { body }) => {
    const range = rangeInBody(body, workspace, now);
    const question = questionOf(body, range, workspace);
    const previous = body.compare ? previousOf(question) : null;
    const [answer, before] = await askFunnels(database, previous ? [question, previous] : [question]);
    if (!answer) throw new Error('the report has one row for each question');
    refuseUnknownGoals(body, answer.goals ?? []);
    const names = stepNames(body);
    const data = rowsOf(answer.cells, names);
    const asked = { timezone: range.timezone, compare: body.compare ?? null };
    return {
      body: {
        query: echoOf(question, body, asked),
        observational: true as const,
        totals: totalsOf(data, question.currency),
        data,
        ...breakdownOf(question, answer, names),
        ...(previous && before && { previous: previousOut(previous, before, names) }),
        warnings: [
          ...rateWarnings(before ? [answer, before] : [answer], question.currency),
          ...retentionWarning((previous ?? question).from, workspace, now),
        ],
      },
    };
  },
});

function previousOut({ from, to }: FunnelQuestion, { cells }: FunnelAnswer, names: readonly string[]) {
  return { from, to, data: rowsOf(cells, names) };
}
