import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { RESPONSE_BUCKETS } from '../domain/conversations.ts';
import { DAY_MS, type Interval } from '../domain/time.ts';
import type { Dimension, Where } from '../domain/touchpoint-fields.ts';
import type { MoneyQuestion } from '../stats/fx-sql.ts';
import { conversionsInRange, groupOf, knownGoals } from '../stats/journey-sql.ts';
import { whereConditions } from '../stats/where-sql.ts';
import { type BusinessCalendar, businessCalendar, businessSecondsBetween } from './business-hours-sql.ts';

export interface ConversationReportQuestion extends MoneyQuestion {
  /** None: no comparison with conversion. */
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

/** Median, then p90; both null of nothing. */
export type Percentiles = [number, number] | null;

export interface FiguresRow {
  interval: string | null;
  /** Null of all together, and of the groups beyond the limit. */
  dimensions: (string | null)[] | null;
  /** Null of all together. */
  other: boolean | null;
  conversations: number;
  responded: number;
  seconds: Percentiles;
  business_seconds: Percentiles;
  inbound: number;
  outbound: number;
}

/** `value` as exact decimal in text. `bucket` is the place in `RESPONSE_BUCKETS`; null of who is left out. */
export interface OutcomeRow {
  bucket: number | null;
  left_out: 'converted_within_24h' | 'short_follow_up' | null;
  people: number;
  converted: number;
  value: string;
  lacks_rate: number;
}

export interface ConversationReportAnswer {
  /** Of all goals named, those that exist. */
  goals: string[] | null;
  figures: FiguresRow[];
  outcomes: OutcomeRow[];
}

const DAY_SECONDS = DAY_MS / 1000;

/**
 * The report in one statement; `src/domain/conversations.ts` and `business-hours.ts` are the definition.
 *
 * Strategy: (1) the conversations opened in the range, each with its opening touchpoint by one look-up; (2) one sum over
 * them by interval and group and in all; groups beyond the limit are found by a hash look-up and summed as one, from
 * the conversations themselves, since medians do not add up; (3) for the response buckets the first conversation of
 * each person and the conversions until the last horizon, in one list that is looked at person by person: a join would
 * need to know their sizes.
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

const percentiles = (measure: SQL) =>
  sql`percentile_cont(array[0.5, 0.9]) within group (order by ${measure})`;

/**
 * Conversations opened in the range, with the person and the group of the touchpoint that opened them: one look-up for
 * each. They are looked up in the order of time, because touchpoints lie in that order, and most ids are in it too: over
 * a million touchpoints that takes half as long as in any order. To read all touchpoints of the range at once would be
 * quicker still where most are in conversations, and many times slower where few are.
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

/** The steps that end in `counted`: people by response bucket, and those who are left out. */
function outcomes(question: ConversationReportQuestion): SQL {
  const { to, horizon_days, now } = question;
  const bounds = RESPONSE_BUCKETS.map((one) => one.below_seconds ?? Number.NaN).filter(Number.isFinite);
  const never = RESPONSE_BUCKETS.length - 1;
  // The horizon of the last instant of the range is inside; instants have milliseconds.
  const until = new Date(new Date(to).getTime() + horizon_days * DAY_MS + 1).toISOString();
  const landmark = sql`began + make_interval(secs => ${DAY_SECONDS}::float8)`;
  const horizon = sql`began + make_interval(secs => ${horizon_days * DAY_SECONDS}::float8)`;
  const followed = sql`occurred_at >= ${landmark} and occurred_at <= ${horizon}`;
  // Conversions have neither a journey nor filters here.
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
