import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { RESPONSE_BUCKETS } from '../domain/conversations.ts';
import { DAY_MS, type Interval } from '../domain/time.ts';
import type { Dimension, Where } from '../domain/touchpoint-fields.ts';
import { conversionsInRange } from '../stats/conversions-in-range-sql.ts';
import type { MoneyQuestion } from '../stats/fx-sql.ts';
import { groupOf, knownGoals } from '../stats/journey-sql.ts';
import { whereConditions } from '../stats/where-sql.ts';
import { type BusinessCalendar, businessCalendar, businessSecondsBetween } from './business-hours-sql.ts';

export interface ConversationReportQuestion extends MoneyQuestion {
  /** Empty: no response buckets. */
  goals: readonly string[];
  from: string;
  to: string;
  timezone: string;
  interval: Interval | null;
  group_by: readonly Dimension[];
  where: Where;
  horizon_days: number;
  limit: number;
  business_hours: BusinessCalendar | null;
  now: string;
}

/** Median, then p90; null if there are no values. */
export type Percentiles = [number, number] | null;

export interface FiguresRow {
  interval: string | null;
  /** Null in the row of totals, and in the rows of the groups beyond the limit. */
  dimensions: (string | null)[] | null;
  /** Null in the row of totals. */
  other: boolean | null;
  conversations: number;
  responded: number;
  seconds: Percentiles;
  business_seconds: Percentiles;
  inbound: number;
  outbound: number;
}

/**
 * `value` is an exact decimal as text. `bucket` is the index in `RESPONSE_BUCKETS`; null for people who are left out.
 */
export interface OutcomeRow {
  bucket: number | null;
  left_out: 'converted_within_24h' | 'short_follow_up' | null;
  people: number;
  converted: number;
  value: string;
  lacks_rate: number;
}

export interface ConversationReportAnswer {
  /** The requested goals that exist. */
  goals: string[] | null;
  figures: FiguresRow[];
  outcomes: OutcomeRow[];
}

const DAY_SECONDS = DAY_MS / 1000;

/**
 * The report in one statement; `src/domain/conversations.ts` and `business-hours.ts` are the definition.
 *
 * 1. Select the conversations opened in the range, each with its opening touchpoint by one look-up.
 * 2. Sum them in one pass, by interval and group and in total. Groups beyond the limit are found by a hash look-up and
 *    summed as one, from the conversations themselves, because medians do not add up.
 * 3. For the response buckets, put the first conversation of each person and the conversions until the last horizon in
 *    one list, and evaluate it person by person. A join would need to know the sizes of both.
 */
export function conversationStatement(question: ConversationReportQuestion): SQL {
  const { workspace_id, goals, limit, business_hours } = question;
  const business = business_hours
    ? businessSecondsBetween(business_hours, sql`opened_at`, sql`first_response_at`)
    : sql`null::float8`;
  return sql`
    with ${opened(question)},
    ${business_hours ? sql`${businessCalendar(business_hours, sql`opened`)},` : sql``}
    ${goals.length > 0 ? sql`${outcomes(question)},` : sql``}
    folded as (
      select dimensions
      from (
        select dimensions, row_number() over (order by count(*) desc, dimensions) as place
        from opened
        group by dimensions
      ) counted
      where place > ${limit}
    ), figures as (
      select interval, case when not other then dimensions end as dimensions, other, count(*)::int as conversations,
        count(seconds)::int as responded, ${percentiles(sql`seconds`)} as seconds,
        ${percentiles(sql`business_seconds`)} as business_seconds,
        coalesce(sum(inbound), 0)::int as inbound, coalesce(sum(outbound), 0)::int as outbound
      from (
        select opened.*, ${business} as business_seconds, dimensions in (select dimensions from folded) as other
        from opened
        offset 0
      ) opened
      group by grouping sets ((interval, case when not other then dimensions end, other), ())
    )
    select (${knownGoals(workspace_id, goals)}) as goals,
      (select json_agg(figures order by interval, other, conversations desc, dimensions) from figures) as figures,
      ${goals.length > 0 ? sql`(select coalesce(json_agg(counted order by bucket), '[]') from counted)` : sql`'[]'::json`} as outcomes`;
}

/** Needs: a grouped select with the column `measure`. Gives: median and p90 as an array, null without values. */
const percentiles = (measure: SQL) =>
  sql`percentile_cont(array[0.5, 0.9]) within group (order by ${measure})`;

/**
 * The conversations opened in the range, with the person and the group of the touchpoint that opened them, by one
 * look-up for each. Look-ups are in time order, because touchpoints are stored in that order, and most ids have that
 * order too: over a million touchpoints this takes half as long as in random order. Reading all touchpoints of the range
 * at once would be faster where most are in conversations, and many times slower where few are.
 *
 * Needs: nothing. Gives: the step `opened (person_id, opened_at, opening_id, first_response_at, inbound, outbound,
 * seconds, interval, dimensions)`.
 */
function opened(question: ConversationReportQuestion): SQL {
  const { workspace_id, from, to, timezone, interval, group_by, where } = question;
  const shownInterval = interval
    ? sql`to_char(date_trunc(${interval}, v.opened_at at time zone ${timezone}), 'YYYY-MM-DD')`
    : sql`null::text`;
  return sql`opened as materialized (
      select t.person_id, v.opened_at, v.opening_id, v.first_response_at, v.inbound, v.outbound,
        date_part('epoch', v.first_response_at - v.opened_at) as seconds,
        ${shownInterval} as interval, ${groupOf(group_by)} as dimensions
      from (
        select *
        from conversations v
        where v.workspace_id = ${tenant(workspace_id)}
          and v.opened_at >= ${from}::timestamptz
          and v.opened_at < ${to}::timestamptz
        order by v.opened_at, v.opening_id
      ) v
      cross join lateral (
        select t.* from touchpoints t where t.workspace_id = ${tenant(workspace_id)} and t.id = v.opening_id offset 0
      ) t
      where ${sql.join([sql`true`, ...whereConditions(where)], sql` and `)}
    )`;
}

/**
 * People by response bucket, and those who are left out.
 *
 * Needs: the step of `opened`. Gives: steps that end in `counted (bucket, left_out, people, converted, value,
 * lacks_rate)`.
 */
function outcomes(question: ConversationReportQuestion): SQL {
  const { to, horizon_days, now } = question;
  const bounds = RESPONSE_BUCKETS.map((one) => one.below_seconds ?? Number.NaN).filter(Number.isFinite);
  const never = RESPONSE_BUCKETS.length - 1;
  // The horizon is inclusive and this bound is exclusive, so it is a millisecond later.
  const until = new Date(new Date(to).getTime() + horizon_days * DAY_MS + 1).toISOString();
  const landmark = sql`began + make_interval(secs => ${DAY_SECONDS}::float8)`;
  const horizon = sql`began + make_interval(secs => ${horizon_days * DAY_SECONDS}::float8)`;
  const followed = sql`occurred_at >= ${landmark} and occurred_at <= ${horizon}`;
  // Neither journeys nor filters of conversions matter here.
  const conversions = conversionsInRange({
    ...question,
    to: until,
    lookback_days: 1,
    scope: 'person',
    policy: 'reuse',
    where_conversion: {},
  });
  return sql`${conversions},
    firsts as (
      select distinct on (person_id) person_id, opened_at, seconds
      from opened
      order by person_id, opened_at, opening_id
    ), listed as (
      select *, max(opened_at) over (partition by person_id) as began
      from (
        select person_id, opened_at, seconds, null::timestamptz as occurred_at, null::numeric as net, false as lacks_rate
        from firsts
        union all
        select person_id, null, null, occurred_at, net, lacks_rate
        from converted
        where not retracted
      ) events
    ), followed as (
      select began, max(seconds) as seconds,
        coalesce(bool_or(occurred_at >= began and occurred_at < ${landmark}), false) as is_early,
        count(*) filter (where ${followed}) as conversions, sum(net) filter (where ${followed}) as net,
        count(*) filter (where ${followed} and lacks_rate) as lacks_rate
      from listed
      where began is not null
      group by person_id, began
    ), outcomes as (
      select *, case
          when is_early then 'converted_within_24h'
          when ${horizon} > ${now}::timestamptz then 'short_follow_up'
        end as left_out,
        coalesce(width_bucket(seconds, ${sql.param(bounds)}::float8[]), ${never}::int) as bucket
      from followed
    ), counted as (
      select case when left_out is null then bucket end as bucket, left_out, count(*)::int as people,
        count(*) filter (where conversions > 0)::int as converted, coalesce(sum(net), 0)::text as value,
        coalesce(sum(lacks_rate), 0)::int as lacks_rate
      from outcomes
      group by 1, 2
    )`;
}
