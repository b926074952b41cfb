import { type SQL, sql } from 'drizzle-orm';
import { type CreditQuestion, intervalOf } from './credit-question.ts';
import { conversionsInRange, groupOf, touchesOfJourneys } from './journey-sql.ts';
import { milestonePositions, milestoneTimes } from './milestone-sql.ts';
import { decayTerm, weightSql } from './model-sql.ts';
import { sweptEntities } from './swept-entities-sql.ts';
import { sweptJourneys } from './swept-journeys-sql.ts';

/** The name of the column with a model's weight, by the model's index in the query. */
export const weight = (i: number) => sql.identifier(`weight_${i}`);

/** One fragment per model of the query, by index, joined with commas. */
export function eachModel({ models }: Pick<CreditQuestion, 'models'>, make: (i: number) => SQL): SQL {
  return sql.join(
    models.map((_, i) => make(i)),
    sql`, `,
  );
}

/**
 * The steps that compute credit. Window functions give each touch its position and its weight under all
 * models in one pass. The domain's `weightsOf` is the definition.
 *
 * Needs: no step. Gives: the steps of `conversionsInRange`; `ranked`, every touch of every listed
 * journey with its position; the steps of `sweptJourneys` for the others; and `by_journey (conversion_id, interval, dimensions, gross, net, retracted, is_last, weight_0
 * …)`, the weight of each group in each journey under each model.
 */
export function creditByJourney(question: CreditQuestion): SQL {
  const { models, settings } = question;
  const of = sql`conversion_id, interval, dimensions, gross, net, retracted`;
  const weights = (times: (each: SQL) => SQL) =>
    sql.join(
      models.map((model, i) => {
        const each = weightSql(model, settings);
        // The decay of a row is that of all its touches.
        return sql`${model === 'time_decay' ? each : times(each)} as ${weight(i)}`;
      }),
      sql`, `,
    );
  const sums = eachModel(question, (i) => sql`sum(${weight(i)})::float8 as ${weight(i)}`);
  return sql`${conversionsInRange(question)},
    ${rankedTouches(question)},
    weighted as (
      select ${of}, position = touches as is_last, ${weights((each) => each)}
      from (select *, ${models.includes('time_decay') ? decayTerm(settings) : sql`null`} as decay from ranked) ranked
    ), swept_weighted as (
      select ${of}, times, position = touches as is_last, ${weights((each) => sql`times * (${each})`)}
      from swept_rows
    ), by_journey as materialized (
      select ${of}, bool_or(is_last) as is_last, ${sums}
      from weighted
      group by ${of}
      union all
      select ${of}, bool_or(is_last), ${sums}
      from swept_weighted
      group by ${of}
      having sum(times) > 0
    )`;
}

/**
 * Every touch of every journey with its position, oldest first; the id breaks ties, bytewise.
 *
 * Needs: the step `converted` of `conversionsInRange`. Gives: the steps `dated` (for milestones), `touched`,
 * `positioned` and `ranked (…, position, touches, newest_at, last_non_direct, lead_position,
 * opportunity_position)`, the last two for milestones.
 */
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
    ${dated}${sweptEntities(question, source)},
    ${sweptJourneys(question, source)},
    touched as (${touchesOfJourneys(question, sql`listed_conversions`, columns)}
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
