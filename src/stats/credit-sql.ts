import { type SQL, sql } from 'drizzle-orm';
import type { Model } from '../domain/attribution.ts';
import type { Interval } from '../domain/time.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import { conversionsInRange, groupOf, type JourneyQuestion, touchesOfJourneys } from './journey-sql.ts';
import { type Milestones, milestonePositions, milestoneTimes } from './milestone-sql.ts';
import { decayTerm, type ModelParameters, weightSql } from './model-sql.ts';

/** What gets credit, by which models, and how it is split. */
export interface CreditQuestion extends JourneyQuestion {
  models: readonly Model[];
  settings: ModelParameters;
  /** The goals of the models that need them, else null. */
  milestones: Milestones | null;
  group_by: readonly Dimension[];
  interval: Interval | null;
  timezone: string;
}

/** The column of a model's weight, by its place in the question. */
export const weight = (i: number) => sql.identifier(`weight_${i}`);

/** The same for each model of the question, with commas between. */
export function eachModel({ models }: Pick<CreditQuestion, 'models'>, make: (i: number) => SQL): SQL {
  return sql.join(
    models.map((_, i) => make(i)),
    sql`, `,
  );
}

/** The local start date of the interval of an instant, as text; null where nothing is split. */
export function intervalOf(
  { interval, timezone }: Pick<CreditQuestion, 'interval' | 'timezone'>,
  at: SQL,
): SQL {
  if (interval === null) return sql`null::text`;
  return sql`to_char(date_trunc(${interval}, ${at} at time zone ${timezone}), 'YYYY-MM-DD')`;
}

/**
 * The steps that credit is computed in: those of `conversionsInRange`; `ranked`, every touch of every journey in its
 * place; and `by_journey (conversion_id, interval, dimensions, gross, net, retracted, is_last, weight_0 …)`, the weight
 * of each group in each journey under each model.
 *
 * Window functions give each touch its place and its weight under all models in one pass. The domain's `weightsOf` is
 * the definition.
 */
export function creditByJourney(question: CreditQuestion): SQL {
  const { models, settings } = question;
  const weights = models.map((model, i) => sql`${weightSql(model, settings)} as ${weight(i)}`);
  const of = sql`conversion_id, interval, dimensions, gross, net, retracted`;
  return sql`${conversionsInRange(question)},
    ${rankedTouches(question)},
    weighted as (
      select ${of}, position = touches as is_last, ${sql.join(weights, sql`, `)}
      from (select *, ${models.includes('time_decay') ? decayTerm(settings) : sql`null`} as decay from ranked) ranked
    ), by_journey as materialized (
      select ${of}, bool_or(is_last) as is_last,
        ${eachModel(question, (i) => sql`sum(${weight(i)})::float8 as ${weight(i)}`)}
      from weighted
      group by ${of}
    )`;
}

/** Every touch of every journey in its place, oldest first; the id breaks ties, bytewise. */
function rankedTouches(question: CreditQuestion): SQL {
  const { workspace_id, scope, milestones } = question;
  const dated = milestones
    ? sql`dated as materialized (
      select c.*, ${milestoneTimes(workspace_id, scope, milestones)}
      from converted c
    ), `
    : sql``;
  const columns = sql`${intervalOf(question, sql`c.occurred_at`)} as interval, c.gross, c.net, c.retracted,
        t.channel = 'direct' as is_direct,
        ${groupOf(question.group_by)} as dimensions${milestones ? sql`, c.lead_at, c.opportunity_at` : sql``}`;
  const source = milestones ? sql`dated` : sql`converted`;
  return sql`
    ${dated}touched as (${touchesOfJourneys(question, source, columns)}
    ), positioned as (
      select *, row_number() over journey as position
      from touched
      window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
    ), ranked as materialized (
      select *, count(*) over journey as touches, max(occurred_at) over journey as newest_at,
        max(position) filter (where not is_direct) over journey as last_non_direct${milestones ? sql`, ${milestonePositions}` : sql``}
      from positioned
      window journey as (partition by conversion_id)
    )`;
}
