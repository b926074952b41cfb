import { type SQL, sql } from 'drizzle-orm';
import { joinNetAdjustments } from '../db/net-conversions.ts';
import { tenant } from '../db/tenant.ts';
import { isOneOf, type Where, whereConditions } from '../db/where.ts';
import type { JourneyPolicy } from '../domain/journey.ts';
import { KINDS_WITHOUT_CREDIT } from '../domain/touchpoint-fields.ts';

/** The longest lookback a goal can have. */
const MAX_LOOKBACK_DAYS = 365;
const DAY_SECONDS = 86_400;

export interface JourneyQuestion {
  workspace_id: string;
  goals: readonly string[];
  from: string;
  to: string;
  /** Null: each goal's own. */
  lookback_days: number | null;
  policy: JourneyPolicy;
  where: Where;
  where_conversion: Readonly<Record<string, readonly (string | null)[]>>;
  currency: string;
}

/** Of the goals asked: `key, counting, lookback`, the last as an interval of seconds. */
export function goalSettings(workspaceId: string, goals: SQL, lookbackDays: number | null): SQL {
  return sql`
    select g.key, g.counting,
      make_interval(secs => coalesce(${lookbackDays}::float8, g.lookback_days) * ${DAY_SECONDS}::float8) as lookback
    from goals g
    where g.workspace_id = ${tenant(workspaceId)} and ${goals}`;
}

/** Unretracted conversions of the same goal by the same person before `c`: a `from … where …`, named `earlier`. */
export function earlierUnretracted(workspaceId: string): SQL {
  return sql`
    from conversions earlier
    where earlier.workspace_id = ${tenant(workspaceId)}
      and earlier.person_id = c.person_id
      and earlier.goal = c.goal
      and (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
      and not exists (
        select
        from adjustments a
        where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = earlier.id and a.kind = 'retraction'
      )`;
}

/**
 * Where a goal counts once, a conversion counts if the person has no earlier unretracted one of the goal. So the
 * retracted ones before it are in gross, and the ones after it are nowhere.
 */
export function countsAtAll(workspaceId: string): SQL {
  return sql`(g.counting = 'every' or not exists (select ${earlierUnretracted(workspaceId)}))`;
}

/**
 * The conversions of the range, each with the bounds of its journey: `opens_at` (inclusive) and `used_up_to`
 * (exclusive; -infinity unless an earlier conversion used touchpoints up). Bounds are computed once here, in a
 * materialized step: only plain columns reach an index under row level security.
 *
 * `gross` and `net` are in the report's currency, null where there is no rate. Under `reset` the previous
 * conversion may lie before the range, never further back than the lookback: beyond that it changes nothing.
 */
export function conversionsInRange(question: JourneyQuestion): SQL {
  const { workspace_id, goals, from, to, lookback_days, policy, currency } = question;
  const reachDays = policy === 'reset' ? (lookback_days ?? MAX_LOOKBACK_DAYS) : 0;
  const chosen = Object.entries(question.where_conversion).map(([field, values]) =>
    field === 'currency'
      ? isOneOf(sql`currency`, values)
      : isOneOf(sql`properties ->> ${field.slice('properties.'.length)}::text`, values),
  );
  const previous =
    policy === 'reset'
      ? sql`max(c.occurred_at) filter (where n.retracted is not true) over (
          partition by c.person_id, c.goal order by c.occurred_at, c.id rows between unbounded preceding and 1 preceding
        )`
      : sql`null::timestamptz`;
  return sql`
    goal_settings as materialized (${goalSettings(workspace_id, sql`g.key = any(${sql.param(goals)}::text[])`, lookback_days)}),
    reached as materialized (
      select c.*
      from conversions c
      where c.workspace_id = ${tenant(workspace_id)}
        and c.goal = any(${sql.param(goals)}::text[])
        and c.occurred_at >= ${from}::timestamptz - make_interval(secs => ${reachDays * DAY_SECONDS}::float8)
        and c.occurred_at < ${to}::timestamptz
    ), bounded as (
      select c.id, c.person_id, c.occurred_at, c.touchpoint_id, c.currency, c.properties,
        coalesce(n.retracted, false) as retracted,
        c.value, coalesce(n.restated_value, c.value) as restated_value,
        c.occurred_at - g.lookback as opens_at,
        coalesce(${previous}, '-infinity') as used_up_to,
        ${countsAtAll(workspace_id)} as counts
      from reached c
      join goal_settings g on g.key = c.goal
      ${joinNetAdjustments(workspace_id)}
    ), converted as materialized (
      select id, person_id, occurred_at, touchpoint_id, retracted, opens_at, used_up_to,
        value is not null and currency is distinct from ${currency} as lacks_rate,
        case when currency = ${currency} then value end as gross,
        case when currency = ${currency} then restated_value end as net
      from bounded
      where ${sql.join([sql`occurred_at >= ${from}::timestamptz`, sql`counts`, ...chosen], sql` and `)}
    )`;
}

/** Which touchpoints `t` may earn credit at all. */
export function creditable(where: Where): SQL {
  const kinds = where.kind ? [] : [sql`t.kind <> all(${sql.param([...KINDS_WITHOUT_CREDIT])}::text[])`];
  return sql.join([sql`t.voided_at is null`, ...kinds, ...whereConditions(where)], sql` and `);
}

/** The touchpoint `t` lies in the journey window of the conversion `c`. */
export const inJourney = sql`
  t.person_id = c.person_id
  and t.occurred_at >= c.opens_at
  and t.occurred_at <= c.occurred_at
  and t.occurred_at > c.used_up_to
  and t.id is distinct from c.touchpoint_id`;
