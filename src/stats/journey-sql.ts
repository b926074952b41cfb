import { SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { JourneyPolicy } from '../domain/journey.ts';
import type { ReportScope } from '../domain/settings.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { type Dimension, KINDS_WITHOUT_CREDIT } from '../domain/touchpoint-fields.ts';
import { conversionsOfEntity, entityColumns, entityText, isInWindow } from './entity-sql.ts';
import type { MoneyQuestion } from './fx-sql.ts';
import { isUnretracted } from './net-conversion-sql.ts';
import { DIMENSION_COLUMNS, whereConditions } from './where-sql.ts';

const DAY_SECONDS = 86_400;

export interface JourneyQuestion extends MoneyQuestion {
  /** Null: every goal of the kind `conversion` that is not archived. */
  goals: readonly string[] | null;
  from: string;
  to: string;
  /** In days of 86,400 s; null: each goal's own lookback. */
  lookback_days: number | null;
  scope: ReportScope;
  policy: JourneyPolicy;
  where: Where;
  /** Includes journeys of retracted conversions, which gross credit needs. */
  with_retracted?: true;
  where_conversion: Readonly<Record<string, readonly (string | null)[]>>;
  /** Excludes conversions with an empty journey. Under a narrowed token they are not visible. */
  only_with_journey?: true;
  /** A select of conversions of the goals, with all columns, each once. Absent: those of the range. */
  source?: SQL;
  /**
   * No entity of `source` has so many conversions that its journeys are swept. The steps of swept journeys are left out,
   * which cost planning and would find nothing.
   */
  all_listed?: true;
  /** Amounts stay in the currency of the conversion, and sums are by currency as well. */
  by_currency?: true;
}

/**
 * The goals that exist, among those that a query or its milestones name.
 *
 * Needs: no alias. Gives: a scalar subquery, without parentheses: a JSON list of keys, or null for none.
 */
export function knownGoals(workspaceId: string, keys: readonly string[] | SQL): SQL {
  const among = keys instanceof SQL ? keys : sql`${sql.param(keys)}::text[]`;
  return sql`
    select json_agg(g.key order by g.key)
    from goals g
    where g.workspace_id = ${tenant(workspaceId)} and g.key = any(${among})`;
}

/**
 * The keys of the goals of a query.
 *
 * Needs: no alias. Gives: a text array expression.
 */
export function goalKeys({ workspace_id, goals }: Pick<JourneyQuestion, 'workspace_id' | 'goals'>): SQL {
  if (goals !== null) return sql`${sql.param(goals)}::text[]`;
  return sql`array(
    select g.key
    from goals g
    where g.workspace_id = ${tenant(workspace_id)} and g.kind = 'conversion' and g.archived_at is null
  )`;
}

/**
 * The settings of goals.
 *
 * Needs: `goals`, a condition on `g`, a goal. Gives: a select of `key, counting, lookback`, the
 * last as an interval.
 */
export function goalSettings(workspaceId: string, goals: SQL, lookbackDays: number | null): SQL {
  return sql`
    select g.key, g.counting,
      make_interval(secs => coalesce(${lookbackDays}::float8, g.lookback_days) * ${DAY_SECONDS}::float8) as lookback
    from goals g
    where g.workspace_id = ${tenant(workspaceId)} and ${goals}`;
}

/**
 * The unretracted conversions of the same goal by the same entity that precede `c`.
 *
 * Needs: `c (id, person_id, account_id, goal, occurred_at)`; `adjusted`, the condition that a conversion may have
 * adjustments, if there is one. Gives: `from … where …`, with `earlier (id, occurred_at)`.
 */
export function earlierUnretracted(
  workspaceId: string,
  scope: ReportScope,
  adjusted?: (conversionId: SQL) => SQL,
): SQL {
  return sql`
    from ${conversionsOfEntity(workspaceId, scope, sql`c.goal`)} earlier
    where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
      and ${isUnretracted(workspaceId, sql`earlier.id`, adjusted?.(sql`earlier.id`))}`;
}

/**
 * The conversion counts under the goal's `counting`. A goal that counts once counts a conversion only if the
 * entity has no earlier unretracted one of that goal. Retracted conversions before the one that counts are
 * therefore in gross, and those after it are in no figure.
 *
 * Needs: `c (id, person_id, account_id, goal, occurred_at)` and `g (counting)`, its goal. Gives: a condition.
 */
export function countsAtAll(
  workspaceId: string,
  scope: ReportScope,
  adjusted?: (conversionId: SQL) => SQL,
): SQL {
  return sql`(g.counting = 'every' or not exists (select ${earlierUnretracted(workspaceId, scope, adjusted)}))`;
}

/**
 * The touchpoint may get credit at all.
 *
 * Needs: `t`, a touchpoint. Gives: a condition.
 */
export function creditable(where: Where): SQL {
  const kinds = where.kind ? [] : [sql`t.kind <> all(${sql.param([...KINDS_WITHOUT_CREDIT])}::text[])`];
  return sql.join([sql`t.voided_at is null`, ...kinds, ...whereConditions(where)], sql` and `);
}

/**
 * The group of a touchpoint: its dimensions as a list of texts, which compare bytewise in every database.
 *
 * Needs: `t`, a touchpoint. Gives: an expression of type text[].
 */
export function groupOf(dimensions: readonly Dimension[]): SQL {
  const columns = dimensions.map((dimension) => DIMENSION_COLUMNS[dimension]);
  return sql`array[${sql.join(columns, sql`, `)}] collate "C"`;
}

/**
 * The touches of the journeys of conversions.
 *
 * Needs: `source`, a step with the columns of `converted`. Gives: a select of `conversion_id, touchpoint_id,
 * occurred_at` and `columns`, which may refer to `c`, the conversion, and `t`, the touchpoint.
 */
export function touchesOfJourneys(
  { workspace_id, scope, policy, where, with_retracted }: JourneyQuestion,
  source: SQL,
  columns: SQL,
): SQL {
  const counts = with_retracted ? sql`` : sql`not c.retracted and `;
  const branches = entityColumns(scope).map(
    (column) => sql`
      select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, ${columns}
      from ${source} c
      join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isInWindow(column, policy)}
      where ${counts}t.id is distinct from c.touchpoint_id and ${creditable(where)}`,
  );
  return sql.join(branches, sql` union all `);
}

/**
 * The touches of null journeys. An entity has one if it has a touchpoint in the range and no unretracted
 * conversion of the goals in `[from - lookback, to)`; its touches are its touchpoints in the lookback before
 * `to`. The domain's `nullJourneyOf` is the definition.
 *
 * Entities are compared by hash look-ups, and touches are not sorted. The look-up of those with a touchpoint in the range
 * is only needed if that begins within the lookback before `to`.
 *
 * Needs: the step `goal_settings` of `conversionsInRange`. Gives: the steps `converters` and `unconverted
 * (journey, touchpoint_id, occurred_at, dimensions)`, a row per touch; `journey` is the entity, as a text.
 */
export function nullJourneys(question: JourneyQuestion, dimensions: readonly Dimension[]): SQL {
  const { workspace_id, from, to, scope, where } = question;
  const lookback = sql`(select max(lookback) from goal_settings)`;
  const creditableSince = (
    since: SQL,
  ) => sql`t.workspace_id = ${tenant(workspace_id)} and t.occurred_at >= ${since}
            and t.occurred_at < ${to}::timestamptz and ${creditable(where)}`;
  const inRange = sql`
            select ${entityText(scope, sql`t`)}
            from touchpoints t
            where ${creditableSince(sql`${from}::timestamptz`)}`;
  return sql`
    converters as materialized (
      select distinct ${entityText(scope, sql`c`)} as journey
      from conversions c
      where c.workspace_id = ${tenant(workspace_id)}
        and c.goal = any(${goalKeys(question)})
        and c.occurred_at >= ${from}::timestamptz - ${lookback}
        and c.occurred_at < ${to}::timestamptz
        and ${isUnretracted(workspace_id)}
    ), unconverted as materialized (
      select journey, touchpoint_id, occurred_at, dimensions
      from (
        select *, journey in (select journey from converters) as has_converted,
          (select ${from}::timestamptz <= ${to}::timestamptz - ${lookback}) or journey in (${inRange}) as is_in_range
        from (
          select ${entityText(scope, sql`t`)} as journey, t.id as touchpoint_id, t.occurred_at,
            ${groupOf(dimensions)} as dimensions
          from touchpoints t
          where ${creditableSince(sql`${to}::timestamptz - ${lookback}`)}
          offset 0
        ) t
        offset 0
      ) t
      where not has_converted and is_in_range
    )`;
}
