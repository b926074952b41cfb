import * as z from 'zod';
import { weightsOf } from '../domain/attribution.ts';
import { type Milestone, withMilestones } from '../domain/milestones.ts';
import { type Caller, isNarrowed } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';
import { amountOrNull, instantOut } from '../http/fields.ts';
import { REPORT_ERRORS } from '../http/operation.ts';
import { checkModelQuery } from '../stats/credit-fields.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { defineReport, reportOperation } from '../stats/report.ts';
import { refuseUnknownGoals } from '../stats/unknown-goals.ts';
import { missingRateWarning } from '../stats/warnings.ts';
import { explanationExample } from './attribution-examples.ts';
import { Explanation, ExplanationQuery } from './attribution-schema.ts';
import { type ExplanationQuestion, type ExplanationRow, explanationStatement } from './explanation-sql.ts';

const DAY_SECONDS = 86_400;

export const explanationReport = defineReport({
  name: 'explanation',
  params: z.object({ id: z.string().meta({ example: 'order-1' }) }),
  query: ExplanationQuery,
  schema: Explanation,
  parse: (
    { params: { id }, query },
    { workspace, caller },
  ): ExplanationQuestion & { query: ExplanationQuery } => {
    checkModelQuery(query);
    return {
      ...moneyOf(query.currency, workspace),
      query,
      conversion_id: id,
      lookback_days: query.lookback_days ?? null,
      scope: query.scope,
      policy: query.journey,
      where: query.where ?? {},
      visible: caller.narrowing?.where ?? {},
      shows_colleagues: caller.narrowing?.scope !== 'person',
      where_conversion: caller.narrowing?.where_conversion ?? {},
      milestones: query.milestones ?? null,
    };
  },
  statements: (question) => [explanationStatement(question)],
  shape: ([row]: [ExplanationRow | undefined], { query, currency }, { caller }) => {
    // Under a narrowed token a conversion exists only if its journey is not empty, as in the reports.
    if (!row || (isNarrowed(caller) && row.considered.length === 0))
      throw new ApiError('not_found', 'No conversion has this id.');
    refuseUnknownGoals({ milestones: Object.values(query.milestones ?? {}) }, row.milestone_goals ?? []);
    return explanationOf(row, visibleIds(row, caller), query, currency);
  },
});

export const getExplanation = reportOperation(explanationReport, {
  method: 'get',
  path: '/v1/conversions/{id}/explanation',
  id: 'getExplanation',
  tag: 'Reports',
  summary: 'Explain the credit of one conversion',
  description:
    'The touchpoints that were considered, each with its weight and credit under each model, and the touchpoints that were left out, each with the reason. It takes the parameters of the attribution report and returns the numbers that the report adds up. Parameters that select conversions (`goal`, the range, `where_conversion`, `interval`, `limit`) may be passed on and have no effect.',
  success: { description: 'The explanation.', example: explanationExample },
  errors: ['invalid_request', 'unknown_goal', 'not_found', ...REPORT_ERRORS],
  isCacheable: true,
});

type EntityIds = Pick<Explanation['conversion'], 'person_id' | 'account_id'>;

/**
 * The ids of the person and the account, as far as the caller's narrowing does not hide them. Under a filter a
 * conversion may be visible through a colleague's touchpoint, and its account may be known from an item outside.
 */
function visibleIds({ person_id, account_id }: ExplanationRow, caller: Caller): EntityIds {
  if (isNarrowed(caller)) return {};
  const scope = caller.narrowing?.scope;
  return { ...(scope !== 'account' && { person_id }), ...(scope !== 'person' && { account_id }) };
}

function explanationOf(
  row: ExplanationRow,
  ids: EntityIds,
  query: ExplanationQuery,
  currency: string,
): Explanation {
  const { id, goal, retracted, counted } = row;
  const { models, group_by, journey, scope, where, half_life_days, weights, milestones } = query;
  const settings = {
    models,
    group_by,
    scope,
    journey,
    where: where ?? {},
    lookback_days: row.lookback_seconds / DAY_SECONDS,
    half_life_days,
    ...(weights && { weights }),
    ...(milestones && { milestones: Object.values(milestones) }),
    currency,
  };
  return {
    conversion: {
      id,
      goal,
      ...ids,
      retracted,
      counted,
      occurred_at: instantOut(row.occurred_at),
      value: amountOrNull(row.value),
      net_value: amountOrNull(row.net_value),
      currency: row.currency,
    },
    settings,
    considered_count: row.journey.occurred_at.length,
    considered: consideredOut(row, query, Number(row.net_value ?? 0) * Number(row.rate ?? 0)),
    left_out: row.left_out,
    left_out_counts: row.left_out_counts,
    warnings: row.lacks_rate ? [missingRateWarning(1, currency)] : [],
  };
}

/** Weights come from the definition in the domain, which the SQL of the report has to agree with. */
function consideredOut(
  row: ExplanationRow,
  query: ExplanationQuery,
  netValue: number,
): Explanation['considered'] {
  const touches = touchesOf(row);
  const settings = { half_life_days: query.half_life_days, ...(query.weights && { weights: query.weights }) };
  const byModel = query.models.map((model) => [model, weightsOf(model, touches, settings)] as const);
  const weightAt = (weights: readonly number[], place: number) => weights[place] ?? 0;
  return row.considered.map(({ place, ...touch }) => ({
    id: touch.id,
    occurred_at: new Date(touch.occurred_at).toISOString(),
    kind: touch.kind,
    channel: touch.channel,
    group: Object.fromEntries(
      query.group_by.map((dimension) => [dimension, touch.dimensions[dimension] ?? null]),
    ),
    age_seconds: touch.age_seconds,
    ...milestonesOut(touches[place]?.milestones ?? [], query),
    weights: Object.fromEntries(byModel.map(([model, weights]) => [model, weightAt(weights, place)])),
    credits: Object.fromEntries(
      byModel.map(([model, weights]) => [model, weightAt(weights, place) * netValue]),
    ),
  }));
}

function milestonesOut(milestones: readonly Milestone[], query: ExplanationQuery): { milestones?: string[] } {
  if (!query.milestones || milestones.length === 0) return {};
  return { milestones: milestones.map((milestone) => query.milestones?.[milestone] ?? milestone) };
}

/** The whole journey in the domain's terms: each touch with the milestones whose touch it is. */
function touchesOf({ journey, lead_at, opportunity_at }: ExplanationRow) {
  const direct = new Set(journey.direct);
  const touches = journey.occurred_at.map((occurred_at, place) => ({
    occurred_at,
    channel: direct.has(place) ? 'direct' : '',
  }));
  const times = {
    lead: lead_at && timeOf(lead_at),
    opportunity: opportunity_at && timeOf(opportunity_at),
  };
  return withMilestones(touches, times);
}

function timeOf(instant: string | Date): number {
  return new Date(instant).getTime();
}
