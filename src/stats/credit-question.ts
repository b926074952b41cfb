import { type SQL, sql } from 'drizzle-orm';
import type { Model } from '../domain/attribution.ts';
import type { Interval } from '../domain/time.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import type { JourneyQuestion } from './journey-sql.ts';
import type { Milestones } from './milestone-sql.ts';
import type { ModelParameters } from './model-sql.ts';

/** A query for credit: the conversions and journeys, the models, and how credit is grouped. */
export interface CreditQuestion extends JourneyQuestion {
  models: readonly Model[];
  /** The milestone goals for models that need them, else null. */
  settings: ModelParameters;
  /** The goals of the models that need them, else null. */
  milestones: Milestones | null;
  group_by: readonly Dimension[];
  interval: Interval | null;
  timezone: string;
}

/**
 * The interval of an instant, as the local date on which it starts.
 *
 * Needs: `at`, a timestamptz expression. Gives: a text expression; null if the query has no interval.
 */
export function intervalOf(
  { interval, timezone }: Pick<CreditQuestion, 'interval' | 'timezone'>,
  at: SQL,
): SQL {
  if (interval === null) return sql`null::text`;
  return sql`to_char(date_trunc(${interval}, ${at} at time zone ${timezone}), 'YYYY-MM-DD')`;
}

/**
 * The interval of a conversion; if sums are by currency, with the currency after a space.
 *
 * Needs: `c (occurred_at, currency)`. Gives: a text expression, as `intervalOf`.
 */
export function intervalOfConversion(question: CreditQuestion): SQL {
  const interval = intervalOf(question, sql`c.occurred_at`);
  return question.by_currency ? sql`${interval} || ' ' || c.currency` : interval;
}

/** The columns of a group, which have the names of the dimensions. */
export function groupColumns({ group_by }: Pick<CreditQuestion, 'group_by'>): SQL {
  return sql.join(
    group_by.map((dimension) => sql`${sql.identifier(dimension)}`),
    sql`, `,
  );
}
