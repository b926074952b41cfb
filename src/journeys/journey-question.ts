import { type SQL, sql } from 'drizzle-orm';
import type { SweptQuestion } from '../stats/swept/swept-entities-sql.ts';

/** The effective query of the report on journeys. */
export interface JourneyReportQuestion extends SweptQuestion {
  goals: readonly string[];
  collapse: boolean;
  /** Bounds of the number of touchpoints in a journey; null: no bound. */
  min_touches: number | null;
  max_touches: number | null;
  limit: number;
}

/**
 * Only journeys of as many touches as the query asks for.
 *
 * Needs: `touches`. Gives: conditions, each after an `and`.
 */
export function boundsOf({ min_touches, max_touches }: JourneyReportQuestion): SQL {
  return sql.join([
    ...(min_touches === null ? [] : [sql` and touches >= ${min_touches}::int`]),
    ...(max_touches === null ? [] : [sql` and touches <= ${max_touches}::int`]),
  ]);
}
