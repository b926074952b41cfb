import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { JourneyPolicy, LeftOutReason } from '../domain/journey.ts';
import type { ReportScope } from '../domain/settings.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { DIMENSIONS, KINDS_WITHOUT_CREDIT, type Kind } from '../domain/touchpoint-fields.ts';
import { conversionConditions } from '../stats/conversions-in-range-sql.ts';
import { entityColumns, isInWindow, isOfEntity } from '../stats/entity-sql.ts';
import { dayOf, exchangeRates, fxRateOf, type MoneyQuestion } from '../stats/fx-sql.ts';
import {
  countsAtAll,
  earlierUnretracted,
  goalSettings,
  type JourneyQuestion,
  knownGoals,
} from '../stats/journey-sql.ts';
import { type Milestones, milestoneTimes } from '../stats/milestone-sql.ts';
import { joinNetAdjustments } from '../stats/net-conversion-sql.ts';
import { DIMENSION_COLUMNS, whereConditions } from '../stats/where-sql.ts';
import { MAX_CONSIDERED } from './attribution-schema.ts';

/** A longer list would explain nothing more; `left_out_counts` is complete. */
const MAX_LEFT_OUT = 1000;

/** The effective query of an explanation. */
export interface ExplanationQuestion extends MoneyQuestion {
  conversion_id: string;
  lookback_days: number | null;
  scope: ReportScope;
  policy: JourneyPolicy;
  where: Where;
  /** The touchpoints that the caller may see; others are treated as absent. */
  visible: Where;
  /** Whether the caller may see who is at the account of the person. */
  shows_colleagues: boolean;
  /** The conversions that the caller may see. */
  where_conversion: JourneyQuestion['where_conversion'];
  /** The milestone goals for models that need them, else null. */
  milestones: Milestones | null;
}

/** A touchpoint of the journey. */
export interface ConsideredRow {
  id: string;
  occurred_at: string;
  kind: Kind;
  channel: string;
  age_seconds: number;
  /** Its place in the journey, from 0. */
  place: number;
  dimensions: Record<string, string | null>;
}

/** All touchpoints of a journey, in its order. */
export interface WholeJourney {
  /** Milliseconds since 1970. */
  occurred_at: number[];
  /** The places of those whose channel is `direct`. */
  direct: number[];
}

/**
 * The one row of the statement; there is none if the conversion does not exist or the caller may not see it.
 */
export interface ExplanationRow {
  id: string;
  goal: string;
  person_id: string;
  account_id: string | null;
  occurred_at: Date;
  value: string | null;
  net_value: string | null;
  currency: string;
  /** The value of one unit of its currency in the requested one; null without an exchange rate. */
  rate: string | null;
  /** It has a value, its own or a restated one, and no exchange rate. */
  lacks_rate: boolean;
  retracted: boolean;
  counted: boolean;
  lookback_seconds: number;
  lead_at: Date | null;
  opportunity_at: Date | null;
  /** The milestone goals that exist. */
  milestone_goals: string[] | null;
  considered: ConsideredRow[];
  journey: WholeJourney;
  left_out: { id: string; reason: LeftOutReason }[];
  left_out_counts: Partial<Record<LeftOutReason, number>>;
}

/**
 * One conversion with every touchpoint of its entity: `considered` in journey order, the others with the
 * first reason that excludes them. The reasons and their order are those of the domain's `leftOutReason`.
 */
export function explanationStatement(question: ExplanationQuestion): SQL {
  const { workspace_id, conversion_id, scope, milestones } = question;
  const day = dayOf(question, sql`c.occurred_at`);
  return sql`
    with goal_settings as materialized (
      ${goalSettings(workspace_id, sql`g.key = (select goal from conversions where workspace_id = ${tenant(workspace_id)} and id = ${conversion_id})`, question.lookback_days)}
    ), ${exchangeRates(question, sql`select c.currency, ${day} as day from conversions c where c.workspace_id = ${tenant(workspace_id)} and c.id = ${conversion_id}`)},
    target as materialized (
      select c.*, g.lookback, ${fxRateOf(question, sql`c.currency`, day)} as rate, coalesce(n.retracted, false) as retracted,
        coalesce(n.restated_value, c.value) as net_value,
        coalesce(n.retracted, false) is false and ${countsAtAll(workspace_id, scope)} as counted,
        c.occurred_at - g.lookback as opens_at, ${usedUpTo(question)} as used_up_to
      from conversions c
      join goal_settings g on g.key = c.goal
      ${joinNetAdjustments(workspace_id)}
      where ${sql.join([sql`c.workspace_id = ${tenant(workspace_id)}`, sql`c.id = ${conversion_id}`, ...conversionConditions(question, sql`c.`)], sql` and `)}
    ), judged as materialized (
      ${judged(question)}
    ), journey as materialized (
      select t.*, row_number() over (order by t.occurred_at, t.id) - 1 as place, count(*) over () as touches
      from judged t
      where t.reason is null
    )
    select c.id, c.goal, c.person_id, c.account_id, c.occurred_at, c.value, c.currency, c.rate,
      c.net_value is not null and c.rate is null as lacks_rate, c.retracted, c.counted,
      case when c.retracted then 0 else c.net_value end as net_value,
      extract(epoch from c.lookback)::float8 as lookback_seconds,
      ${milestones ? milestoneTimes(workspace_id, scope, milestones) : sql`null as lead_at, null as opportunity_at`},
      (${knownGoals(workspace_id, Object.values(milestones ?? {}))}) as milestone_goals,
      (${considered()}) as considered, (${wholeJourney}) as journey,
      (
        select coalesce(json_agg(json_build_object('id', id, 'reason', reason) order by occurred_at desc, id desc), '[]')
        from (select * from judged where reason is not null order by occurred_at desc, id desc limit ${MAX_LEFT_OUT}) shown
      ) as left_out,
      (
        select coalesce(json_object_agg(reason, count), '{}')
        from (select reason, count(*) from judged where reason is not null group by reason) counted
      ) as left_out_counts
    from target c`;
}

/**
 * The touchpoints of the entity, each with the reason that excludes it, or null. With
 * `scope=person` these include touchpoints of other people at the account that no other reason
 * excludes, because `scope=account` would include them. A caller that may not see colleagues gets none of these.
 *
 * Needs: the step `target (…, opens_at, used_up_to)`. Gives: a select of the columns of touchpoints,
 * `converted_at` and `reason`.
 */
function judged({ workspace_id, scope, policy, where, visible, shows_colleagues }: ExplanationQuestion): SQL {
  const isVisible = sql.join([sql`true`, ...whereConditions(visible)], sql` and `);
  const own = entityColumns(scope).map(
    (column) => sql`
      select t.*, c.occurred_at as converted_at, ${reason(where)} as reason
      from target c
      join touchpoints t on t.workspace_id = ${tenant(workspace_id)} and ${isOfEntity(column)}
      where ${isVisible}`,
  );
  if (scope === 'account' || !shows_colleagues) return sql.join(own, sql` union all `);
  const others = sql`
      select t.*, c.occurred_at as converted_at, 'other_person_of_account' as reason
      from target c
      join touchpoints t
        on t.workspace_id = ${tenant(workspace_id)}
        and ${isInWindow({ name: sql`account_id`, applies: sql`t.person_id <> c.person_id` }, policy)}
      where ${reason(where)} is null and ${isVisible}`;
  return sql.join([...own, others], sql` union all `);
}

/**
 * The time of the entity's previous unretracted conversion of the goal, if it uses touchpoints
 * up; else -infinity.
 *
 * Needs: `c`, the conversion. Gives: a timestamptz expression.
 */
function usedUpTo({ workspace_id, scope, policy }: ExplanationQuestion): SQL {
  if (policy === 'reuse') return sql`'-infinity'::timestamptz`;
  return sql`coalesce((select max(earlier.occurred_at) ${earlierUnretracted(workspace_id, scope)}), '-infinity')`;
}

/**
 * The reason that excludes a touchpoint of the entity from the journey.
 *
 * Needs: `t`, a touchpoint, and `c (occurred_at, touchpoint_id, opens_at, used_up_to)`. Gives: a text
 * expression, null for a touchpoint of the journey.
 */
function reason(where: Where): SQL {
  const uncredited = KINDS_WITHOUT_CREDIT.filter((kind) => !where.kind?.includes(kind));
  const fits = sql.join([sql`true`, ...whereConditions(where)], sql` and `);
  return sql`case
    when t.voided_at is not null then 'voided'
    when t.occurred_at > c.occurred_at or t.id = c.touchpoint_id then 'after_conversion'
    when t.occurred_at < c.opens_at then 'outside_lookback'
    when t.occurred_at <= c.used_up_to then 'used_by_previous'
    when t.kind = any(${sql.param(uncredited)}::text[]) then 'kind_without_credit'
    when (${fits}) is not true then 'filtered'
  end`;
}

/**
 * The touchpoints of the journey that are shown, its first and its last ones.
 *
 * Needs: the step `journey`. Gives: a scalar subquery, without parentheses: a JSON list in journey order.
 */
function considered(): SQL {
  const dimensions = sql.join(
    DIMENSIONS.map((name) => sql`${name}::text, ${DIMENSION_COLUMNS[name]}`),
    sql`, `,
  );
  return sql`
    select coalesce(json_agg(json_build_object(
      'place', t.place, 'id', t.id, 'occurred_at', t.occurred_at, 'kind', t.kind, 'channel', t.channel,
      'age_seconds', extract(epoch from t.converted_at - t.occurred_at)::float8,
      'dimensions', json_build_object(${dimensions})
    ) order by t.place), '[]')
    from journey t
    where t.place < ${MAX_CONSIDERED / 2} or t.place >= t.touches - ${MAX_CONSIDERED / 2}`;
}

/**
 * The times and channels of all touchpoints of the journey, on which its weights depend. They are compact, because a
 * journey may have 100,000 touchpoints.
 *
 * Needs: the step `journey`. Gives: a scalar subquery, without parentheses: a `WholeJourney`.
 */
const wholeJourney = sql`
    select json_build_object(
      'occurred_at', coalesce(json_agg((extract(epoch from t.occurred_at) * 1000)::int8 order by t.place), '[]'),
      'direct', coalesce(json_agg(t.place order by t.place) filter (where t.channel = 'direct'), '[]')
    )
    from journey t`;
