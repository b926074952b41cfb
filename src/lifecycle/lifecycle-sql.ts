import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { LifecycleStage } from '../domain/lifecycle.ts';
import { STAGES, type Stage } from '../domain/touchpoint-fields.ts';
import { isUnretracted } from '../stats/net-conversion-sql.ts';

/** The effective query of the lifecycle report. */
export interface LifecycleQuestion {
  workspace_id: string;
  from: string;
  to: string;
}

/** The one row of the statement. */
export interface LifecycleAnswer {
  people: number;
  /** People by their furthest stage, and advocates. Stages without anybody are absent. */
  stages: Partial<Record<Stage, number>>;
  moves: { from: LifecycleStage | null; to: Stage; people: number }[];
}

/** Stages are compared by their position, from 1. Position 0 is an event that gives no stage. */
const NO_STAGE = 0;
/** The position of a stage. Gives: an integer expression. */
const placeOf = (stage: Stage): SQL => sql`${STAGES.indexOf(stage) + 1}::int`;
/** The name of a stage. Needs: `place`, an expression of its position. Gives: a text expression. */
const nameOf = (place: SQL): SQL => sql`(${sql.param([...STAGES])}::text[])[${place}]`;
const ADVOCACY = placeOf('advocacy');

/**
 * The lifecycle report in one statement. The domain's `movesOf` is the definition, and a
 * property test compares the two.
 *
 * Strategy: (1) Select every event of every person before `to`, with the stage that it gives. (2) Take the
 * first event of each person and stage: at most seven rows a person, on which alone the moves depend. (3)
 * Determine the furthest stage before each of these few rows by a window. The statement reads the whole
 * history whatever the range, because each stage is reached once.
 */
export function lifecycleStatement({ workspace_id, from, to }: LifecycleQuestion): SQL {
  return sql`
    with events as (
      ${touchpointEvents(workspace_id, to)}
      union all
      ${conversionEvents(workspace_id, to)}
      union all
      ${referralEvents(workspace_id, to)}
    ), firsts as (
      select distinct on (person_id, place) person_id, place, occurred_at, precedence, id
      from events
      order by person_id, place, occurred_at, precedence, id
    ), placed as materialized (
      select person_id, place, occurred_at, coalesce(max(place) filter (where place < ${ADVOCACY}) over (
        partition by person_id
        order by occurred_at, precedence, id
        rows between unbounded preceding and 1 preceding
      ), ${NO_STAGE}::int) as place_before
      from firsts
    ), people as materialized (
      select max(place) filter (where place < ${ADVOCACY}) as place, bool_or(place = ${ADVOCACY}) as is_advocate
      from placed
      group by person_id
    ), stages as (
      select place, count(*)::int as people
      from people
      where place > ${NO_STAGE}::int
      group by place
      union all
      select ${ADVOCACY}, count(*)::int
      from people
      where is_advocate
    ), moves as (
      select place_before, place, count(*)::int as people
      from placed
      where place > place_before and occurred_at >= ${from}::timestamptz
      group by place_before, place
    )
    select (select count(*)::int from people) as people,
      (select json_object_agg(${nameOf(sql`place`)}, people) from stages) as stages,
      (
        select coalesce(json_agg(json_build_object(
          'from', ${nameOf(sql`nullif(place_before, ${NO_STAGE}::int)`)}, 'to', ${nameOf(sql`place`)}, 'people', people
        ) order by place_before, place), '[]')
        from moves
      ) as moves`;
}

/**
 * The events from touchpoints. At one instant, touchpoints come before conversions.
 *
 * Needs: no step. Gives: a select of `person_id, occurred_at, precedence, id, place`.
 */
function touchpointEvents(workspaceId: string, to: string): SQL {
  return sql`
    select t.person_id, t.occurred_at, 0 as precedence, t.id,
      case
        when t.stage = 'trial' then ${placeOf('trial')}
        when t.stage = 'consideration' then ${placeOf('consideration')}
        when t.direction = 'inbound' then ${placeOf('conversation')}
        else ${NO_STAGE}::int
      end as place
    from touchpoints t
    where t.workspace_id = ${tenant(workspaceId)} and t.voided_at is null and t.occurred_at < ${to}::timestamptz`;
}

/**
 * The events from conversions. Purchases are numbered per person over all goals of that stage. A goal that
 * counts once has only its first conversion numbered; later ones remain as events without a stage.
 *
 * Needs: no step. Gives: a select with the columns of `touchpointEvents`.
 */
function conversionEvents(workspaceId: string, to: string): SQL {
  return sql`
    select person_id, occurred_at, 1, id,
      case
        when stage = 'trial' then ${placeOf('trial')}
        when stage = 'consideration' then ${placeOf('consideration')}
        when is_purchase and row_number() over purchases = 1 then ${placeOf('purchase')}
        when is_purchase then ${placeOf('loyalty')}
        else ${NO_STAGE}::int
      end
    from (
      select *, stage = 'purchase' and (counting = 'every' or row_number() over of_goal = 1) as is_purchase
      from (
        select c.person_id, c.occurred_at, c.id, c.goal, g.stage, g.counting
        from conversions c
        join goals g on g.workspace_id = ${tenant(workspaceId)} and g.key = c.goal
        where c.workspace_id = ${tenant(workspaceId)} and c.occurred_at < ${to}::timestamptz
          and ${isUnretracted(workspaceId)}
      ) unretracted
      window of_goal as (partition by person_id, goal order by occurred_at, id)
    ) counted
    window purchases as (partition by person_id, is_purchase order by occurred_at, id)`;
}

/**
 * The referrals of advocates. A referral whose advocate turned out to be the referred person is none.
 *
 * Needs: no step. Gives: a select with the columns of `touchpointEvents`, with the advocate as `person_id`.
 */
function referralEvents(workspaceId: string, to: string): SQL {
  return sql`
    select advocate.person_id, t.occurred_at, 0, t.id, ${ADVOCACY}
    from touchpoints t
    join identities advocate
      on advocate.workspace_id = ${tenant(workspaceId)} and advocate.id = t.referred_by_identity_id
    where t.workspace_id = ${tenant(workspaceId)} and t.referred_by_identity_id is not null
      and t.voided_at is null and t.occurred_at < ${to}::timestamptz and advocate.person_id <> t.person_id`;
}
