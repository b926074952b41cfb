import { z } from '@hono/zod-openapi';
import type { Model } from '../domain/attribution.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { operation, type WorkspaceContext } from '../http/operation.ts';
import { rangeOf } from '../http/report-fields.ts';
import { attributionExample } from './attribution-examples.ts';
import { AttributionQuery, AttributionReport, checkModelQuery } from './attribution-schema.ts';
import {
  type AttributionAnswer,
  type AttributionQuestion,
  attributionReport,
  type GroupRow,
  type TotalsRow,
} from './attribution-sql.ts';
import { refuseUnknownGoals } from './unknown-goals.ts';
import { missingRateWarning, retentionWarning } from './warnings.ts';

export const getAttribution = operation({
  method: 'get',
  path: '/v1/reports/attribution',
  id: 'getAttribution',
  tag: 'Reports',
  summary: 'Credit per group, under any set of models',
  description:
    'Which touchpoints get credit for the conversions of a range, under several attribution models side by side. The range selects conversions; touchpoints may be older, as far as the lookback reaches. For every model, credit and unattributed add up to the totals; credits are not rounded to cents, so round sums and not rows. The models here are additive; influenced and assisted conversions are not. Attribution is bookkeeping over what was observed, no measured cause.',
  access: 'read',
  params: z.object({}),
  query: AttributionQuery,
  success: {
    status: 200,
    description: 'The report.',
    schema: AttributionReport,
    example: attributionExample,
  },
  errors: ['invalid_request', 'unknown_goal'],
  isTable: true,
  isCacheable: true,
  handle: async (context, { query }) => {
    checkModelQuery(query);
    const question = questionOf(query, context);
    const [answer] = await context.database.query<AttributionAnswer>(attributionReport(question));
    const asked = { goal: query.goal, milestones: Object.values(query.milestones ?? {}) };
    refuseUnknownGoals(asked, answer?.goals ?? []);
    const report = reportOf(question, query, answer?.totals ?? [], answer?.groups ?? []);
    report.warnings.push(...retentionWarning(question.from, context.workspace, context.now));
    return { body: report };
  },
});

function questionOf(query: AttributionQuery, { workspace, now }: WorkspaceContext): AttributionQuestion {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  return {
    workspace_id: workspace.id,
    goals: [...new Set(query.goal)],
    from: from.toISOString(),
    to: to.toISOString(),
    lookback_days: query.lookback_days ?? null,
    policy: query.journey,
    where: query.where ?? {},
    where_conversion: query.where_conversion ?? {},
    currency: query.currency ?? workspace.currency,
    models: query.models,
    settings: { half_life_days: query.half_life_days, weights: query.weights },
    milestones: query.milestones ?? null,
    group_by: query.group_by,
    interval: query.interval ?? null,
    timezone,
    limit: query.limit,
  };
}

function reportOf(
  question: AttributionQuestion,
  query: AttributionQuery,
  totals: TotalsRow[],
  groups: GroupRow[],
): AttributionReport {
  const overall = totals.find((row) => row.interval === null);
  const lacksRate = overall?.lacks_rate ?? 0;
  const byInterval = totals.filter((row) => row.interval !== null);
  return {
    query: echoOf(question, query),
    observational: true,
    totals: {
      ...totalsOut(overall),
      currency: question.currency,
      ...(question.interval !== null && {
        by_interval: byInterval.map((row) => ({ interval: row.interval ?? '', ...totalsOut(row) })),
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

/** The question with its defaults filled in. */
function echoOf(question: AttributionQuestion, query: AttributionQuery): Record<string, unknown> {
  const {
    goals,
    from,
    to,
    timezone,
    models,
    group_by,
    lookback_days,
    settings,
    milestones,
    policy,
    where,
    where_conversion,
    currency,
    interval,
    limit,
  } = question;
  return {
    goal: goals,
    from,
    to,
    timezone,
    models,
    group_by,
    lookback_days,
    half_life_days: settings.half_life_days,
    ...(settings.weights && { weights: settings.weights }),
    ...(milestones && { milestones: Object.values(milestones) }),
    scope: query.scope,
    journey: policy,
    where,
    where_conversion,
    currency,
    interval,
    limit,
  };
}

function totalsOut(row: TotalsRow | undefined) {
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
    unattributed: {
      conversions: conversions - attributed.conversions,
      value: tidy(value - attributed.value),
    },
  };
}

function groupOut(groupBy: readonly Dimension[], values: readonly (string | null)[]) {
  return Object.fromEntries(groupBy.map((dimension, i) => [dimension, values[i] ?? null]));
}

function creditOut(models: readonly Model[], row: GroupRow) {
  return Object.fromEntries(
    models.map((model, i) => [
      model,
      { conversions: tidy(row.credits[i] ?? 0), value: tidy(row.values[i] ?? 0) },
    ]),
  );
}

/** Nine decimals: far finer than a cent, and without the last digits of binary fractions. */
function tidy(value: number): number {
  return Number(value.toFixed(9));
}
