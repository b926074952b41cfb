import { type SQL, sql } from 'drizzle-orm';
import { DAY_MS, type Interval } from '../domain/time.ts';
import { type CreditQuestion, intervalOfConversion } from './credit-question.ts';
import { crowdMilestones } from './crowd-milestone-sql.ts';
import { conversionsInRange, groupOf, touchesOfJourneys } from './journey-sql.ts';
import { milestonePositions, milestoneTimes } from './milestone-sql.ts';
import { decayTerm, weightSql } from './model-sql.ts';
import { sweptCredit } from './swept-credit-sql.ts';
import { crowdedEntities } from './swept-entities-sql.ts';
import { type Carried, sweptJourneys } from './swept-journeys-sql.ts';

/** The name of the column with a model's weight, by the model's index in the query. */
export const weight = (i: number) => sql.identifier(`weight_${i}`);

/** The name of the column with a model's credited value, by the model's index in the query. */
export const worth = (i: number) => sql.identifier(`worth_${i}`);

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
 * journey with its position; `by_journey (conversion_id, interval, dimensions, gross, net, retracted, is_last, weight_0
 * …)`, the weight of each group in each listed journey under each model; for the others the steps of `sweptJourneys`
 * and `sweptCredit`; and `attributed (conversion_id)`, the conversions of both that have a touch.
 */
export function creditByJourney(question: CreditQuestion): SQL {
  const { models, settings } = question;
  const of = sql`conversion_id, interval, dimensions, gross, net, retracted`;
  const weights = eachModel(
    question,
    (i) => sql`${weightSql(models[i] ?? 'linear', settings)} as ${weight(i)}`,
  );
  const sums = eachModel(question, (i) => sql`sum(${weight(i)})::float8 as ${weight(i)}`);
  return sql`${conversionsInRange(question)},
    ${rankedTouches(question)},
    weighted as (
      select ${of}, position = touches as is_last, ${weights}
      from (select *, ${models.includes('time_decay') ? decayTerm(settings) : sql`null`} as decay from ranked) ranked
    ), by_journey as materialized (
      select ${of}, bool_or(is_last) as is_last, ${sums}
      from weighted
      group by ${of}
    ), ${sweptCredit(question)},
    attributed as (
      select conversion_id from by_journey
      union all
      select conversion_id from swept_journeys where touches > 0
    )`;
}

/**
 * Every touch of every journey with its position, oldest first; the id breaks ties, bytewise.
 *
 * Needs: the step `converted` of `conversionsInRange`. Gives: the steps `dated` (for milestones), those of
 * `sweptJourneys`, `touched`,
 * `positioned` and `ranked (…, position, touches, newest_at, last_non_direct, lead_position,
 * opportunity_position)`, the last two for milestones.
 */
function rankedTouches(question: CreditQuestion): SQL {
  const { workspace_id, scope, milestones } = question;
  const dated = milestones
    ? sql`,
    dated as materialized (
      select c.*, ${milestoneTimes(workspace_id, scope, milestones)}
      from listed_conversions c
    ), ${crowdMilestones(question, milestones)}`
    : sql``;
  const columns = sql`${intervalOfConversion(question)} as interval, c.gross, c.net, c.retracted,
        t.channel = 'direct' as is_direct,
        ${groupOf(question.group_by)} as dimensions${milestones ? sql`, c.lead_at, c.opportunity_at` : sql``}`;
  const listed = milestones ? sql`dated` : sql`listed_conversions`;
  const swept = milestones ? sql`crowd_dated` : sql`converted`;
  return sql`
    ${crowdedEntities(question, sql`converted`)}${dated},
    ${sweptJourneys(question, swept, carriedBy(question), milestones ? MILESTONE_MARKS : [], intervalsIn(question))},
    touched as (${touchesOfJourneys(question, listed, columns)}
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

const MILESTONE_MARKS = [
  { name: 'lead', at: sql`c.lead_at` },
  { name: 'opportunity', at: sql`c.opportunity_at` },
];

const INTERVAL_DAYS: Readonly<Record<Interval, number>> = { day: 1, week: 7, month: 30 };

/** About the number of intervals in the range; null if the query has none. */
function intervalsIn({ interval, from, to }: CreditQuestion): number | null {
  if (interval === null) return null;
  const days = (new Date(to).getTime() - new Date(from).getTime()) / DAY_MS;
  return Math.ceil(days / INTERVAL_DAYS[interval]);
}

/** The columns of a conversion that swept credit needs. */
function carriedBy(question: CreditQuestion): readonly Carried[] {
  return [
    { name: 'interval', type: sql`text`, value: intervalOfConversion(question) },
    { name: 'gross', type: sql`numeric`, value: sql`c.gross` },
    { name: 'net', type: sql`numeric`, value: sql`c.net` },
    { name: 'retracted', type: sql`boolean`, value: sql`c.retracted` },
    // Journeys of one opening begin in the order of their conversions.
    {
      name: 'opening',
      type: sql`bigint`,
      value: numbered(question.policy === 'reset' ? sql`c.goal` : sql`c.occurred_at - c.opens_at`),
      most: 'openings',
    },
    {
      name: 'interval_number',
      type: sql`bigint`,
      value: numbered(intervalOfConversion(question)),
      most: 'intervals',
    },
  ];
}

/** The values of an entity, numbered from 1. Needs: `c.entity`. Gives: an expression. */
function numbered(value: SQL): SQL {
  return sql`dense_rank() over (partition by c.entity order by ${value})`;
}
