import * as z from 'zod';
import { JOURNEY_POLICIES } from '../domain/journey.ts';
import { REPORT_SCOPES } from '../domain/settings.ts';
import { DIMENSIONS, type Dimension } from '../domain/touchpoint-fields.ts';
import type { WorkspaceSettings } from '../http/caller.ts';
import { isNarrowed } from '../http/caller.ts';
import { Currency, GoalKey } from '../http/fields.ts';
import type { MoneyQuestion } from './fx-sql.ts';
import type { JourneyQuestion } from './journey-sql.ts';
import { type NamedRangeQuery, rangeOf } from './range-fields.ts';
import type { ReportContext } from './report.ts';
import { MAX_WHERE_VALUES, WhereQuery } from './where-fields.ts';

/** Query parameters of reports on journeys: the conversions, and what their journeys consist of. */

export const MAX_GROUP_BY = 3;
export const MAX_GOALS = 20;

export const GoalsQuery = z
  .array(GoalKey)
  .min(1)
  .max(MAX_GOALS)
  .meta({ description: 'One or more goals.', example: ['purchase'] });

/** The fields of `where_conversion` besides `currency`. */
export const CONVERSION_PROPERTY = /^properties\..{1,100}$/;

/** A filter of conversions: fields, and the values that they may have. */
export const ConversionWhere = z
  .record(z.string(), z.array(z.string().nullable()).min(1).max(MAX_WHERE_VALUES))
  .superRefine((where, context) => {
    for (const field of Object.keys(where)) {
      if (field !== 'currency' && !CONVERSION_PROPERTY.test(field)) {
        context.addIssue({
          code: 'custom',
          path: [field],
          message: 'Unknown field; known fields are currency and properties.<name>',
        });
      }
    }
  });

export const WhereConversionQuery = ConversionWhere.optional().meta({
  type: 'object',
  param: { style: 'deepObject', explode: true },
  description: 'Filters conversions: `where_conversion[properties.plan]=pro`, or by `currency`.',
  additionalProperties: { type: 'string' },
  example: { 'properties.plan': 'pro' },
});

export const JourneyQuery = z.object({
  group_by: z
    .array(z.enum(DIMENSIONS))
    .min(1)
    .max(MAX_GROUP_BY)
    .refine((names) => new Set(names).size === names.length, 'Name each dimension in group_by once')
    .default(['channel'])
    .meta({ description: 'One to three dimensions of touchpoints.', example: ['channel'] }),
  lookback_days: z
    .number()
    .int()
    .min(1)
    .max(365)
    .optional()
    .meta({ description: "Lookback in days of 86,400 s; default each goal's own." }),
  scope: z.enum(REPORT_SCOPES).default('person').meta({
    description:
      'The entity of a journey: one person, or everyone at the account while they were members. A person without an account is an entity alone.',
  }),
  journey: z.enum(JOURNEY_POLICIES).default('reuse').meta({
    description:
      '`reuse`: a touchpoint may get credit in several journeys. `reset`: touchpoints at or before the previous unretracted conversion of the same goal are used up.',
  }),
  where: WhereQuery,
  currency: Currency.optional().meta({ description: "Currency of all values; default the workspace's." }),
});

export type JourneysAsked = z.output<typeof JourneyQuery> &
  z.output<typeof NamedRangeQuery> & {
    goal: string[];
    where_conversion?: z.output<typeof WhereConversionQuery>;
  };

/**
 * The effective query of a report on journeys, with fields that the statement does not need and
 * the echo does.
 */
export interface GroupedJourneyQuestion extends JourneyQuestion {
  goals: readonly string[];
  timezone: string;
  group_by: readonly Dimension[];
}

/** A group on the wire: its dimensions by name; null for all other groups together. */
export const Group = z
  .partialRecord(z.enum(DIMENSIONS), z.string().nullable())
  .nullable()
  .meta({ type: ['object', 'null'], additionalProperties: { type: ['string', 'null'] } });

/** A group with each dimension under its name. */
export function groupOut(
  groupBy: readonly Dimension[],
  values: readonly (string | null)[],
): Record<string, string | null> {
  return Object.fromEntries(groupBy.map((dimension, i) => [dimension, values[i] ?? null]));
}

/**
 * The effective query, with the settings of the workspace and the clock. A goal that is named
 * twice is one goal.
 */
export function journeyQuestionOf(
  query: JourneysAsked,
  { workspace, now, caller }: ReportContext,
): GroupedJourneyQuestion {
  const { from, to, timezone } = rangeOf(query, workspace.timezone, now);
  return {
    goals: [...new Set(query.goal)],
    from: from.toISOString(),
    to: to.toISOString(),
    timezone,
    group_by: query.group_by,
    lookback_days: query.lookback_days ?? null,
    scope: query.scope,
    policy: query.journey,
    where: query.where ?? {},
    where_conversion: query.where_conversion ?? {},
    ...(isNarrowed(caller) && { only_with_journey: true as const }),
    ...moneyOf(query.currency, workspace),
  };
}

/** The currency of a report: the requested one, or the workspace's. */
export function moneyOf(currency: string | undefined, workspace: WorkspaceSettings): MoneyQuestion {
  return {
    workspace_id: workspace.id,
    currency: currency ?? workspace.currency,
    workspace_currency: workspace.currency,
    workspace_timezone: workspace.timezone,
  };
}

/** The effective query as the report echoes it. */
export function journeyEcho(question: GroupedJourneyQuestion): Record<string, unknown> {
  const { goals, from, to, timezone, group_by, lookback_days, scope, policy, where } = question;
  return {
    goal: goals,
    from,
    to,
    timezone,
    group_by,
    lookback_days,
    scope,
    journey: policy,
    where,
    where_conversion: question.where_conversion,
    currency: question.currency,
  };
}
