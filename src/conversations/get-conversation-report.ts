import * as z from 'zod';
import { RESPONSE_BUCKETS } from '../domain/conversations.ts';
import { conversionRate } from '../domain/proportions.ts';
import { DAY_MS } from '../domain/time.ts';
import type { WorkspaceSettings } from '../http/caller.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { rangeOf } from '../stats/range-fields.ts';
import { defineReport, type ReportContext, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { missingRateWarning, retentionWarning, type Warning } from '../stats/warnings.ts';
import {
  type ConversationFigures,
  ConversationReport,
  ConversationReportQuery,
  conversationReportExample,
} from './conversation-report-schema.ts';
import {
  type ConversationReportAnswer,
  type ConversationReportQuestion,
  conversationStatement,
  type FiguresRow,
  type OutcomeRow,
  type Percentiles,
} from './conversation-report-sql.ts';

export const conversationsReport = defineReport({
  name: 'conversations',
  params: z.object({}),
  query: ConversationReportQuery,
  schema: ConversationReport,
  parse: ({ query }, context) => questionOf(query, context),
  statements: (question) => [conversationStatement(question)],
  shape: ([answer]: [ConversationReportAnswer], question, context) => {
    refuseUnknownGoals({ goal: question.goals }, answer.goals ?? []);
    return reportOf(question, answer, context);
  },
});

export const getConversationReport = reportOperation(conversationsReport, {
  method: 'get',
  path: '/v1/reports/conversations',
  id: 'getConversationReport',
  tag: 'Reports',
  summary: 'Response rates and times, and conversion by response time',
  description:
    'Reports on the conversations opened in the range: how many got a response, how soon (also in business hours, if the workspace has set them), and how many messages went each way. The first inbound touchpoint opens a conversation; its fields give the group, and `where` filters by them. The first outbound touchpoint after it is the first response. `share` by channel and interval shows how the channels develop. With `goal`, the report also has `buckets`: how many people converted, by the time to their first response. The figures are observed data, not a measured cause.',
  success: { description: 'The report. CSV and NDJSON hold `data`.', example: conversationReportExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

function questionOf(
  query: z.output<typeof ConversationReportQuery>,
  { workspace, now }: ReportContext,
): ConversationReportQuestion {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  const hours = workspace.business_hours;
  return {
    goals: [...new Set(query.goal)],
    from: from.toISOString(),
    to: to.toISOString(),
    timezone,
    interval: query.interval ?? null,
    group_by: query.group_by,
    where: query.where ?? {},
    horizon_days: query.horizon_days,
    limit: query.limit,
    business_hours: hours && { ...hours, timezone: hours.timezone ?? workspace.timezone },
    now: now.toISOString(),
    ...moneyOf(query.currency, workspace),
  };
}

function reportOf(
  question: ConversationReportQuestion,
  answer: ConversationReportAnswer,
  { workspace, now }: ReportContext,
): ConversationReport {
  const { goals, from, to, timezone, group_by, interval, where, horizon_days, currency, limit } = question;
  const rows = answer.figures.filter(({ other }) => other !== null);
  const total = answer.figures.find(({ other }) => other === null);
  if (!total) throw new Error('the report has no totals');
  const sizes = new Map<string | null, number>();
  for (const row of rows) sizes.set(row.interval, (sizes.get(row.interval) ?? 0) + row.conversations);
  const lacking = answer.outcomes.reduce((sum, row) => sum + (row.left_out ? 0 : row.lacks_rate), 0);
  return {
    query: { goal: goals, from, to, timezone, group_by, interval, where, horizon_days, currency, limit },
    observational: true,
    totals: figuresOut(total, question),
    data: rows.map((row) => ({
      ...(row.interval !== null && { interval: row.interval }),
      group:
        row.dimensions && Object.fromEntries(group_by.map((name, i) => [name, row.dimensions?.[i] ?? null])),
      ...(row.other && { other: true as const }),
      ...figuresOut(row, question),
      share: row.conversations / (sizes.get(row.interval) ?? Number.NaN),
    })),
    ...outcomesOut(goals, answer.outcomes),
    warnings: [
      ...(lacking > 0 ? [missingRateWarning(lacking, currency)] : []),
      ...retentionWarnings(question, workspace, now),
    ],
  };
}

function figuresOut(row: FiguresRow, { business_hours }: ConversationReportQuestion): ConversationFigures {
  const { conversations, responded, inbound, outbound } = row;
  return {
    conversations,
    responded,
    response_rate: conversations === 0 ? null : responded / conversations,
    first_response_seconds: secondsOut(row.seconds),
    ...(business_hours && { business_first_response_seconds: secondsOut(row.business_seconds) }),
    unanswered: conversations - responded,
    messages: { inbound, outbound },
  };
}

function secondsOut(percentiles: Percentiles) {
  const [median, p90] = percentiles ?? [null, null];
  return { median, p90 };
}

function outcomesOut(
  goals: readonly string[],
  rows: readonly OutcomeRow[],
): Pick<ConversationReport, 'buckets' | 'left_out'> {
  if (goals.length === 0) return { buckets: [], left_out: null };
  const leftOut = (reason: OutcomeRow['left_out']) =>
    rows.find(({ left_out }) => left_out === reason)?.people ?? 0;
  return {
    buckets: RESPONSE_BUCKETS.map(({ bucket }, place) => {
      const row = rows.find((one) => one.bucket === place);
      const arm = { people: row?.people ?? 0, converted: row?.converted ?? 0 };
      return { bucket, ...arm, ...conversionRate(arm), value: Number(row?.value ?? 0) };
    }),
    left_out: {
      converted_within_24h: leftOut('converted_within_24h'),
      short_follow_up: leftOut('short_follow_up'),
    },
  };
}

/** Retention deletes conversions first; touchpoints, and conversations with them, a year later. */
function retentionWarnings(
  { goals, from }: ConversationReportQuestion,
  workspace: WorkspaceSettings,
  now: Date,
): Warning[] {
  if (goals.length > 0) return retentionWarning(from, workspace, now);
  const later = new Date(new Date(from).getTime() + 365 * DAY_MS).toISOString();
  return retentionWarning(later, workspace, now).map(({ code }) => ({
    code,
    detail: `The range begins before the retention period: touchpoints, and conversations with them, are deleted after ${(workspace.retention_days ?? 0) + 365} days.`,
  }));
}
