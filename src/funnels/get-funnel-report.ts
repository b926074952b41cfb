import * as z from 'zod';
import { HASH_JOINS } from '../db/client.ts';
import { FormatQuery } from '../http/formats.ts';
import { BODY_ERRORS, REPORT_ERRORS } from '../http/operation.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { retentionWarning } from '../stats/warnings.ts';
import { funnelBodyExample, funnelReportExample } from './funnel-examples.ts';
import type { FunnelAnswer, FunnelQuestion } from './funnel-question.ts';
import { FunnelReport } from './funnel-report-schema.ts';
import { FunnelBody } from './funnel-schema.ts';
import { funnelStatement } from './funnel-sql.ts';
import { previousOf, questionOf, rangeInBody, refuseUnknownStepGoals } from './run-funnel.ts';
import { breakdownOf, funnelEcho, rateWarnings, rowsOf, totalsOf } from './shape-funnel.ts';
import { stepNames } from './step-names.ts';

export const funnelReport = defineReport({
  name: 'funnel',
  params: z.object({}),
  query: z.object({ ...FormatQuery.shape }),
  body: FunnelBody,
  schema: FunnelReport,
  settings: [HASH_JOINS],
  parse: ({ body }, { workspace, now }) => {
    const range = rangeInBody(body, workspace, now);
    const question = questionOf(body, range, workspace);
    const previous = body.compare ? previousOf(question, range) : null;
    return { body, timezone: range.timezone, question, previous };
  },
  statements: ({ question, previous }) => [question, ...(previous ? [previous] : [])].map(funnelStatement),
  shape: (
    [answer, before]: [FunnelAnswer, FunnelAnswer?],
    { body, timezone, question, previous },
    { workspace, now },
  ) => {
    refuseUnknownStepGoals(body, answer.goals ?? []);
    const names = stepNames(body);
    const data = rowsOf(answer.cells, names);
    return {
      query: funnelEcho(question, body, { timezone, compare: body.compare ?? null }),
      observational: true as const,
      totals: totalsOf(data, question.currency),
      data,
      ...breakdownOf(question, answer, names),
      ...(previous && before && { previous: previousOut(previous, before, names) }),
      warnings: [
        ...rateWarnings(before ? [answer, before] : [answer], question.currency),
        ...retentionWarning((previous ?? question).from, workspace, now),
      ],
    };
  },
});

export const getFunnelReport = reportOperation(funnelReport, {
  method: 'post',
  path: '/v1/reports/funnel',
  id: 'getFunnelReport',
  tag: 'Reports',
  summary: 'How far people get, step by step',
  description:
    'The number of people, or accounts, that get from one step to the next, with the time it takes and its value. A chain begins with an event in the range. Its other events may lie after the range, within the window of the first one. Each event fills one step. Values, seconds and groups come from one chain per entity: the one that leads furthest and begins first, also when completions are counted. Steps that nobody reached are rows with 0. This operation changes nothing; it is a POST because the query is a body.',
  bodyExample: funnelBodyExample,
  success: { description: 'The report.', example: funnelReportExample },
  errors: [...BODY_ERRORS, 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
});

function previousOut({ from, to }: FunnelQuestion, { cells }: FunnelAnswer, names: readonly string[]) {
  return { from, to, data: rowsOf(cells, names) };
}
