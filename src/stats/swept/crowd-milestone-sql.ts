import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { entityColumns } from '../entity-sql.ts';
import type { Milestones } from '../milestone-sql.ts';
import { isUnretracted } from '../net-conversion-sql.ts';
import type { SweptQuestion } from './swept-entities-sql.ts';

/**
 * The conversions of crowded entities with the times of their milestones. The domain's `milestoneTime` is the
 * definition, and `milestoneTimes` the same for a few conversions. Here the conversions of the milestones' goals and the
 * beginnings of the windows are one list; the next one after a beginning is a running minimum from the end.
 *
 * Needs: the steps `converted` and `crowded`. Gives: the step `crowd_dated`, with the columns of `converted`
 * that swept journeys need, `lead_at` and `opportunity_at`.
 */
export function crowdMilestones(question: SweptQuestion, { lead, opportunity }: Milestones): SQL {
  const { workspace_id, scope } = question;
  // The rows are compared as in `entity-sql.ts`: only the index of the entity and the goal has these columns.
  const reached = entityColumns(scope).flatMap(({ name, applies }) =>
    [lead, opportunity].map(
      (goal) => sql`
          select c.entity, m.occurred_at as at, 0 as side, m.goal as milestone, null::bigint as number, null as id,
            null::uuid as person_id, null as account_id, null as goal, null::timestamptz as occurred_at,
            null as touchpoint_id, null as interval, null::boolean as retracted, null::timestamptz as opens_at,
            null::timestamptz as used_up_to, null::numeric as gross, null::numeric as net
          from crowded c
          join conversions m on m.workspace_id = ${tenant(workspace_id)} and ${applies} and m.${name} = c.${name}
            and (m.${name}, m.goal, m.occurred_at) >= (c.${name}, ${goal}::text, c.from_at)
            and (m.${name}, m.goal, m.occurred_at) <= (c.${name}, ${goal}::text, c.to_at)
          where ${isUnretracted(workspace_id, sql`m.id`)}`,
    ),
  );
  const next = (goal: string) => sql`min(at) filter (where milestone = ${goal}) over backwards`;
  return sql`crowd_dated as materialized (
      select number, entity, id, person_id, account_id, goal, occurred_at, touchpoint_id, interval,
        retracted, opens_at, used_up_to, gross, net, true as is_crowded,
        case when next_lead <= occurred_at then next_lead end as lead_at,
        case when next_opportunity <= occurred_at then next_opportunity end as opportunity_at
      from (
        select *, ${next(lead)} as next_lead, ${next(opportunity)} as next_opportunity
        from (${sql.join(reached, sql` union all `)}
          union all
          select entity, greatest(opens_at, used_up_to), case when used_up_to >= opens_at then 1 else -1 end, null, number, id,
            person_id, account_id, goal, occurred_at, touchpoint_id, interval, retracted, opens_at, used_up_to, gross, net
          from converted c
          where c.is_crowded
        ) listed
        window backwards as (partition by entity order by at desc, side desc)
      ) listed
      where id is not null
    )`;
}
