import * as z from 'zod';
import type { Model } from '../domain/attribution.ts';
import { roundAmount } from '../domain/money.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { creditEcho, creditQuestionOf } from '../stats/credit-fields.ts';
import { type GroupedJourneyQuestion, groupOut } from '../stats/journey-fields.ts';
import { keptQuestionOf } from '../stats/kept/kept-question.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { missingRateWarning, retentionWarning } from '../stats/warnings.ts';
import { attributionExample } from './attribution-examples.ts';
import { AttributionQuery, AttributionReport } from './attribution-schema.ts';
import {
  type AttributionAnswer,
  type AttributionQuestion,
  type AttributionTotals,
  attributionStatement,
  type GroupRow,
} from './attribution-sql.ts';
import { attributionFrom } from './kept-attribution-sql.ts';

type Asked = AttributionQuestion & GroupedJourneyQuestion;

export const attributionReport = defineReport({
  name: 'attribution',
  params: z.object({}),
  query: AttributionQuery,
  schema: AttributionReport,
  parse: ({ query }, context) => {
    const credit = creditQuestionOf(query, context);
    return { ...credit, limit: query.limit, kept: keptQuestionOf(credit) };
  },
  statements: (question) => [attributionFrom(question)],
  shape: ([answer]: [AttributionAnswer], question, { workspace, now }) => {
    const named = { goal: question.goals, milestones: Object.values(question.milestones ?? {}) };
    refuseUnknownGoals(named, answer.goals ?? []);
    const report = reportOf(question, answer.totals, answer.groups);
    report.warnings.push(...retentionWarning(question.from, workspace, now));
    return report;
  },
  sums: {
    // The row of all groups beyond the limit needs their journeys.
    again: ([{ groups, sums }], question) =>
      sums && sums.kept > 0 && groups.length > question.limit
        ? [attributionStatement({ ...question, kept: null })]
        : null,
    used: ([{ sums }], { kept, from }) => sums && kept && { question: kept, from, used: sums },
  },
});

export const getAttribution = reportOperation(attributionReport, {
  method: 'get',
  path: '/v1/reports/attribution',
  id: 'getAttribution',
  tag: 'Reports',
  summary: 'Credit per group, under any set of models',
  description:
    'The credit of touchpoints for the conversions of a range, under several attribution models side by side. The range selects conversions; touchpoints may be older, as far as the lookback reaches. For every model, credit and unattributed conversions add up to the totals. Credits are not rounded to cents, so round sums instead of rows. All models here are additive; influenced and assisted conversions are not. Attribution is bookkeeping over observed data, not a measured cause.',
  success: { description: 'The report.', example: attributionExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

function reportOf(question: Asked, totals: AttributionTotals[], groups: GroupRow[]): AttributionReport {
  const overall = totals.find((row) => row.interval === null);
  const lacksRate = overall?.lacks_rate ?? 0;
  const byInterval = totals.filter((row) => row.interval !== null);
  return {
    query: { ...creditEcho(question), limit: question.limit },
    observational: true,
    totals: {
      ...totalsOut(overall, question),
      currency: question.currency,
      ...(question.interval !== null && {
        by_interval: byInterval.map((row) => ({
          interval: row.interval ?? '',
          ...totalsOut(row, question),
        })),
      }),
    },
    data: groups.map((row) => ({
      ...(question.interval !== null && { interval: row.interval ?? '' }),
      group: row.other ? null : groupOut(question.group_by, row.dimensions),
      ...(row.other && { other: true as const }),
      touchpoints: row.touchpoints,
      influenced_conversions: row.influenced,
      assisted_conversions: row.assisted,
      credit: creditOut(question.models, row),
    })),
    warnings: lacksRate > 0 ? [missingRateWarning(lacksRate, question.currency)] : [],
  };
}

function totalsOut(row: AttributionTotals | undefined, { only_with_journey }: AttributionQuestion) {
  const value = Number(row?.value ?? 0);
  const conversions = row?.conversions ?? 0;
  const attributed = {
    conversions: row?.attributed_conversions ?? 0,
    value: Number(row?.attributed_value ?? 0),
  };
  return {
    conversions,
    value,
    gross_conversions: row?.gross_conversions ?? 0,
    gross_value: Number(row?.gross_value ?? 0),
    attributed,
    ...(!only_with_journey && {
      unattributed: {
        conversions: conversions - attributed.conversions,
        value: roundAmount(value - attributed.value),
      },
    }),
  };
}

function creditOut(models: readonly Model[], row: GroupRow) {
  return Object.fromEntries(
    models.map((model, i) => [
      model,
      { conversions: roundAmount(row.credits[i] ?? 0), value: roundAmount(row.values[i] ?? 0) },
    ]),
  );
}
