import * as z from 'zod';
import { DEFAULT_HALF_LIFE_DAYS } from '../domain/attribution.ts';
import { figureOf } from '../domain/change.ts';
import { roundAmount } from '../domain/money.ts';
import { previousRange } from '../domain/time.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { rangeOf } from '../stats/range-fields.ts';
import { defineReport, type ReportContext, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { historyWarning, missingRateWarning, retentionWarning } from '../stats/warnings.ts';
import { Overview, OverviewQuery, overviewExample, TOP_CHANNELS } from './overview-schema.ts';
import {
  type CreditAnswer,
  type OverviewQuestion,
  overviewCredit,
  overviewState,
  type StateAnswer,
} from './overview-sql.ts';

interface Asked {
  current: OverviewQuestion;
  previous: OverviewQuestion;
  timezone: string;
  /** The goals that the query names; null if it names none. */
  named: readonly string[] | null;
  now: Date;
}

export const overviewReport = defineReport({
  name: 'overview',
  params: z.object({}),
  query: OverviewQuery,
  schema: Overview,
  parse: ({ query }, context) => questionOf(query, context),
  statements: ({ current, previous, now }) => [
    overviewCredit(current),
    overviewCredit(previous),
    overviewState(current, now),
    overviewState(previous, now),
  ],
  shape: (
    [credit, creditBefore, state, stateBefore]: [CreditAnswer, CreditAnswer, StateAnswer, StateAnswer],
    { current, previous, timezone, named },
    { workspace, now },
  ) => {
    const answer = { ...credit, ...state };
    const before = { ...creditBefore, ...stateBefore };
    if (named) refuseUnknownGoals({ goal: named }, answer.goals ?? []);
    const { from, to, currency } = current;
    const model = workspace.default_model;
    return {
      query: { goal: answer.goals ?? [], from, to, timezone, model, currency },
      observational: true as const,
      totals: { ...figuresOf(answer, before), currency },
      data: channelsOf(answer, before),
      warnings: [
        ...(answer.lacks_rate > 0 ? [missingRateWarning(answer.lacks_rate, currency)] : []),
        ...retentionWarning(previous.from, workspace, now),
        ...historyWarning(workspace, 'the pool ignores earlier conversions and cultivation'),
      ],
    };
  },
});

export const getOverview = reportOperation(overviewReport, {
  method: 'get',
  path: '/v1/reports/overview',
  id: 'getOverview',
  tag: 'Reports',
  summary: 'A start page in one call',
  description:
    "The figures of a start page, each beside its value in the previous period. That period has as many local days, or as many seconds if the bounds are instants. The figures are: conversions, their value, and the share of them with a journey; the time to first response, and the number of waiting conversations; the pool of cultivated people; and the channels with the most credit under the workspace's default model. Each figure equals that of its own report. Waiting conversations and the pool are counted at the end of the period, or now if that is earlier.",
  success: { description: 'The figures. CSV and NDJSON contain the channels.', example: overviewExample },
  errors: ['invalid_request', 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
});

type Answer = CreditAnswer & StateAnswer;

/** The effective query of the period and of the previous one. */
function questionOf(query: z.output<typeof OverviewQuery>, { workspace, now }: ReportContext): Asked {
  const range = rangeOf(query, workspace.timezone, now);
  const { from, to, timezone } = range;
  const before = previousRange(range);
  const shared = {
    ...moneyOf(query.currency, workspace),
    goals: query.goal ?? null,
    lookback_days: null,
    scope: 'person',
    policy: 'reuse',
    where: {},
    where_conversion: {},
    models: [workspace.default_model],
    settings: { half_life_days: DEFAULT_HALF_LIFE_DAYS },
    milestones: null,
    group_by: ['channel'],
    interval: null,
    timezone,
  } as const;
  return {
    current: { ...shared, from: from.toISOString(), to: to.toISOString() },
    previous: { ...shared, from: before.from.toISOString(), to: before.to.toISOString() },
    timezone,
    named: query.goal ?? null,
    now,
  };
}

function figuresOf(answer: Answer, before: Answer): Omit<Overview['totals'], 'currency'> {
  const figure = (told: (of: Answer) => number | null) => figureOf(told(answer), told(before));
  return {
    conversions: figure(({ conversions }) => conversions),
    value: figure(({ value }) => roundAmount(Number(value))),
    attributed_share: figure(({ attributed, conversions }) =>
      conversions === 0 ? null : attributed / conversions,
    ),
    median_first_response_seconds: figure(({ median_first_response }) => median_first_response),
    waiting_conversations: figure(({ waiting }) => waiting),
    pool: figure(({ pool }) => pool),
  };
}

/** The largest channels of the period, each beside its figures in the previous period. */
function channelsOf(answer: Answer, before: Answer): Overview['data'] {
  return answer.channels.slice(0, TOP_CHANNELS).map(({ channel, conversions, value }) => {
    const was = before.channels.find((one) => one.channel === channel);
    return {
      channel,
      conversions: figureOf(roundAmount(conversions), roundAmount(was?.conversions ?? 0)),
      value: figureOf(roundAmount(value), roundAmount(was?.value ?? 0)),
    };
  });
}
