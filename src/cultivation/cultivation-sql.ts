import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { GoalKind } from '../domain/settings.ts';
import { HALF } from '../domain/survival.ts';
import { type CountedQuestion, countedConversions } from '../stats/counted-conversion-sql.ts';
import { isUnretractedOfMany } from '../stats/net-conversion-sql.ts';

export const CULTIVATION_GROUPS = ['channel', 'cultivation_goal'] as const;
export type CultivationGroup = (typeof CULTIVATION_GROUPS)[number];

/** All channels beyond this number are one group. */
export const MAX_CHANNELS = 50;
const DAY_SECONDS = 86_400;

/** The effective query of the cultivation report. */
export interface CultivationQuestion extends CountedQuestion {
  /** Null: all goals of that kind. */
  cultivation_goals: readonly string[] | null;
  to: string;
  landmark_days: number;
  horizon_days: number;
  group_by: CultivationGroup | null;
}

/** Sums of one arm of one group. `value` is exact decimal text. */
export interface ArmRow {
  /** 0: everyone. Then channels by people, or goals as in `cultivation_goals` (cultivated arm only). */
  place: number;
  is_cultivated: boolean;
  people: number;
  converted: number;
  value: string;
  median_seconds: number | null;
}

export interface CultivationAnswer {
  /** The goals of the query, and all of the kind `cultivation`. */
  goals: { key: string; kind: GoalKind }[] | null;
  arms: ArmRow[] | null;
  left_out: {
    converted_before_landmark: number;
    short_follow_up: number;
    lacks_rate: number;
  };
  pool: { people: number; goals: Record<string, number> | null };
  /** The channels with a row, if the query groups by channel; the last one may be all others. */
  channels: { place: number; channel: string | null; pool_people: number }[] | null;
}

/**
 * The cultivation report in one statement. A property test compares it with its definition, `landmarkOf`.
 *
 * Strategy: (1) Select people whose first touchpoint is in the range: those seen in it, minus those for whom
 * one index probe finds an earlier one. (2) Select the counted conversions, and when each cultivation goal
 * was first reached. (3) Put all three in one list, find each landmark by a window over the person, and sum
 * one row per person. (4) Repeat each row for everyone and for its groups. (5) Compute sums and Kaplan–Meier
 * curves by group and arm. Steps never join each other, except for the last one, which has few rows.
 */
export function cultivationStatement(question: CultivationQuestion): SQL {
  const { workspace_id, goals, cultivation_goals } = question;
  const named = sql.param([...goals, ...(cultivation_goals ?? [])]);
  return sql`
    with ${enteredPeople(question)},
    ${countedConversions(question)},
    ${reachedGoals(question)},
    ${peopleSteps(question)},
    ${memberSteps(question)},
    ${armSteps}
    select
      (
        select json_agg(json_build_object('key', g.key, 'kind', g.kind) order by g.key)
        from goals g
        where g.workspace_id = ${tenant(workspace_id)} and (g.key = any(${named}::text[]) or g.kind = 'cultivation')
      ) as goals,
      (
        select json_agg(json_build_object(
          'place', place, 'is_cultivated', is_cultivated, 'people', people, 'converted', converted, 'value', value::text,
          'median_seconds', median_seconds
        ) order by place, is_cultivated)
        from arms
      ) as arms,
      (
        select json_build_object(
          'converted_before_landmark', count(*) filter (where left_out = 'converted_before_landmark'),
          'short_follow_up', count(*) filter (where left_out = 'short_follow_up'),
          'lacks_rate', coalesce(sum(lacks_rate) filter (where left_out is null), 0)
        )
        from members
        where place = 0
      ) as left_out,
      (
        select json_build_object('people', count(*) filter (where is_pooled), 'goals', (
          select json_object_agg(goal, people)
          from (
            select goal, count(*) as people
            from placed, unnest(reached) goal
            where is_pooled
            group by goal
          ) by_goal
        ))
        from placed
      ) as pool,
      ${question.group_by === 'channel' ? channelRows : sql`null`} as channels`;
}

/**
 * People whose first touchpoint is in the range. Bounds compare rows, so only the index of the person has
 * both columns. Needs: no step. Gives: the step `entered (person_id, first_at)`.
 */
function enteredPeople({ workspace_id, from, to, now }: CultivationQuestion): SQL {
  return sql`
    entered as materialized (
      select person_id, first_at
      from (
        select t.person_id, min(t.occurred_at) as first_at
        from touchpoints t
        where t.workspace_id = ${tenant(workspace_id)} and t.occurred_at >= ${from}::timestamptz
          and t.occurred_at < ${to}::timestamptz and t.occurred_at <= ${now}::timestamptz and t.voided_at is null
        group by t.person_id
      ) seen
      where not exists (
        select
        from touchpoints t
        where t.workspace_id = ${tenant(workspace_id)} and t.person_id = seen.person_id
          and (t.person_id, t.occurred_at) < (seen.person_id, ${from}::timestamptz) and t.voided_at is null
        offset 0
      )
    )`;
}

/** The keys of the requested cultivation goals, in order. Needs: no alias. Gives: a text array expression. */
function askedGoals({ workspace_id, cultivation_goals }: CultivationQuestion): SQL {
  const isAsked =
    cultivation_goals === null
      ? sql`g.kind = 'cultivation'`
      : sql`g.key = any(${sql.param(cultivation_goals)}::text[])`;
  return sql`array(select g.key from goals g where g.workspace_id = ${tenant(workspace_id)} and ${isAsked} order by g.key)`;
}

/** First conversions by goal. Needs: the steps of `countedConversions`. Gives: the step `reached (person_id, goal, occurred_at)`. */
function reachedGoals(question: CultivationQuestion): SQL {
  const { workspace_id, now } = question;
  return sql`
    reached as materialized (
      select c.person_id, c.goal, min(c.occurred_at) as occurred_at
      from conversions c
      where c.workspace_id = ${tenant(workspace_id)} and c.goal = any(${askedGoals(question)})
        and c.occurred_at <= ${now}::timestamptz and ${isUnretractedOfMany(workspace_id)}
      group by c.person_id, c.goal
    )`;
}

/**
 * People who entered or reached a goal, with events by the landmark (null unless entered), horizon, now.
 * Needs: `entered`, `reached`, `counted`. Gives: the step `people`, and `placed`, the same with `is_pooled`.
 */
function peopleSteps(question: CultivationQuestion): SQL {
  const { landmark_days, horizon_days, group_by } = question;
  const days = (count: number) => sql`make_interval(secs => ${count * DAY_SECONDS}::float8)`;
  return sql`
    people as materialized (
      select person_id, landmark, landmark + ${days(horizon_days)} as horizon,
        min(occurred_at) filter (where goal is null) as converted_at,
        sum(net) filter (where occurred_at <= landmark + ${days(horizon_days)}) as value,
        count(*) filter (where lacks_rate and occurred_at <= landmark + ${days(horizon_days)}) as lacks_rate,
        coalesce(array_agg(goal) filter (where goal is not null and occurred_at <= landmark), '{}') as cultivated_by,
        coalesce(array_agg(goal) filter (where goal is not null), '{}') as reached
      from (
        select *, max(first_at) over (partition by person_id) + ${days(landmark_days)} as landmark
        from (
          select person_id, first_at, null::text as goal, null::timestamptz as occurred_at, null::numeric as net,
            false as lacks_rate
          from entered
          union all
          select person_id, null, goal, occurred_at, null, false
          from reached
          union all
          select person_id, null, null, occurred_at, net, lacks_rate
          from counted
        ) listed
      ) dated
      group by person_id, landmark
      having landmark is not null or count(goal) > 0
    ), placed as ${group_by === 'channel' ? sql`materialized` : sql`not materialized`} (
      select *, converted_at is null and reached <> '{}' as is_pooled
      from ${group_by === 'channel' ? peopleByChannel(question) : sql`people`}
    )`;
}

/**
 * The channel and its place by the number of people who entered; all beyond the limit share the last place.
 * Needs: the step `people`. Gives: a subquery for `from`, the columns of `people` with `channel, place`.
 */
function peopleByChannel({ workspace_id, now }: CultivationQuestion): SQL {
  return sql`(
        select *, least(
          dense_rank() over (order by entered desc, channel collate "C"), ${MAX_CHANNELS + 1}::int
        )::int as place
        from (
          select *, count(landmark) over (partition by channel) as entered
          from (
            select *, (
              select t.channel
              from touchpoints t
              where t.workspace_id = ${tenant(workspace_id)} and t.person_id = people.person_id
                and (t.person_id, t.occurred_at) <= (people.person_id, ${now}::timestamptz) and t.voided_at is null
              order by t.occurred_at, t.id
              limit 1
            ) as channel
            from people
          ) found
        ) counted_channels
      ) ranked`;
}

/** Everyone who entered, by group. Needs: `placed`. Gives: `followed`, and `members (place, …, seconds)`. */
function memberSteps(question: CultivationQuestion): SQL {
  const { now, group_by } = question;
  const member = (place: SQL, isCultivated: SQL, source: SQL) => sql`
      select ${place} as place, ${isCultivated} as is_cultivated, left_out, has_converted, value, lacks_rate, seconds
      from ${source}`;
  const groups = {
    channel: [member(sql`place`, sql`cultivated_by <> '{}'`, sql`followed`)],
    cultivation_goal: [
      member(
        sql`array_position(${askedGoals(question)}, goal)`,
        sql`true`,
        sql`followed, unnest(cultivated_by) goal`,
      ),
    ],
    all: [],
  }[group_by ?? 'all'];
  return sql`
    followed as (
      select *, case
          when left_out is distinct from 'converted_before_landmark' and landmark <= ${now}::timestamptz
            then extract(epoch from least(converted_at, horizon, ${now}::timestamptz) - landmark)::float8
        end as seconds
      from (
        select *, coalesce(converted_at <= horizon, false) as has_converted, case
            when converted_at <= landmark then 'converted_before_landmark'
            when horizon > ${now}::timestamptz then 'short_follow_up'
          end as left_out
        from placed
        where landmark is not null
      ) entered_people
    ), members as materialized (
      ${sql.join([member(sql`0`, sql`cultivated_by <> '{}'`, sql`followed`), ...groups], sql` union all `)}
    )`;
}

/**
 * The sums of each arm, and its median. The curve is the product, over all times of events, of the share of
 * those at risk (with that time or a later one) who did not convert, computed by logarithms. A share of 0 has
 * none, and makes the curve almost 0. Needs: the step `members`. Gives: the step `arms`, as `ArmRow`.
 */
const armSteps = sql`
    moments as (
      select place, is_cultivated, seconds, count(*) as watched, count(*) filter (where has_converted) as events
      from members
      where seconds is not null
      group by place, is_cultivated, seconds
    ), curve as (
      select place, is_cultivated, seconds, exp(sum(
        ln(case when events = at_risk then 1e-300 else 1 - events / at_risk end)
      ) over (partition by place, is_cultivated order by seconds)) as share
      from (
        select *, sum(watched) over (partition by place, is_cultivated order by seconds desc)::float8 as at_risk
        from moments
      ) exposed
      where events > 0
    ), medians as (
      select place, is_cultivated, min(seconds) as median_seconds
      from curve
      where share <= ${HALF}::float8
      group by place, is_cultivated
    ), arms as (
      select *
      from (
        select place, is_cultivated, count(*) filter (where left_out is null) as people,
          count(*) filter (where left_out is null and has_converted) as converted,
          coalesce(sum(value) filter (where left_out is null), 0) as value
        from members
        group by place, is_cultivated
      ) sums
      left join medians using (place, is_cultivated)
    )`;

/** Needs: the step `placed`. Gives: a scalar subquery: the JSON list `channels` of `CultivationAnswer`. */
const channelRows = sql`(
        select json_agg(json_build_object('place', place, 'channel', channel, 'pool_people', pool_people) order by place)
        from (
          select place, min(channel) as channel, count(*) filter (where is_pooled) as pool_people
          from placed
          group by place
        ) by_place
      )`;
