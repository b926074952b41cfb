import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../credit-question.ts';
import { weightBetween, weightSql } from '../model-sql.ts';
import { blockAndGrowth, DECAY_PIECES, sweptFactors } from './swept-decay-sql.ts';
import { sweptOwn, sweptPieces } from './swept-own-sql.ts';
import { type Events, sumsByGroup } from './swept-sums-sql.ts';

/**
 * Credit of swept journeys. Few touches have a weight of their own: the first, the last, the last non-direct one and
 * those of milestones. They are looked up, journey by journey (`swept-own-sql.ts`). Between them all touches of a journey
 * weigh the same, so the rest of a journey is a few pieces of constant weight. The credit of such a touch is the sum over
 * the pieces that contain it: a running sum over the places at which pieces begin and end. It costs touches +
 * conversions, and not their product. Many models share a running sum, because their weights between are the same but
 * for a factor. Sums are numeric, so that what begins and ends cancels out exactly.
 */

/** A sum over the credited conversions: its name and its summand. */
interface Measure {
  name: string;
  /** Over `retracted, net, gross` and a weight. */
  of: (weight: SQL) => SQL;
}

const NET: readonly Measure[] = [
  { name: 'net', of: (weight) => sql`case when retracted then 0 else ${weight} end` },
  { name: 'value', of: (weight) => sql`case when retracted then 0 else ${weight} * coalesce(net, 0) end` },
];
const GROSS: readonly Measure[] = [
  { name: 'gross', of: (weight) => weight },
  { name: 'gross_value', of: (weight) => sql`${weight} * coalesce(gross, 0)` },
];

/** Gross sums are needed only where retracted conversions have journeys. */
function measuresOf({ with_retracted }: CreditQuestion): readonly Measure[] {
  return with_retracted ? [...NET, ...GROSS] : NET;
}

/** The columns of credit of a model, by its index in the query: net conversions and value, and the same gross. */
export const creditColumns = (i: number) => {
  const column = (name: string) => sql`${sql.identifier(`${name}_${i}`)}`;
  return {
    net: column('net'),
    value: column('value'),
    gross: column('gross'),
    gross_value: column('gross_value'),
  };
};

/** A sum of credit of a model, by its index in the query. */
type Sum = Measure & { i: number; column: SQL };

function sumsOf(question: CreditQuestion): Sum[] {
  return question.models.flatMap((_, i) =>
    measuresOf(question).map((measure) => ({
      ...measure,
      i,
      column: creditColumns(i)[measure.name as keyof ReturnType<typeof creditColumns>],
    })),
  );
}

/** A running sum of the shares that models have in common. */
type SharedSum = Measure & { column: SQL; share: SQL };

const sharedColumn = (share: string, measure: string) => sql`${sql.identifier(`${share}_${measure}`)}`;

function sharedSums(question: CreditQuestion): SharedSum[] {
  const { models, settings } = question;
  const shares = models.flatMap((model) => weightBetween(model, settings) ?? []);
  const distinct = new Map(shares.map((one) => [one.name, one.share]));
  return [...distinct].flatMap(([name, share]) =>
    measuresOf(question).map((measure) => ({ ...measure, share, column: sharedColumn(name, measure.name) })),
  );
}

const joined = (parts: readonly SQL[]) => sql.join([...parts], sql`, `);

/**
 * Needs: the steps of `sweptJourneys`. Gives: steps, among them `swept_placed (entity, interval, place, occurred_at,
 * dimensions, openings)`, the touches of entities whose sums are made by place, once per interval;
 * and `swept_credit (interval, dimensions, touchpoints, lasts, net_0, value_0 …)`: distinct touchpoints, journeys that
 * end at the group, and credit, see `creditColumns`.
 */
export function sweptCredit(question: CreditQuestion): SQL {
  const { models, settings } = question;
  const sums = sumsOf(question);
  const shared = sharedSums(question);
  const isOfDecay = ({ i }: Sum) => models[i] === 'time_decay';
  const events: Events = {
    step: sql`swept_events`,
    columns: [sql`covered`, ...shared.map(({ column }) => column)],
    weight: sql`1`,
    block: null,
  };
  const ofShares = sums.map(({ i, name, column }) => {
    const between = weightBetween(models[i] ?? 'linear', settings);
    if (between === null) return sql`0::float8 as ${column}`;
    return sql`${between.factor}::float8 * sum(${sharedColumn(between.name, name)})::float8 as ${column}`;
  });
  const ofOwn = sums.map((sum) =>
    isOfDecay(sum) ? sql`0` : sql`sum(${sum.of(weightSql(models[sum.i] ?? 'linear', settings))})`,
  );
  const decays = sums.filter(isOfDecay);
  const withDecay =
    decays.length === 0
      ? sql``
      : sql`
        union all
        select interval, dimensions, 0, 0, ${joined(sums.map((sum) => (isOfDecay(sum) ? sql`sum(${sum.column})::float8` : sql`0`)))}
        from (${sumsByGroup(question, decayEvents(question, decays))}
        ) sums
        group by interval, dimensions`;
  return sql`
    swept_placed as materialized (${touchesByInterval(question)}
    ), ${sweptPieces(question)}, ${eventsOfPieces(shared)}, ${sweptOwn(question)}, ${
      decays.length === 0 ? sql`` : sql`${sweptFactors(question)}, ${eventsOfDecay(decays)}, `
    }swept_credit as materialized (
      select interval, dimensions, sum(touchpoints)::bigint as touchpoints, sum(lasts)::bigint as lasts, ${joined(sums.map(({ column }) => sql`coalesce(sum(${column}), 0) as ${column}`))}
      from (
        select interval, dimensions, sum(covered) as touchpoints, 0 as lasts, ${joined(ofShares)}
        from (${sumsByGroup(question, events)}
        ) sums
        group by interval, dimensions
        union all
        select interval, dimensions, 0, sum(is_last), ${joined(ofOwn)}
        from swept_own
        group by interval, dimensions${withDecay}
      ) credited
      group by interval, dimensions
      having sum(touchpoints) > 0
    )`;
}

function decayEvents(question: CreditQuestion, sums: readonly Sum[]): Events {
  const { block, growth } = blockAndGrowth(question);
  return { step: sql`swept_decay_events`, columns: sums.map(({ column }) => column), weight: growth, block };
}

/**
 * The touches of entities whose sums are made by place, once for each interval in which the entity converted.
 *
 * Needs: the steps `crowd_touches` and `swept_journeys`. Gives: a select.
 */
function touchesByInterval({ interval }: CreditQuestion): SQL {
  if (interval === null)
    return sql`
      select entity, null as interval, place, occurred_at, dimensions, openings
      from crowd_touches`;
  return sql`
      select *
      from (
        select entity, max(journey_interval) over (partition by entity, interval_number) as interval, place, occurred_at,
          dimensions, openings
        from (
          select entity, interval_number, null as journey_interval, place, occurred_at, dimensions, openings
          from crowd_touches
          cross join lateral generate_series(1, intervals) interval_number
          where not by_group
          union all
          select entity, interval_number, interval, null, null, null, null
          from swept_journeys
          where not by_group
        ) listed
      ) listed
      where place is not null`;
}

/**
 * The places at which the pieces of journeys begin and end. `covered` grows where the first of the journeys that have a
 * touch begins, and falls where the last of them ends, so each touch of any journey counts once.
 *
 * Needs: the step `swept_pieces`. Gives: the step `swept_events (entity, interval, place, by_group, groups, covered,
 * <sums>)`.
 */
function eventsOfPieces(sums: readonly SharedSum[]): SQL {
  const of = sql`entity, interval, by_group, groups`;
  const summed = sums.map(
    ({ of: measured, share, column }) =>
      sql`, sum(bound.sign * ${measured(sql`case when is_own then 0 else (${share})::numeric end`)}) as ${column}`,
  );
  return sql`swept_events as (
      select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
      from (
        select ${of}, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering${sql.join(summed)}
        from swept_pieces
        cross join lateral (values (from_place, 1), (to_place, -1)) bound (place, sign)
        group by ${of}, bound.place
      ) events
    )`;
}

/**
 * The places at which the factors of journeys begin and end.
 *
 * Needs: the step `swept_factors`. Gives: the step `swept_decay_events (entity, interval, block, place, by_group, groups,
 * <sums>)`.
 */
function eventsOfDecay(sums: readonly Sum[]): SQL {
  const of = sql`entity, interval, by_group, groups, block`;
  return sql`swept_decay_events as (
      select ${of}, bound.place, ${joined(sums.map((sum) => sql`sum(bound.sign * ${sum.of(sql`factor`)}) as ${sum.column}`))}
      from swept_factors
      cross join lateral ${DECAY_PIECES}
      cross join lateral (values (from_place, piece.sign), (to_place, -piece.sign)) bound (place, sign)
      where from_place is not null
      group by ${of}, bound.place
    )`;
}
