import * as z from 'zod';
import { HASH_JOINS } from '../db/client.ts';
import { moneyOf } from '../http/journey-fields.ts';
import { operation } from '../http/operation.ts';
import { rangeOf } from '../http/report-fields.ts';
import { refuseUnknownGoals } from '../http/unknown-goals.ts';
import { historyWarning, missingRateWarning } from '../http/warnings.ts';
import { AdvocacyQuery, AdvocacyReport, advocacyExample } from './advocacy-schema.ts';
import { type AdvocacyAnswer, type AdvocacySums, advocacyReport } from './advocacy-sql.ts';

export const getAdvocacy = operation({
  method: 'get',
  path: '/v1/reports/advocacy',
  id: 'getAdvocacy',
  tag: 'Reports',
  summary: 'Advocates, and what their referrals brought',
  description:
    'Who refers others, and what becomes of those. A referral is the first touchpoint of a person whose `referred_by` names somebody else, of any kind; the report is of those in the range, and of what followed until now. Several advocates of one person are each credited in full; in the totals every person and every conversion counts once. Who turned out to be the person they referred is no advocate. An erased advocate is not known any more: whom they alone referred counts neither here nor as word of mouth. Voided touchpoints and retracted conversions never happened.',
  access: 'read',
  report: 'advocacy',
  params: z.object({}),
  query: AdvocacyQuery,
  success: {
    status: 200,
    description: 'The report. CSV and NDJSON hold the advocates.',
    schema: AdvocacyReport,
    example: advocacyExample,
  },
  errors: ['invalid_request', 'unknown_goal'],
  isTable: true,
  isCacheable: true,
  handle: async ({ database, workspace, now }, { query }) => {
    const range = rangeOf(query, workspace.timezone, now);
    const money = moneyOf(query.currency, workspace);
    const [from, to] = [range.from.toISOString(), range.to.toISOString()];
    const goals = [...new Set(query.goal)];
    const { limit } = query;
    const question = { ...money, goals, from, to, now: now.toISOString(), limit };
    const [, [row] = []] = await database.report([HASH_JOINS, advocacyReport(question)]);
    if (!row) throw new Error('the report has no row');
    const { goals: known, totals, advocates } = row as AdvocacyAnswer;
    refuseUnknownGoals({ goal: goals }, known ?? []);
    const { currency } = money;
    return {
      body: {
        query: { goal: goals, from, to, timezone: range.timezone, currency, limit },
        observational: true as const,
        totals: totalsOut(totals, currency),
        data: advocates.map(({ person_id, ...sums }) => ({ person_id, ...sumsOut(sums) })),
        warnings: [
          ...(totals.lacks_rate > 0 ? [missingRateWarning(totals.lacks_rate, currency)] : []),
          ...historyWarning(workspace, 'older referrals and conversions are not known'),
        ],
      },
    };
  },
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
