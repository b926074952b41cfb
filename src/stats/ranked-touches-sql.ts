import { type SQL, sql } from 'drizzle-orm';
import { MAX_HALVINGS } from '../domain/attribution.ts';
import { MAX_LOOKBACK_DAYS } from './conversions-in-range-sql.ts';
import { type CreditQuestion, groupColumns } from './credit-question.ts';
import { touchesOfJourneys } from './journey-sql.ts';
import { milestonePositions } from './milestone-sql.ts';
import { decayTerm } from './model-sql.ts';
import { DIMENSION_COLUMNS } from './where-sql.ts';

/**
 * Every touch of every listed journey with its place, oldest first; the id breaks ties, bytewise. All windows are in
 * one order, so that the touches are sorted once.
 *
 * A journey has one to three `places`: the first touch, all touches between, which weigh the same, and the last touch.
 * `part` is the touch's part of the weight of its place.
 *
 * `is_shared`: other journeys may hold the touchpoint. To count distinct touchpoints, only the ids of these are hashed.
 *
 * Needs: `source`, a step with the columns of `converted`, and `lead_at, opportunity_at` for milestones; `weights`, the
 * weights of touches, each with its name and a comma before it. Gives: the steps `touched` and `ranked (number, interval,
 * <dimensions>, net, touchpoint_id, is_shared, place, places, part, <weights>)`; `entity, occurred_at` if all journeys are listed;
 * `gross, retracted` if retracted conversions have journeys; and `last_non_direct` for that model: the place of the last touch that is not direct, on that touch, 0 on
 * the others, and null in journeys without one.
 */
export function rankedTouches(question: CreditQuestion, source: SQL, weights: SQL): SQL {
  const { models, milestones, with_retracted, all_listed } = question;
  const hasNonDirect = models.includes('last_non_direct');
  const kept = sql`number, interval, ${groupColumns(question)}, net, touchpoint_id, is_shared${all_listed ? sql`, entity, occurred_at` : sql``}${with_retracted ? sql`, gross, retracted` : sql``}`;
  const place = sql`case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end`;
  const part = sql`case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end`;
  const lastNonDirect = sql`, case
          when non_direct = 0 then null
          when not is_direct and non_direct_so_far = non_direct then ${place}
          else 0
        end as last_non_direct`;
  const sums = [
    ...(models.includes('time_decay') ? [sql`, decay, sum(decay) over journey as decays`] : []),
    ...(hasNonDirect ? [nonDirects] : []),
    ...(milestones ? [sql`, ${milestonePositions}`] : []),
  ];
  return sql`touched as (${touchesOfJourneys(question, source, touchColumns(question))}
    ), ranked as materialized (
      select ${kept}, ${place} as place, least(touches, 3) as places, ${part} as part${hasNonDirect ? lastNonDirect : sql``}${weights}
      from (
        select ${kept}, row_number() over journey as position, count(*) over journey as touches${sql.join(sums)}
        from ${decayingTouches(question)} touched
        window journey as (
            partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
          ),
          earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
      ) positioned
    )`;
}

const nonDirects = sql`, is_direct, count(*) filter (where not is_direct) over earlier as non_direct_so_far,
          count(*) filter (where not is_direct) over journey as non_direct`;

/**
 * The columns of a touch.
 *
 * Needs: `c`, a conversion, and `t`, a touchpoint of its journey. Gives: columns of a select.
 */
function touchColumns(question: CreditQuestion): SQL {
  const { group_by, models, milestones, settings, with_retracted, all_listed } = question;
  const dimensions = group_by.map((name) => sql`${DIMENSION_COLUMNS[name]} as ${sql.identifier(name)}`);
  const isShared = sql`t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at`;
  return sql.join(
    [
      sql`c.number, c.interval, c.net::float8 as net, coalesce(${isShared}, false) as is_shared`,
      ...dimensions,
      ...(all_listed ? [sql`c.entity`] : []),
      ...(with_retracted ? [sql`c.gross::float8 as gross, c.retracted`] : []),
      ...(models.includes('last_non_direct') ? [sql`t.channel = 'direct' as is_direct`] : []),
      ...(milestones ? [sql`c.lead_at, c.opportunity_at`] : []),
      ...(decaysFromConversion(question)
        ? [sql`${decayTerm(settings, sql`c.occurred_at - t.occurred_at`)} as decay`]
        : []),
    ],
    sql`, `,
  );
}

/**
 * May the ages of `time_decay` be taken from the conversion, and not from the newest touch? The weights are the same
 * unless terms become too small, and it saves a window.
 */
function decaysFromConversion({ models, settings, lookback_days }: CreditQuestion): boolean {
  const longest = (lookback_days ?? MAX_LOOKBACK_DAYS) / settings.half_life_days;
  return models.includes('time_decay') && longest < MAX_HALVINGS;
}

/** Needs: the step `touched`. Gives: a table expression with its columns, and `decay` for `time_decay`. */
function decayingTouches(question: CreditQuestion): SQL {
  const { models, settings } = question;
  if (!models.includes('time_decay') || decaysFromConversion(question)) return sql`touched`;
  return sql`(
          select *, ${decayTerm(settings, sql`newest_at - occurred_at`)} as decay
          from (select *, max(occurred_at) over (partition by number) as newest_at from touched) touched
        )`;
}
