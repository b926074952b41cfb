import { type SQL, sql } from 'drizzle-orm';
import type { MilestoneShares } from '../domain/attribution.ts';
import type { Milestone } from '../domain/milestones.ts';
import type { ReportScope } from '../domain/settings.ts';
import { conversionsOfEntity } from './entity-sql.ts';
import { isUnretracted } from './net-conversion-sql.ts';

/** The goal of each milestone. */
export type Milestones = Readonly<Record<Milestone, string>>;

/**
 * When each milestone of a journey was reached. The domain's `milestoneTime` is the definition.
 *
 * Each time is a subquery of its own that uses index probes, without a join and without a look-up of the
 * smallest time. Only one index fits the conversions of the entity (see `conversionsOfEntity`). Where another
 * one fitted, a planner without statistics rated the index of all conversions of the goal as good (measured:
 * 10,000 journeys took 60 s and more).
 *
 * Needs: `c (person_id, account_id, occurred_at, opens_at, used_up_to)`, plain columns. Gives: the columns
 * `lead_at, opportunity_at`, null if not reached.
 */
export function milestoneTimes(
  workspaceId: string,
  scope: ReportScope,
  { lead, opportunity }: Milestones,
): SQL {
  const first = (goal: string) => firstOf(workspaceId, scope, goal);
  return sql`(${first(lead)}) as lead_at, (${first(opportunity)}) as opportunity_at`;
}

/**
 * The time of the first unretracted conversion of a goal inside the journey's window.
 *
 * Needs: `c`, as in `milestoneTimes`. Gives: a scalar subquery, without parentheses; null without one.
 */
function firstOf(workspaceId: string, scope: ReportScope, goal: string): SQL {
  return sql`
    select min(m.occurred_at)
    from ${conversionsOfEntity(workspaceId, scope, sql`${goal}::text`)} m
    where m.occurred_at >= c.opens_at
      and m.occurred_at > c.used_up_to
      and ${isUnretracted(workspaceId, sql`m.id`)}`;
}

/**
 * The positions of the milestones' touches: the number of touches up to the milestone, because it is the last of them.
 *
 * Needs: the window `journey`, and `occurred_at, lead_at, opportunity_at`. Gives: the columns `lead_position,
 * opportunity_position`, null without a touch.
 */
export const milestonePositions = sql`nullif(count(*) filter (where occurred_at <= lead_at) over journey, 0) as lead_position,
          nullif(count(*) filter (where occurred_at <= opportunity_at) over journey, 0) as opportunity_position`;

/**
 * The domain's `byMilestones`, computed from the columns of a ranked journey. The other touches are counted
 * instead of listed: all touches strictly between the first one and `span`, the last one with a share of its
 * own, minus the milestones' touches there.
 *
 * Needs: `position, touches, lead_position, opportunity_position`. Gives: a float8 expression.
 */
export function byMilestones({ first, milestone, last, others }: MilestoneShares): SQL {
  const span = last > 0 ? sql`touches` : sql`greatest(lead_position, opportunity_position, 1)`;
  const inside = (position: SQL) => sql`(${position} > 1 and ${position} < ${span}) is true`;
  const count = sql`(
    greatest(${span} - 2, 0) - (${inside(sql`lead_position`)})::int
    - (${inside(sql`opportunity_position`)} and opportunity_position is distinct from lead_position)::int
  )`;
  const own = sql`(
    case when position = 1 then ${first}::float8 else 0 end
    + case when position = lead_position then ${milestone}::float8 else 0 end
    + case when position = opportunity_position then ${milestone}::float8 else 0 end
    + case when position = touches then ${last}::float8 else 0 end
  )`;
  const total = sql`(
    ${first + last}::float8 + ${milestone}::float8 * num_nonnulls(lead_position, opportunity_position)
    + case when ${count} > 0 then ${others}::float8 else 0 end
  )`;
  return sql`case
    when ${own} > 0 then ${own}
    when position < ${span} then ${others}::float8 / ${count}
    else 0
  end / ${total}`;
}
