import * as z from 'zod';
import {
  type Bucket,
  MAX_PATH_END,
  PATH_LENGTH_BUCKETS,
  type PathNode,
  TIME_LAG_BUCKETS,
} from '../domain/paths.ts';
import { ApiError } from '../http/errors.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { type GroupedJourneyQuestion, journeyEcho, journeyQuestionOf } from '../stats/journey-fields.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { missingRateWarning, retentionWarning, type Warning } from '../stats/warnings.ts';
import type { JourneyReportQuestion } from './journey-question.ts';
import {
  type Distribution,
  JourneysQuery,
  JourneysReport,
  journeysExample,
} from './journey-report-schema.ts';
import {
  type DistributionRow,
  type JourneyReportAnswer,
  type JourneyTotals,
  journeyStatement,
  MAX_TRANSITIONS,
} from './journey-report-sql.ts';

type Asked = GroupedJourneyQuestion & JourneyReportQuestion;

export const journeysReport = defineReport({
  name: 'journeys',
  params: z.object({}),
  query: JourneysQuery,
  schema: JourneysReport,
  parse: ({ query }, context) => {
    checkTouches(query);
    const { collapse, min_touches = null, max_touches = null, limit } = query;
    return { ...journeyQuestionOf(query, context), collapse, min_touches, max_touches, limit };
  },
  statements: (question) => [journeyStatement(question)],
  shape: ([answer]: [JourneyReportAnswer], question, { workspace, now }) => {
    refuseUnknownGoals({ goal: question.goals }, answer.goals ?? []);
    const report = reportOf(question, answer);
    report.warnings.push(...retentionWarning(question.from, workspace, now));
    return report;
  },
});

export const getJourneys = reportOperation(journeysReport, {
  method: 'get',
  path: '/v1/reports/journeys',
  id: 'getJourneys',
  tag: 'Reports',
  summary: 'Paths to conversion, their length and time lag, and the transitions in them',
  description:
    'The paths of groups that led to the conversions of a range, their length and duration, and the transitions between groups, as a flow diagram needs them. Journeys are those of the attribution report of the same query: every conversion is in exactly one path, and without `min_touches` and `max_touches` the sums equal the totals of that report. Paths without a conversion are included for comparison. They belong to people (or accounts) who have a touchpoint in the range that may get credit, and no unretracted conversion of any of the goals from the lookback before `from` to `to`; each consists of their touchpoints in the lookback before `to`. For several goals the longest lookback applies, and `where_conversion` does not change who has converted. The number of transitions from `start` is the number of journeys. Journeys are observed data, not a measured cause.',
  success: { description: 'The report.', example: journeysExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

function checkTouches({ min_touches, max_touches }: JourneysQuery): void {
  if (min_touches === undefined || max_touches === undefined || min_touches <= max_touches) return;
  const detail = '`max_touches` must be at least `min_touches`.';
  throw new ApiError('invalid_request', detail, { errors: [{ pointer: '?max_touches', detail }] });
}

function reportOf(question: Asked, answer: JourneyReportAnswer): JourneysReport {
  const { collapse, min_touches, max_touches, limit, currency } = question;
  return {
    query: { ...journeyEcho(question), collapse, min_touches, max_touches, limit },
    observational: true,
    totals: totalsOut(answer.totals, question),
    data: answer.paths.map(({ path, cut, converted, not_converted, value }) => ({
      path: path === null ? null : path.map(groupOut),
      ...(path === null && { other: true as const }),
      ...(cut && { cut: true as const }),
      converted,
      not_converted,
      value: Number(value),
    })),
    path_length: distributionOut(answer.path_length, PATH_LENGTH_BUCKETS),
    time_lag_seconds: distributionOut(answer.time_lag, TIME_LAG_BUCKETS),
    transitions: answer.transitions.map(({ from, to, converted, count }) => ({
      from: nodeOut(from ? { state: 'group', group: from } : { state: 'start' }),
      to: nodeOut(to ? { state: 'group', group: to } : { state: converted ? 'conversion' : 'null' }),
      count,
    })),
    warnings: warningsOf(answer, currency),
  };
}

function totalsOut(
  row: JourneyTotals,
  { currency, only_with_journey }: JourneyReportQuestion,
): JourneysReport['totals'] {
  const { conversions, not_converted } = row;
  const value = Number(row.value);
  const attributed = { conversions: row.attributed_conversions, value: Number(row.attributed_value) };
  const unattributed = {
    conversions: conversions - attributed.conversions,
    value: Number((value - attributed.value).toFixed(9)),
  };
  return {
    conversions,
    value,
    currency,
    attributed,
    ...(!only_with_journey && { unattributed }),
    not_converted,
  };
}

/** A group of one dimension is shown as its value, without a list. */
function groupOut(group: readonly (string | null)[]): string | null | (string | null)[] {
  return group.length === 1 ? (group[0] ?? null) : [...group];
}

function nodeOut(node: PathNode): JourneysReport['transitions'][number]['from'] {
  return node.state === 'group' ? { state: 'group', group: groupOut(node.group) } : { state: node.state };
}

function distributionOut({ median, p90, buckets }: DistributionRow, bounds: readonly Bucket[]): Distribution {
  return {
    median,
    p90,
    buckets: bounds.map(({ from, to }, i) => ({
      from,
      to,
      journeys: buckets[i]?.journeys ?? 0,
      value: Number(buckets[i]?.value ?? 0),
    })),
  };
}

function warningsOf({ totals, transition_count }: JourneyReportAnswer, currency: string): Warning[] {
  const end = MAX_PATH_END;
  const long = `${totals.cut} journeys have more than ${2 * end} steps; their paths, with \`cut\`, are the first and the last ${end} of them. path_length, time_lag_seconds and transitions count whole journeys.`;
  const cut = `There are ${transition_count} different transitions; the ${MAX_TRANSITIONS} most frequent are shown.`;
  return [
    ...(totals.lacks_rate > 0 ? [missingRateWarning(totals.lacks_rate, currency)] : []),
    ...(totals.cut > 0 ? [{ code: 'paths_cut', detail: long }] : []),
    ...(transition_count > MAX_TRANSITIONS ? [{ code: 'transitions_cut', detail: cut }] : []),
  ];
}
