import { type SQL, sql } from 'drizzle-orm';
import type { Dimension } from '../../domain/touchpoint-fields.ts';
import { entityIds, entityOf } from '../entity-sql.ts';
import type { JourneyQuestion } from '../journey-sql.ts';

/** Conversions of an entity in the range up to which each journey lists its touches. */
export const MAX_LISTED_JOURNEYS = 32;

/** A query whose journeys may be swept. */
export interface SweptQuestion extends JourneyQuestion {
  group_by: readonly Dimension[];
}

/**
 * Splits conversions by whether their entity has many of them.
 *
 * Needs: the step `converted`. Gives: the steps `crowded (entity, person_id, account_id, from_at, to_at)`, the entities
 * with the span of their journeys, and `listed_conversions`, the conversions of all others.
 */
export function crowdedEntities(question: SweptQuestion): SQL {
  const { scope, with_retracted } = question;
  return sql`
    crowded as materialized (
      select c.entity, ${entityIds(scope)}, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
      from converted c
      where c.is_crowded${with_retracted ? sql`` : sql` and not c.retracted`}
      group by c.entity, ${entityOf(scope, sql`c`)}
    ), listed_conversions as (
      select *
      from converted c
      where not c.is_crowded
    )`;
}
