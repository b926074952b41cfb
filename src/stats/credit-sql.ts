import { type SQL, sql } from 'drizzle-orm';
import { type Model, needsMilestones } from '../domain/attribution.ts';
import { DAY_MS, type Interval } from '../domain/time.ts';
import { conversionsInRange } from './conversions-in-range-sql.ts';
import { type CreditQuestion, groupColumns, intervalOfConversion } from './credit-question.ts';
import { milestoneTimes } from './milestone-sql.ts';
import { type ModelParameters, weightSql } from './model-sql.ts';
import { rankedTouches } from './ranked-touches-sql.ts';
import { crowdMilestones } from './swept/crowd-milestone-sql.ts';
import { sweptCredit } from './swept/swept-credit-sql.ts';
import { crowdedEntities } from './swept/swept-entities-sql.ts';
import { type Carried, sweptJourneys } from './swept/swept-journeys-sql.ts';

/** The name of a column that exists once per model, by the model's index in the query. */
const numberedColumn = (name: string) => (i: number) => sql`${sql.identifier(`${name}_${i}`)}`;

/** The weight of a touch, see `isOfTouch`, or the sum of weights: credited conversions. */
export const weight = numberedColumn('weight');
/** The credited value, net of adjustments, and gross. */
export const worth = numberedColumn('worth');
export const grossWorth = numberedColumn('gross_worth');

/** One fragment per model of the query, by index, joined with commas. */
export function eachModel({ models }: Pick<CreditQuestion, 'models'>, make: (i: number) => SQL): SQL {
  return sql.join(
    models.map((_, i) => make(i)),
    sql`, `,
  );
}

/**
 * The steps that compute credit. Window functions give each touch its position under all models in one pass. The
 * domain's `weightsOf` is the definition.
 *
 * Most models give a touch a weight by its place, first, last, or one of those between, which share theirs. So touches
 * are first summed by group and place, and the weights of those few rows are computed afterwards: eight models cost
 * little more than one. All other models are weighed touch by touch.
 *
 * Needs: no step. Gives: the steps of `conversionsInRange`; those of `rankedTouches`; `by_place (interval,
 * <dimensions>, place, places, retracted, journeys, new_touchpoints, weight_0, worth_0, gross_worth_0 …)`, a row per
 * group and place; for journeys of crowded entities the steps of `sweptJourneys` and `sweptCredit`, unless there is none; and
 * `attributed (number)`, the conversions of both that have a touch. `retracted` and `gross_worth` are there only if
 * retracted conversions have journeys.
 */
export function creditByPlace(question: CreditQuestion): SQL {
  const { milestones } = question;
  const swept = milestones ? sql`crowd_dated` : sql`converted`;
  const parts = question.all_listed
    ? { journeys: sql``, credit: sql``, attributed: sql`` }
    : {
        journeys: sql`${sweptJourneys(question, swept, carriedBy(question), milestones ? MILESTONE_MARKS : [], intervalsIn(question))},
    `,
        credit: sql`
    ${sweptCredit(question)},`,
        attributed: sql`
      union all
      select number
      from swept_journeys
      where touches > 0`,
      };
  return sql`${conversionsInRange(question, intervalOfConversion(question))},
    ${crowdedEntities(question)}${milestones ? sql`,${datedConversions(question)}` : sql``},
    ${parts.journeys}${rankedTouches(question, milestones ? sql`dated` : sql`listed_conversions`, touchWeights(question))},
    ${byPlace(question)},${parts.credit}
    attributed as (
      select number
      from ranked
      where place = 1${parts.attributed}
    )`;
}

/** Is the weight computed touch by touch? It is not determined by the place, or only together with the length. */
function isOfTouch(model: Model): boolean {
  return model === 'linear' || model === 'time_decay' || needsMilestones([model]);
}

/** The weights that are computed touch by touch, each with its name and a comma before it. */
function touchWeights({ models, settings }: CreditQuestion): SQL {
  return sql.join(
    models.map((model, i) =>
      isOfTouch(model) ? sql`, ${weightSql(model, settings)} as ${weight(i)}` : sql``,
    ),
  );
}

/**
 * The touches, summed by group and place.
 *
 * Needs: the step `ranked`. Gives: the step `by_place`, see `creditByPlace`.
 */
function byPlace(question: CreditQuestion): SQL {
  const { models, with_retracted } = question;
  const of = sql`interval, ${groupColumns(question)}, place, places${with_retracted ? sql`, retracted` : sql``}${
    models.includes('last_non_direct') ? sql`, last_non_direct` : sql``
  }`;
  const sums = models.map((model, i) => {
    const { sum, count } = sumsOfModel(question, model, i);
    const gross = with_retracted ? sql`, ${sum(sql`gross`)} as ${grossWorth(i)}` : sql``;
    return sql`${count} as ${weight(i)}, ${sum(sql`net`)} as ${worth(i)}${gross}`;
  });
  return sql`by_place as materialized (
      select ${of}, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, ${sql.join(sums, sql`, `)}
      from ranked
      group by ${of}
    )`;
}

/** The sum of an amount times the weight of each touch, and that of the weights. */
function sumsOfModel({ settings }: CreditQuestion, model: Model, i: number) {
  if (isOfTouch(model)) {
    return { sum: (amount: SQL) => sql`sum(${weight(i)} * ${amount})`, count: sql`sum(${weight(i)})` };
  }
  const ofPlace = weightOfPlace(model, settings);
  if (model === 'last_non_direct') {
    return { sum: (amount: SQL) => sql`sum(${amount}) * ${ofPlace}`, count: sql`count(*) * ${ofPlace}` };
  }
  return {
    sum: (amount: SQL) => sql`sum(part * ${amount}) * ${ofPlace}`,
    count: sql`sum(part) * ${ofPlace}`,
  };
}

/** Journeys of three touches have every place once. */
function weightOfPlace(model: Model, settings: ModelParameters): SQL {
  return weightSql(model, settings, { position: sql`place`, touches: sql`places` });
}

/**
 * The conversions with the times of their milestones.
 *
 * Needs: the steps `converted`, `crowded` and `listed_conversions`. Gives: the steps `dated` and `crowd_dated`.
 */
function datedConversions(question: CreditQuestion): SQL {
  const { workspace_id, scope, milestones } = question;
  if (milestones === null) return sql``;
  return sql`
    dated as materialized (
      select c.*, ${milestoneTimes(workspace_id, scope, milestones)}
      from listed_conversions c
    )${question.all_listed ? sql`` : sql`, ${crowdMilestones(question, milestones)}`}`;
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
    { name: 'number', type: sql`bigint`, value: sql`c.number` },
    { name: 'interval', type: sql`text`, value: sql`c.interval` },
    { name: 'gross', type: sql`numeric`, value: sql`c.gross` },
    { name: 'net', type: sql`numeric`, value: sql`c.net` },
    { name: 'retracted', type: sql`boolean`, value: sql`c.retracted` },
    // Journeys of one opening begin in the order of their conversions.
    {
      name: 'opening',
      type: sql`bigint`,
      value: rankOf(question.policy === 'reset' ? sql`c.goal` : sql`c.occurred_at - c.opens_at`),
      most: 'openings',
    },
    { name: 'interval_number', type: sql`bigint`, value: rankOf(sql`c.interval`), most: 'intervals' },
  ];
}

/** The values of an entity, numbered from 1. Needs: `c.entity`. Gives: an expression. */
function rankOf(value: SQL): SQL {
  return sql`dense_rank() over (partition by c.entity order by ${value})`;
}
