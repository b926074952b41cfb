import * as z from 'zod';
import { roundAmount } from '../domain/money.ts';
import { returnsOf } from '../domain/roi.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { creditEcho, creditQuestionOf } from '../stats/credit-fields.ts';
import { groupOut } from '../stats/journey-fields.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { missingRateWarning, retentionWarning, type Warning } from '../stats/warnings.ts';
import { RoiQuery, RoiReport, roiExample } from './roi-schema.ts';
import { type RoiAnswer, type RoiQuestion, type RoiRow, type RoiTotals, roiStatement } from './roi-sql.ts';

export const roiReport = defineReport({
  name: 'roi',
  params: z.object({}),
  query: RoiQuery,
  schema: RoiReport,
  parse: ({ query }, context): RoiQuestion => {
    const { group_by, limit } = query;
    return { ...creditQuestionOf(query, context), group_by, limit, with_retracted: true };
  },
  statements: (question) => [roiStatement(question)],
  shape: ([answer]: [RoiAnswer], question, { workspace, now }) => {
    const named = { goal: question.goals, milestones: Object.values(question.milestones ?? {}) };
    refuseUnknownGoals(named, answer.goals ?? []);
    const warnings = [
      ...rateWarnings(answer.totals, question.currency),
      ...retentionWarning(question.from, workspace, now),
    ];
    return reportOf(question, answer, warnings);
  },
});

export const getRoi = reportOperation(roiReport, {
  method: 'get',
  path: '/v1/reports/roi',
  id: 'getRoi',
  tag: 'Reports',
  summary: 'Spend against credit: CPA, ROAS and ROI',
  description:
    "Spend on the days of the range beside credit for the conversions of the range, per group and model. A spend row is spread evenly over its days, in the workspace's time zone; a day belongs to the range or interval in which it begins. Spend without credit and credit without spend are rows too. `where` filters touchpoints, and by `channel`, `source`, `medium` and `campaign` it filters spend as well. All amounts are converted to one currency at the rate of their day. Net figures are after adjustments. Gross figures include retracted conversions and use original values. Totals are blended: all spend against all conversions, attributed or not.",
  success: { description: 'The report.', example: roiExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

function reportOf(question: RoiQuestion, answer: RoiAnswer, warnings: Warning[]): RoiReport {
  return {
    query: { ...creditEcho(question), limit: question.limit },
    observational: true,
    totals: totalsOut(answer.totals, question),
    data: answer.groups.map((row) => rowOut(question, row)),
    warnings,
  };
}

function totalsOut(row: RoiTotals, { currency, only_with_journey }: RoiQuestion): RoiReport['totals'] {
  const spend = Number(row.spend);
  const net = { conversions: row.conversions, value: Number(row.value) };
  const gross = { conversions: row.gross_conversions, value: Number(row.gross_value) };
  return {
    spend: roundAmount(spend),
    conversions: net.conversions,
    value: roundAmount(net.value),
    gross_conversions: gross.conversions,
    gross_value: roundAmount(gross.value),
    ...(!only_with_journey && {
      unattributed: {
        conversions: row.unattributed_conversions,
        value: roundAmount(Number(row.unattributed_value)),
      },
    }),
    ...ratios(spend, net),
    ...renamed(ratios(spend, gross)),
    currency,
  };
}

function rowOut({ models, group_by, interval }: RoiQuestion, row: RoiRow): RoiReport['data'][number] {
  const spend = Number(row.spend);
  const credits = models.map((model, i) => {
    const { conversions, value, gross_conversions, gross_value } = row.credits[i] ?? NO_CREDIT;
    const credit = {
      conversions: roundAmount(conversions),
      value: roundAmount(value),
      gross_conversions: roundAmount(gross_conversions),
      gross_value: roundAmount(gross_value),
    };
    const gross = { conversions: gross_conversions, value: gross_value };
    return { model, credit, ...ratios(spend, { conversions, value }), ...renamed(ratios(spend, gross)) };
  });
  const byModel = <K extends keyof (typeof credits)[number]>(name: K) =>
    Object.fromEntries(credits.map((entry) => [entry.model, entry[name]]));
  return {
    ...(interval !== null && { interval: row.interval ?? '' }),
    group: row.dimensions === null ? null : groupOut(group_by, row.dimensions),
    ...(row.dimensions === null && { other: true as const }),
    spend: roundAmount(spend),
    credit: byModel('credit'),
    cpa: byModel('cpa'),
    roas: byModel('roas'),
    roi: byModel('roi'),
    gross_cpa: byModel('gross_cpa'),
    gross_roas: byModel('gross_roas'),
    gross_roi: byModel('gross_roi'),
  };
}

const NO_CREDIT = { conversions: 0, value: 0, gross_conversions: 0, gross_value: 0 };

function ratios(spend: number, brought: { conversions: number; value: number }) {
  const { cpa, roas, roi } = returnsOf(spend, brought);
  const shown = (ratio: number | null) => (ratio === null ? null : roundAmount(ratio));
  return { cpa: shown(cpa), roas: shown(roas), roi: shown(roi) };
}

function renamed({ cpa, roas, roi }: ReturnType<typeof ratios>) {
  return { gross_cpa: cpa, gross_roas: roas, gross_roi: roi };
}

function rateWarnings({ lacks_rate, spend_lacks_rate }: RoiTotals, currency: string): Warning[] {
  const spend = `${spend_lacks_rate} days of spend are in another currency than ${currency} and have no exchange rate; they are left out.`;
  return [
    ...(lacks_rate > 0 ? [missingRateWarning(lacks_rate, currency)] : []),
    ...(spend_lacks_rate > 0 ? [{ code: 'missing_fx_rate', detail: spend }] : []),
  ];
}
