import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { startOfLocalDay } from '../../domain/time.ts';
import type { CreditQuestion } from '../credit-question.ts';
import type { Days } from './held-touches-sql.ts';
import { type KeptQuestion, keptModels } from './kept-question.ts';

/** The sums that a step computes, as `end_settling_credit` chose them. */
export interface ChosenSums extends Days {
  question_id: string;
  question: KeptQuestion;
  /** The currency of the workspace. */
  currency: string;
}

/** The days that reach beyond midnight, where clocks were turned back just after it. */
const DAY_MARGIN_MS = 2 * 60 * 60 * 1000;
const DAY_MS = 86_400_000;

/** The sums of some days, as a query for credit. */
export function creditOfDays(workspaceId: string, { question, ...days }: ChosenSums): CreditQuestion {
  const { timezone, weights } = question;
  const from = startOfLocalDay(days.first_day, timezone).getTime() - DAY_MARGIN_MS;
  const to = startOfLocalDay(days.last_day, timezone).getTime() + DAY_MS + DAY_MARGIN_MS;
  const asked: CreditQuestion = {
    workspace_id: workspaceId,
    currency: '',
    workspace_currency: '',
    workspace_timezone: timezone,
    goals: question.goals,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    lookback_days: question.lookback_days,
    scope: question.scope,
    policy: 'reuse',
    where: question.where,
    where_conversion: question.where_conversion,
    ...(question.only_with_journey && { only_with_journey: true as const }),
    by_currency: true,
    models: keptModels(question),
    settings: { half_life_days: question.half_life_days, ...(weights && { weights }) },
    milestones: question.milestones,
    group_by: question.group_by,
    interval: 'day',
    timezone,
  };
  return asked;
}

/**
 * Needs: no step. Gives: the step `settling (horizon)`, one row if sums of the question may be computed.
 */
export function settling(workspaceId: string, { question_id }: ChosenSums): SQL {
  return sql`settling as materialized (
      select h.horizon
      from credit_horizons h
      join credit_questions q on q.workspace_id = h.workspace_id
      where h.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid and q.kept_at is not null
        and current_setting('throughline.settling_credit', true) = 'ready'
        and pg_snapshot_xmin(h.horizon) >= q.usable_from
    )`;
}

/** The first day of the month of a day. */
export const monthOf = (day: string) => sql`date_trunc('month', ${day}::date::timestamp)::date`;
