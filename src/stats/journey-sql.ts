import { SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { JourneyPolicy } from '../domain/journey.ts';
import type { ReportScope } from '../domain/settings.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { type Dimension, KINDS_WITHOUT_CREDIT } from '../domain/touchpoint-fields.ts';
import { conversionsOfEntity, entityColumns, entityOf, isInWindow } from './entity-sql.ts';
import { dayOf, exchangeRates, fxRateOf, type MoneyQuestion } from './fx-sql.ts';
import { isUnretracted, joinNetAdjustments } from './net-conversion-sql.ts';
import { DIMENSION_COLUMNS, isOneOf, whereConditions } from './where-sql.ts';

/** The longest lookback a goal can have. */
const MAX_LOOKBACK_DAYS = 365;
const DAY_SECONDS = 86_400;

export interface JourneyQuestion extends MoneyQuestion {
  /** Null: every goal of the kind conversion that is not archived. */
  goals: readonly string[] | null;
  from: string;
  to: string;
  /** Null: each goal's own. */
  lookback_days: number | null;
  scope: ReportScope;
  policy: JourneyPolicy;
  where: Where;
  /** Credit for what was taken back as well: what gross asks for. */
  with_retracted?: true;
  where_conversion: Readonly<Record<string, readonly (string | null)[]>>;
  /** Leaves out conversions without a touchpoint in their journey: under a narrowed token they are not there. */
  only_with_journey?: true;
}

/** Of the goals named, in a question or as milestones, those that exist: a JSON list or null. */
export function knownGoals(workspaceId: string, keys: readonly string[] | SQL): SQL {
  const among = keys instanceof SQL ? keys : sql`${sql.param(keys)}::text[]`;
  return sql`
    select json_agg(g.key order by g.key)
    from goals g
    where g.workspace_id = ${tenant(workspaceId)} and g.key = any(${among})`;
}

/** The keys of the goals asked, as an array. */
export function goalKeys({ workspace_id, goals }: Pick<JourneyQuestion, 'workspace_id' | 'goals'>): SQL {
  if (goals !== null) return sql`${sql.param(goals)}::text[]`;
  return sql`array(
    select g.key
    from goals g
    where g.workspace_id = ${tenant(workspace_id)} and g.kind = 'conversion' and g.archived_at is null
  )`;
}

/** Of the goals asked: `key, counting, lookback`, the last as an interval of seconds. */
export function goalSettings(workspaceId: string, goals: SQL, lookbackDays: number | null): SQL {
  return sql`
    select g.key, g.counting,
      make_interval(secs => coalesce(${lookbackDays}::float8, g.lookback_days) * ${DAY_SECONDS}::float8) as lookback
    from goals g
    where g.workspace_id = ${tenant(workspaceId)} and ${goals}`;
}

/** Unretracted conversions of the same goal by the same entity before `c`: a `from … where …`, named `earlier`. */
export function earlierUnretracted(workspaceId: string, scope: ReportScope): SQL {
  return sql`
    from ${conversionsOfEntity(workspaceId, scope, sql`c.goal`)} earlier
    where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
      and ${isUnretracted(workspaceId, sql`earlier.id`)}`;
}

/**
 * Where a goal counts once, a conversion counts if the entity has no earlier unretracted one of the goal. So the
 * retracted ones before it are in gross, and the ones after it are nowhere.
 */
export function countsAtAll(workspaceId: string, scope: ReportScope): SQL {
  return sql`(g.counting = 'every' or not exists (select ${earlierUnretracted(workspaceId, scope)}))`;
}

/** Conditions on the columns of conversions: fields AND-ed, values OR-ed. */
export function conversionConditions(
  { where_conversion }: Pick<JourneyQuestion, 'where_conversion'>,
  prefix: SQL,
): SQL[] {
  return Object.entries(where_conversion).map(([field, values]) =>
    field === 'currency'
      ? isOneOf(sql`${prefix}currency`, values)
      : isOneOf(sql`${prefix}properties ->> ${field.slice('properties.'.length)}::text`, values),
  );
}

/**
 * The conversions of the range, each with the bounds of its journey: `opens_at` (inclusive) and `used_up_to`
 * (exclusive; -infinity unless an earlier conversion used touchpoints up). Bounds are computed once here, in a
 * materialized step: only plain columns reach an index under row level security.
 *
 * `gross` and `net` are in the report's currency, at the rate of the conversion's day; null where there is none. Under `reset` the previous
 * conversion may lie before the range, never further back than the lookback: beyond that it changes nothing.
 */
export function conversionsInRange(question: JourneyQuestion): SQL {
  const { workspace_id, from, to, lookback_days, scope, policy } = question;
  const reachDays = policy === 'reset' ? (lookback_days ?? MAX_LOOKBACK_DAYS) : 0;
  const chosen = conversionConditions(question, sql``);
  const previous =
    policy === 'reset'
      ? sql`max(c.occurred_at) filter (where n.retracted is not true) over (
          partition by ${entityOf(scope, sql`c`)}, c.goal order by c.occurred_at, c.id rows between unbounded preceding and 1 preceding
        )`
      : sql`null::timestamptz`;
  return sql`
    goal_settings as materialized (${goalSettings(workspace_id, sql`g.key = any(${goalKeys(question)})`, lookback_days)}),
    reached as materialized (
      select c.*, ${dayOf(question, sql`c.occurred_at`)} as day
      from conversions c
      where c.workspace_id = ${tenant(workspace_id)}
        and c.goal = any(${goalKeys(question)})
        and c.occurred_at >= ${from}::timestamptz - make_interval(secs => ${reachDays * DAY_SECONDS}::float8)
        and c.occurred_at < ${to}::timestamptz
    ), ${exchangeRates(question, sql`select currency, day from reached where occurred_at >= ${from}::timestamptz`)},
    bounded as (
      select c.id, c.person_id, c.account_id, c.occurred_at, c.touchpoint_id, c.currency, c.properties,
        ${fxRateOf(question, sql`c.currency`, sql`c.day`)} as rate,
        coalesce(n.retracted, false) as retracted,
        c.value, coalesce(n.restated_value, c.value) as restated_value,
        c.occurred_at - g.lookback as opens_at,
        coalesce(${previous}, '-infinity') as used_up_to,
        ${countsAtAll(workspace_id, scope)} as counts
      from reached c
      join goal_settings g on g.key = c.goal
      ${joinNetAdjustments(workspace_id)}
    ), ${question.only_with_journey ? sql`chosen` : sql`converted`} as materialized (
      select id, person_id, account_id, occurred_at, touchpoint_id, retracted, opens_at, used_up_to,
        restated_value is not null and rate is null as lacks_rate, value * rate as gross, restated_value * rate as net
      from bounded
      where ${sql.join([sql`occurred_at >= ${from}::timestamptz`, sql`counts`, ...chosen], sql` and `)}
    )${question.only_with_journey ? convertedWithJourney(question) : sql``}`;
}

/** Of the conversions that were chosen, retracted ones too, those with a touchpoint in their journey. */
function convertedWithJourney(question: JourneyQuestion): SQL {
  const touches = touchesOfJourneys({ ...question, with_retracted: true }, sql`chosen`, sql`null`);
  return sql`, converted as materialized (
      select *
      from chosen
      where id in (select conversion_id from (${touches}) touches)
    )`;
}

/** Which touchpoints `t` may earn credit at all. */
export function creditable(where: Where): SQL {
  const kinds = where.kind ? [] : [sql`t.kind <> all(${sql.param([...KINDS_WITHOUT_CREDIT])}::text[])`];
  return sql.join([sql`t.voided_at is null`, ...kinds, ...whereConditions(where)], sql` and `);
}

/** The group of a touchpoint `t`: its dimensions as a list of texts, which compare bytewise in every database. */
export function groupOf(dimensions: readonly Dimension[]): SQL {
  const columns = dimensions.map((dimension) => DIMENSION_COLUMNS[dimension]);
  return sql`array[${sql.join(columns, sql`, `)}] collate "C"`;
}

/**
 * The touches of the journeys of the conversions `c` in the step `source`: `conversion_id, touchpoint_id,
 * occurred_at` and the columns asked, which may name `c` and the touchpoint `t`.
 */
export function touchesOfJourneys(
  { workspace_id, scope, where, with_retracted }: JourneyQuestion,
  source: SQL,
  columns: SQL,
): SQL {
  const counts = with_retracted ? sql`` : sql`not c.retracted and `;
  const branches = entityColumns(scope).map(
    (column) => sql`
      select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, ${columns}
      from ${source} c
      join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isInWindow(column)}
      where ${counts}t.id is distinct from c.touchpoint_id and ${creditable(where)}`,
  );
  return sql.join(branches, sql` union all `);
}

/**
 * The touches of null journeys, after `conversionsInRange`: of entities with a touchpoint in the range and no
 * unretracted conversion of the goals in `[from - lookback, to)`, their touchpoints in the lookback before `to`. The
 * domain's `nullJourneyOf` is the definition. The step `unconverted (journey, touchpoint_id, occurred_at, dimensions)`
 * has a row for each; `journey` is the smallest of their ids, since a touchpoint is of one entity.
 *
 * Touchpoints and conversions are put in one list and looked at by entity: a join of the two, or a look-up, would
 * need to know their sizes.
 */
export function nullJourneys(question: JourneyQuestion, dimensions: readonly Dimension[]): SQL {
  const { workspace_id, from, to, scope, where } = question;
  const lookback = sql`(select max(lookback) from goal_settings)`;
  return sql`
    acted as (
      select t.person_id, t.account_id, t.occurred_at, t.id as touchpoint_id, ${groupOf(dimensions)} as dimensions
      from touchpoints t
      where t.workspace_id = ${tenant(workspace_id)}
        and t.occurred_at >= ${to}::timestamptz - ${lookback}
        and t.occurred_at < ${to}::timestamptz
        and ${creditable(where)}
      union all
      select c.person_id, c.account_id, null, null, null
      from conversions c
      where c.workspace_id = ${tenant(workspace_id)}
        and c.goal = any(${goalKeys(question)})
        and c.occurred_at >= ${from}::timestamptz - ${lookback}
        and c.occurred_at < ${to}::timestamptz
        and ${isUnretracted(workspace_id)}
    ), unconverted as materialized (
      select journey, touchpoint_id, occurred_at, dimensions
      from (
        select *, min(touchpoint_id) over entity as journey, max(occurred_at) over entity as newest_at,
          bool_or(touchpoint_id is null) over entity as has_converted
        from acted
        window entity as (partition by ${entityOf(scope, sql`acted`)})
      ) acted
      where not has_converted and newest_at >= ${from}::timestamptz
    )`;
}
