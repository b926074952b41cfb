import * as z from 'zod';
import { HASH_JOINS } from '../db/client.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { rangeOf } from '../stats/range-fields.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { historyWarning, missingRateWarning } from '../stats/warnings.ts';
import { AdvocacyQuery, AdvocacyReport, advocacyExample } from './advocacy-schema.ts';
import {
  type AdvocacyAnswer,
  type AdvocacyQuestion,
  type AdvocacySums,
  advocacyStatement,
} from './advocacy-sql.ts';

export const advocacyReport = defineReport({
  name: 'advocacy',
  params: z.object({}),
  query: AdvocacyQuery,
  schema: AdvocacyReport,
  settings: [HASH_JOINS],
  parse: ({ query }, { workspace, now }): AdvocacyQuestion & { timezone: string } => {
    const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
    return {
      ...moneyOf(query.currency, workspace),
      goals: [...new Set(query.goal)],
      from: from.toISOString(),
      to: to.toISOString(),
      now: now.toISOString(),
      limit: query.limit,
      timezone,
    };
  },
  statements: (question) => [advocacyStatement(question)],
  shape: ([answer]: [AdvocacyAnswer], { goals, from, to, timezone, currency, limit }, { workspace }) => {
    const { goals: known, totals, advocates } = answer;
    refuseUnknownGoals({ goal: goals }, known ?? []);
    return {
      query: { goal: goals, from, to, timezone, currency, limit },
      observational: true as const,
      totals: totalsOut(totals, currency),
      data: advocates.map(({ person_id, ...sums }) => ({ person_id, ...sumsOut(sums) })),
      warnings: [
        ...(totals.lacks_rate > 0 ? [missingRateWarning(totals.lacks_rate, currency)] : []),
        ...historyWarning(workspace, 'older referrals and conversions are not in this report'),
      ],
    };
  },
});

export const getAdvocacy = reportOperation(advocacyReport, {
  method: 'get',
  path: '/v1/reports/advocacy',
  id: 'getAdvocacy',
  tag: 'Reports',
  summary: 'Advocates, and the results of their referrals',
  description:
    'People who refer others, and the results of their referrals. A referral is the first touchpoint, of any kind, of a person whose `referred_by` names a given other person. The range selects referrals; their consequences count until now. Each of several advocates of one person gets full credit, and totals count every person and every conversion once. A person who turned out to be the same as the person they referred is not an advocate. An erased advocate remains one nameless advocate, so totals do not change. Voided touchpoints and retracted conversions are ignored.',
  success: { description: 'The report. CSV and NDJSON hold the advocates.', example: advocacyExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

function totalsOut(totals: AdvocacyAnswer['totals'], currency: string): AdvocacyReport['totals'] {
  const { advocates, all, word_of_mouth, lacks_rate: _, ...sums } = totals;
  const [allValue, toldValue] = [Number(all.value), Number(word_of_mouth.value)];
  return {
    advocates,
    ...sumsOut(sums),
    currency,
    all: { conversions: all.conversions, value: allValue },
    word_of_mouth: { conversions: word_of_mouth.conversions, value: toldValue },
    share_of_conversions: all.conversions === 0 ? null : word_of_mouth.conversions / all.conversions,
    share_of_value: allValue === 0 ? null : toldValue / allValue,
  };
}

function sumsOut({ value, ...counts }: AdvocacySums) {
  return { ...counts, value: Number(value) };
}
