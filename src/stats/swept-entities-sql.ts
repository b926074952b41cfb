import { type SQL, sql } from 'drizzle-orm';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { entityOf } from './entity-sql.ts';
import type { JourneyQuestion } from './journey-sql.ts';

/** Conversions of an entity in the range up to which each journey lists its touches. */
export const MAX_LISTED_JOURNEYS = 32;

/** A query whose journeys may be swept. */
export interface SweptQuestion extends JourneyQuestion {
  group_by: readonly Dimension[];
}

/** The entity of a row as one text, which sorts bytewise because that is faster. */
export function entityKey({ scope }: Pick<SweptQuestion, 'scope'>, row: SQL): SQL {
  if (scope === 'person') return sql`(${row}.person_id::text collate "C")`;
  return sql`(coalesce('account ' || ${row}.account_id, 'person ' || ${row}.person_id) collate "C")`;
}

/**
 * Splits conversions by whether their entity has many of them.
 *
 * Needs: `source`, a step with the columns of `converted`. Gives: the steps `crowded (entity, person_id, account_id,
 * from_at, to_at)`, the entities with the span of their journeys, and `listed_conversions`, the conversions of all
 * others.
 */
export function crowdedEntities(question: SweptQuestion, source: SQL): SQL {
  const { scope, with_retracted } = question;
  const columns =
    scope === 'person'
      ? sql`c.person_id, null::text as account_id`
      : sql`case when c.account_id is null then c.person_id end as person_id, c.account_id`;
  return sql`
    crowded as materialized (
      select c.*, ${entityKey(question, sql`c`)} as entity
      from (
        select ${columns}, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
        from ${source} c
        ${with_retracted ? sql`` : sql`where not c.retracted`}
        group by ${entityOf(scope, sql`c`)}
        having count(*) > ${MAX_LISTED_JOURNEYS}
      ) c
    ), listed_conversions as (
      select *
      from ${source} c
      where ${entityKey(question, sql`c`)} not in (select entity from crowded)
    )`;
}
