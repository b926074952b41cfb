import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from './credit-question.ts';
import { weightSql } from './model-sql.ts';
import { blockAndGrowth, DECAY_PIECES, sweptFactors } from './swept-decay-sql.ts';
import { type Events, sumsByGroup } from './swept-sums-sql.ts';

/**
 * Credit of swept journeys. Few touches have a weight of their own: the first, the last, the last non-direct one and
 * those of milestones. Between them all touches of a journey weigh the same, so a journey is a few pieces of constant
 * weight. The credit of a touch is the sum over the pieces that contain it: a running sum over the places at which
 * pieces begin and end. It costs touches + conversions, and not their product. Sums are numeric, so that what begins
 * and ends cancels out exactly.
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

/** The position in the journey of a place in it. Needs: `low, recorded`. Gives: an expression. */
const positionOf = (place: SQL) => sql`(${place} - low - coalesce(recorded < ${place}, false)::int)`;

/** A column of credit. */
type Sum = Measure & { i: number; column: SQL };

function columnsOf(question: CreditQuestion): Sum[] {
  return question.models.flatMap((_, i) =>
    measuresOf(question).map((measure) => ({
      ...measure,
      i,
      column: creditColumns(i)[measure.name as keyof ReturnType<typeof creditColumns>],
    })),
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
  const sums = columnsOf(question);
  const hasDecay = question.models.includes('time_decay');
  const isOfDecay = ({ i }: Sum) => question.models[i] === 'time_decay';
  const events: Events = {
    step: sql`swept_events`,
    columns: [sql`covered`, sql`lasts`, ...sums.filter((sum) => !isOfDecay(sum)).map(({ column }) => column)],
    weight: sql`1`,
    block: null,
  };
  const { block, growth } = blockAndGrowth(question);
  const decay: Events = {
    step: sql`swept_decay_events`,
    columns: sums.filter(isOfDecay).map(({ column }) => column),
    weight: growth,
    block,
  };
  const total = (column: SQL) => sql`coalesce(sum(${column}), 0)::float8 as ${column}`;
  return sql`
    swept_placed as materialized (${touchesByInterval(question)}
    ), ${eventsOfPieces(
      question,
      sums.filter((sum) => !isOfDecay(sum)),
    )}, ${
      hasDecay ? sql`${sweptFactors(question)}, ${eventsOfDecay(sums.filter(isOfDecay))}, ` : sql``
    }swept_credit as materialized (
      select interval, dimensions, sum(covered)::bigint as touchpoints, sum(lasts)::bigint as lasts, ${joined(sums.map(({ column }) => total(column)))}
      from (
        select interval, dimensions, ${joined([...events.columns, ...decay.columns.map((column) => sql`0 as ${column}`)])}
        from (${sumsByGroup(question, events)}
        ) sums${
          hasDecay
            ? sql`
        union all
        select interval, dimensions, ${joined([...events.columns.map(() => sql`0`), ...decay.columns])}
        from (${sumsByGroup(question, decay)}
        ) sums`
            : sql``
        }
      ) credited
      group by interval, dimensions
      having sum(covered) > 0
    )`;
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
 * The pieces of each journey, and the places at which they begin and end. A piece is one touch with a weight of its own,
 * or the touches between two of them. `covered` grows where the first of the journeys that have a touch begins, and falls
 * where the last of them ends, so each touch of any journey counts once.
 *
 * Needs: the step `swept_journeys`. Gives: the steps `swept_pieces` and `swept_events (entity, interval, place, by_group,
 * groups, covered, lasts, <sums>)`.
 */
function eventsOfPieces({ models, settings, milestones }: CreditQuestion, sums: readonly Sum[]): SQL {
  const own = [
    sql`(first)`,
    sql`(last)`,
    sql`(recorded)`,
    ...(models.includes('last_non_direct') ? [sql`(last_non_direct)`] : []),
    ...(milestones ? [sql`(lead)`, sql`(opportunity)`] : []),
  ];
  const weight = (i: number) => sql`${sql.identifier(`weight_${i}`)}`;
  const weights = models.flatMap((model, i) =>
    model === 'time_decay' ? [] : [sql`, (${weightSql(model, settings)})::numeric as ${weight(i)}`],
  );
  const milestonePositions = milestones
    ? sql`, ${positionOf(sql`lead`)} as lead_position, ${positionOf(sql`opportunity`)} as opportunity_position`
    : sql``;
  const of = sql`entity, interval, by_group, groups`;
  return sql`swept_pieces as (
      select ${of}, from_place, to_place, (from_place = last)::int as is_last, net, gross, retracted${sql.join(weights)}
      from (
        select ${of}, net, gross, retracted, touches, last, piece.from_place, piece.to_place, piece.position::float8 as position,
          ${positionOf(sql`last_non_direct`)} as last_non_direct${milestonePositions}
        from swept_journeys
        cross join lateral (
          select place, lag(place, 1, low) over (order by place) as previous
          from (select distinct place from (values ${joined(own)}) places (place) where place is not null) places
        ) own
        cross join lateral (values
          (own.place, own.place + 1, ${positionOf(sql`own.place`)}, own.place is distinct from recorded),
          (own.previous + 1, own.place, ${positionOf(sql`own.place`)} - 0.5, own.place - own.previous > 1)
        ) piece (from_place, to_place, position, occurs)
        where touches > 0 and piece.occurs
      ) pieces
    ), swept_events as (
      select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
      from (
        select ${of}, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering,
          sum(bound.sign * is_last) as lasts${sql.join(sums.map((sum) => sql`, sum(bound.sign * ${sum.of(weight(sum.i))}) as ${sum.column}`))}
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
