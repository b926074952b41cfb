import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { CreditQuestion } from './credit-question.ts';
import { entityColumns, entityOf, isOfEntity } from './entity-sql.ts';
import { creditable, groupOf } from './journey-sql.ts';

/** Conversions of an entity in the range up to which each journey lists its touches. */
const MAX_LISTED_JOURNEYS = 32;

/** With more groups than one for so many touches, running counts per group cost more than the lists. */
const TOUCHES_PER_GROUP = 8;

/** The entity of a row as one text. */
export function entityKey({ scope }: CreditQuestion, row: SQL): SQL {
  if (scope === 'person') return sql`${row}.person_id::text`;
  return sql`coalesce('account ' || ${row}.account_id, 'person ' || ${row}.person_id)`;
}

/**
 * Splits conversions by whether their entity is swept.
 *
 * Needs: `source`, a step with the columns of `converted`. Gives: the steps `crowded`, `crowd_touches`, `swept
 * (entity)` and `listed_conversions`, the conversions of all other entities.
 */
export function sweptEntities(question: CreditQuestion, source: SQL): SQL {
  const { workspace_id, scope, where, with_retracted } = question;
  const columns =
    scope === 'person'
      ? sql`c.person_id, null::text as account_id`
      : sql`case when c.account_id is null then c.person_id end as person_id, c.account_id`;
  const touches = entityColumns(scope).map(
    (column) => sql`
        select ${entityKey(question, sql`c`)} as entity, t.id, t.occurred_at, t.channel = 'direct' as is_direct,
          ${groupOf(question.group_by)} as dimensions
        from crowded c
        join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isOfEntity(column)}
          and (t.${column.name}, t.occurred_at) >= (c.${column.name}, c.from_at)
          and (t.${column.name}, t.occurred_at) <= (c.${column.name}, c.to_at)
        where ${creditable(where)}`,
  );
  return sql`
    crowded as materialized (
      select ${columns}, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
      from ${source} c
      ${with_retracted ? sql`` : sql`where not c.retracted`}
      group by ${entityOf(scope, sql`c`)}
      having count(*) > ${MAX_LISTED_JOURNEYS}
    ), crowd_touches as materialized (
      select *, max(place) filter (where not is_direct) over (partition by entity order by place) as non_direct
      from (
        select *, row_number() over (partition by entity order by occurred_at, id) as place,
          dense_rank() over (partition by entity order by dimensions) as group_number
        from (${sql.join(touches, sql` union all `)}
        ) t
      ) t
    ), swept as materialized (
      select entity
      from crowd_touches
      group by entity
      having max(group_number) * ${TOUCHES_PER_GROUP}::int <= count(*)
    ), listed_conversions as (
      select *
      from ${source} c
      where ${entityKey(question, sql`c`)} not in (select entity from swept)
    )`;
}
