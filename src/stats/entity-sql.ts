import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { JourneyPolicy } from '../domain/journey.ts';
import type { ReportScope } from '../domain/settings.ts';

/**
 * A column that leads from a conversion to the rows of its entity: one person, or everyone at the account.
 * The entity of a conversion without an account is the person alone, because no row of that person has an
 * account then. Fragments of this file call the conversion `c`.
 *
 * Bounds compare rows, `(person_id, occurred_at) >= (p, t)`. This is equivalent to an equality and a bound,
 * but only the index of the entity has both columns. With plain bounds the index of times fits as well, and a
 * planner without statistics takes it because it is smaller. Each conversion then reads the whole workspace
 * (12,000 touchpoints: 3.7 s instead of 60 ms).
 */
export interface EntityColumn {
  /** The column that identifies the entity. */
  name: SQL;
  /** The condition on `c` under which it does. */
  applies: SQL;
}

/**
 * The columns that lead from `c` to the rows of its entity. They exclude each other. They are separate
 * branches of a `union all`, because an `or` of them would reach no index.
 */
export function entityColumns(scope: ReportScope): readonly EntityColumn[] {
  if (scope === 'person') return [{ name: sql`person_id`, applies: sql`true` }];
  return [
    { name: sql`account_id`, applies: sql`true` },
    { name: sql`person_id`, applies: sql`c.account_id is null` },
  ];
}

/**
 * The entity of a row, for `partition by`.
 *
 * Needs: `row`, the alias of a row of touchpoints or conversions. Gives: one or two expressions
 * that identify its entity.
 */
export function entityOf(scope: ReportScope, row: SQL): SQL {
  if (scope === 'person') return sql`${row}.person_id`;
  return sql`${row}.account_id, case when ${row}.account_id is null then ${row}.person_id end`;
}

/** The entity of a row as one text. Needs: `row`, as `entityOf`. Gives: a text expression. */
export function entityText(scope: ReportScope, row: SQL): SQL {
  if (scope === 'person') return sql`${row}.person_id::text`;
  return sql`coalesce('@' || ${row}.account_id, ${row}.person_id::text)`;
}

/**
 * The ids of the entity of `c`, of which one is null: columns of a select that identify entities as `entityColumns` does.
 *
 * Needs: `c (person_id, account_id)`. Gives: the columns `person_id, account_id`.
 */
export function entityIds(scope: ReportScope): SQL {
  if (scope === 'person') return sql`c.person_id, null::text as account_id`;
  return sql`case when c.account_id is null then c.person_id end as person_id, c.account_id`;
}

/**
 * The touchpoint belongs to the entity of the conversion.
 *
 * Needs: `t`, a touchpoint, and `c (person_id, account_id)`. Gives: a condition.
 */
export function isOfEntity({ name, applies }: EntityColumn): SQL {
  return sql`${applies} and t.${name} = c.${name}`;
}

/**
 * The touchpoint belongs to the entity of the conversion and lies in its journey's window: from `opens_at` to
 * the conversion, both included, and under `reset` after `used_up_to`.
 *
 * Needs: `t`, a touchpoint, and `c (person_id, account_id, occurred_at, opens_at, used_up_to)`, all plain
 * columns. Gives: a condition.
 */
export function isInWindow(column: EntityColumn, policy: JourneyPolicy): SQL {
  const { name } = column;
  const unused = sql` and (t.${name}, t.occurred_at) > (c.${name}, c.used_up_to)`;
  return sql`${isOfEntity(column)}
    and (t.${name}, t.occurred_at) >= (c.${name}, c.opens_at)
    and (t.${name}, t.occurred_at) <= (c.${name}, c.occurred_at)${policy === 'reset' ? unused : sql``}`;
}

/**
 * The conversions of a goal by the entity of `c`, up to and including the instant of `c`, itself among them.
 *
 * Needs: `c (person_id, account_id, occurred_at)`, plain columns, and `goal`, a text expression. Gives: a
 * subquery for `from`, with `id, occurred_at`.
 */
export function conversionsOfEntity(workspaceId: string, scope: ReportScope, goal: SQL): SQL {
  const branches = entityColumns(scope).map(
    ({ name, applies }) => sql`
    select held.id, held.occurred_at
    from conversions held
    where held.workspace_id = ${tenant(workspaceId)}
      and ${applies}
      and held.${name} = c.${name}
      and (held.${name}, held.goal, held.occurred_at) >= (c.${name}, ${goal}, '-infinity'::timestamptz)
      and (held.${name}, held.goal, held.occurred_at) <= (c.${name}, ${goal}, c.occurred_at)`,
  );
  return sql`(${sql.join(branches, sql` union all `)})`;
}
