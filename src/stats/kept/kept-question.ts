import {
  DEFAULT_HALF_LIFE_DAYS,
  type EndShares,
  MODELS,
  type Model,
  needsMilestones,
  PLAIN_MODELS,
} from '../../domain/attribution.ts';
import type { ReportScope } from '../../domain/settings.ts';
import type { Dimension, Where } from '../../domain/touchpoint-fields.ts';
import type { CreditQuestion } from '../credit-question.ts';
import type { Milestones } from '../milestone-sql.ts';

/**
 * Questions whose sums are kept by day (ADR 31): everything of a query for credit that decides the sums of a day, and
 * nothing that does not. The range, the interval, the currency and the number of rows are left out, and the models that
 * need no parameters are all kept.
 */

/** A change of the definition of sums takes the next number: releases that run side by side keep their own. */
const VERSION = 1;

/** Requests from which on the sums of a question are kept. */
export const ASKED_OFTEN = 2;

export interface KeptQuestion {
  version: number;
  goals: readonly string[];
  group_by: readonly Dimension[];
  timezone: string;
  scope: ReportScope;
  lookback_days: number | null;
  half_life_days: number;
  weights: EndShares | null;
  milestones: Milestones | null;
  where: Where;
  where_conversion: Readonly<Record<string, readonly (string | null)[]>>;
  only_with_journey: boolean;
}

/** The models whose sums a question keeps, in the order of `credits`. */
export function keptModels({ weights, milestones }: KeptQuestion): Model[] {
  return [
    ...PLAIN_MODELS,
    ...(weights ? (['custom'] as const) : []),
    ...(milestones ? MODELS.filter((model) => needsMilestones([model])) : []),
  ];
}

/**
 * What the sums of a query depend on. Null if they cannot be kept: under `reset`, a journey depends on the range; days
 * of another zone than the workspace's have no exchange rate; and a range that begins within a day splits its sums.
 */
export function keptQuestionOf(question: CreditQuestion): KeptQuestion | null {
  if (question.goals === null || question.policy === 'reset') return null;
  if (question.timezone !== question.workspace_timezone || question.with_retracted) return null;
  const { models, settings, milestones } = question;
  const sorted = <V extends readonly (string | null)[]>(filter: Readonly<Record<string, V | undefined>>) =>
    Object.fromEntries(
      Object.entries(filter)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([field, values]) => [field, [...new Set(values)].toSorted()]),
    );
  return {
    version: VERSION,
    goals: question.goals.toSorted(),
    group_by: question.group_by,
    timezone: question.timezone,
    scope: question.scope,
    lookback_days: question.lookback_days,
    half_life_days: models.includes('time_decay') ? settings.half_life_days : DEFAULT_HALF_LIFE_DAYS,
    weights: models.includes('custom') ? (settings.weights ?? null) : null,
    milestones,
    where: sorted(question.where),
    where_conversion: sorted(question.where_conversion),
    only_with_journey: question.only_with_journey ?? false,
  };
}
