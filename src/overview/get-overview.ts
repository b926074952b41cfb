import * as z from 'zod';
import { DEFAULT_HALF_LIFE_DAYS } from '../domain/attribution.ts';
import { figureOf } from '../domain/change.ts';
import { moneyOf } from '../http/journey-fields.ts';
import { tidy } from '../http/model-fields.ts';
import { operation, type WorkspaceContext } from '../http/operation.ts';
import { rangeOf } from '../http/report-fields.ts';
import { refuseUnknownGoals } from '../http/unknown-goals.ts';
import { missingRateWarning, retentionWarning } from '../http/warnings.ts';
import { Overview, OverviewQuery, overviewExample, TOP_CHANNELS } from './overview-schema.ts';
import {
  type CreditAnswer,
  type OverviewQuestion,
  overviewCredit,
  overviewState,
  type StateAnswer,
} from './overview-sql.ts';

export const getOverview = operation({
  method: 'get',
  path: '/v1/reports/overview',
  id: 'getOverview',
  tag: 'Reports',
  summary: 'A start page in one call',
  description:
    "What a start page shows, each figure beside the period of equal length right before: conversions, their value and the share of them with a journey; how soon people were answered and how many wait; the pool of cultivated people; and the channels with the most credit by the workspace's default model. Every figure is that of its own report. How many wait, and who is in the pool, is told of the end of the period, or of now.",
  access: 'read',
  report: 'overview',
  params: z.object({}),
  query: OverviewQuery,
  success: {
    status: 200,
    description: 'The figures. CSV and NDJSON hold the channels.',
    schema: Overview,
    example: overviewExample,
  },
  errors: ['invalid_request', 'unknown_goal'],
  isTable: true,
  isCacheable: true,
  handle: async (context, { query }) => {
    const { database, workspace, now } = context;
    const { current, previous, timezone } = questionsOf(query, context);
    const rows = await database.report([
      overviewCredit(current),
      overviewCredit(previous),
      overviewState(current, now),
      overviewState(previous, now),
    ]);
    const [credit, creditBefore, state, stateBefore] = rows.map(([row]) => row);
    const answer = { ...(credit as CreditAnswer), ...(state as StateAnswer) };
    const before = { ...(creditBefore as CreditAnswer), ...(stateBefore as StateAnswer) };
    if (query.goal) refuseUnknownGoals({ goal: query.goal }, answer.goals ?? []);
    const { from, to, currency } = current;
    const model = workspace.default_model;
    return {
      body: {
        query: { goal: answer.goals ?? [], from, to, timezone, model, currency },
        observational: true as const,
        totals: { ...figuresOf(answer, before), currency },
        data: channelsOf(answer, before),
        warnings: [
          ...(answer.lacks_rate > 0 ? [missingRateWarning(answer.lacks_rate, currency)] : []),
          ...retentionWarning(previous.from, workspace, now),
        ],
      },
    };
  },
});

type Answer = CreditAnswer & StateAnswer;

/** The period asked, and the one of equal length right before. */
function questionsOf(
  query: z.output<typeof OverviewQuery>,
  { workspace, now }: WorkspaceContext,
): { current: OverviewQuestion; previous: OverviewQuestion; timezone: string } {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  const before = new Date(2 * from.getTime() - to.getTime());
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
    previous: { ...shared, from: before.toISOString(), to: from.toISOString() },
    timezone,
  };
}

function figuresOf(answer: Answer, before: Answer): Omit<Overview['totals'], 'currency'> {
  const figure = (told: (of: Answer) => number | null) => figureOf(told(answer), told(before));
  return {
    conversions: figure(({ conversions }) => conversions),
    value: figure(({ value }) => tidy(Number(value))),
    attributed_share: figure(({ attributed, conversions }) =>
      conversions === 0 ? null : attributed / conversions,
    ),
    median_first_response_seconds: figure(({ median_first_response }) => median_first_response),
    waiting_conversations: figure(({ waiting }) => waiting),
    pool: figure(({ pool }) => pool),
  };
}

/** The largest of the period; what the period before had of them. */
function channelsOf(answer: Answer, before: Answer): Overview['data'] {
  return answer.channels.slice(0, TOP_CHANNELS).map(({ channel, conversions, value }) => {
    const was = before.channels.find((one) => one.channel === channel);
    return {
      channel,
      conversions: figureOf(tidy(conversions), tidy(was?.conversions ?? 0)),
      value: figureOf(tidy(value), tidy(was?.value ?? 0)),
    };
  });
}
