import { type SQL, sql } from 'drizzle-orm';
import type { CreditQuestion } from '../stats/credit-question.ts';
import { creditByJourney, eachModel, weight, worth } from '../stats/credit-sql.ts';
import { fxRateOf } from '../stats/fx-sql.ts';
import { conversionSums, creditByGroup, type KeptParts } from '../stats/group-credit-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';
import { keptDays, openConversions } from '../stats/kept-days-sql.ts';
import type { KeptQuestion } from '../stats/kept-question.ts';
import { hasFewGroups, intervalOfDay, keptCredit, keptTotals } from '../stats/kept-sums-sql.ts';
import { isUnsummed, summedTouches } from '../stats/kept-touches-sql.ts';
import { foldedJourneys, sweptInfluence } from '../stats/swept-influence-sql.ts';

/** The effective query of the attribution report. */
export interface AttributionQuestion extends CreditQuestion {
  goals: readonly string[];
  limit: number;
  /** What the sums of its days are kept under; null: everything is computed. */
  kept: KeptQuestion | null;
}

/**
 * Totals of the range (`interval` null) and, if requested, of each interval. Amounts are exact decimal text.
 */
export interface AttributionTotals {
  interval: string | null;
  conversions: number;
  value: string;
  gross_conversions: number;
  gross_value: string;
  attributed_conversions: number;
  attributed_value: string;
  lacks_rate: number;
}

/** A group of one interval. `credits` and `values` are in the order of the models. */
export interface GroupRow {
  interval: string | null;
  dimensions: (string | null)[];
  other: boolean;
  touchpoints: number;
  influenced: number;
  assisted: number;
  credits: number[];
  values: number[];
}

/** How much of the answer comes from sums. */
export interface SumsUsed {
  /** Days that were read from sums, and days whose sums are open. */
  kept: number;
  open: number;
  /** Conversions that were computed from their rows. */
  raw: number;
  /** Null: nobody asked before. */
  question: { is_kept: boolean; asked_on: string; since: string } | null;
}

/** The one row of the statement. */
export interface AttributionAnswer {
  /** The goals that exist, among those of the query and its milestones. */
  goals: string[] | null;
  totals: AttributionTotals[];
  groups: GroupRow[];
  sums: SumsUsed | null;
}

/**
 * The attribution report in one statement.
 *
 * Strategy: (1) Select the conversions of the range with the bounds of their journeys. (2) Join the
 * touchpoints of the same people (or accounts) once, by the index in journey order. (3) Give each touch its
 * position and its weight under every model at once, with window functions. (4) Sum twice: by conversion and
 * group, where influenced and assisted conversions are counted, then by group. Distinct touchpoints are
 * counted separately. A `union all` adds the two up, so that null groups need no join. (5) Fold groups beyond
 * the limit into one row per interval.
 *
 * Steps never join each other. The planner does not know their sizes: in a workspace without statistics it
 * expects one row and would use a nested loop. For the same reason `distinct` starts with the id: in the order of the
 * groups the planner would sort all touches. `in` as an output column is a hash look-up whatever the
 * planner expects (with a join, the totals of 19,700 conversions took 33 s).
 */
export function attributionStatement(question: AttributionQuestion): SQL {
  const { limit } = question;
  const named = [...question.goals, ...Object.values(question.milestones ?? {})];
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  const { before, asked, parts, totals, sums } = withKept(question);
  return sql`
    with ${before}${creditByJourney(asked)},
    ${sweptInfluence(asked)},
    ${parts?.steps ?? sql``}${creditByGroup(asked, parts)}, placed as materialized (
      select *, row_number() over (order by ${weight(0)} desc, interval, dimensions) > ${limit} as folded
      from by_group
    ), folded_journeys as (
      select interval, conversion_id, bool_or(is_last) as is_last
      from (
        select j.*, (coalesce(j.interval, ''), j.dimensions) in (
          select coalesce(interval, ''), dimensions from placed where folded
        ) as folded
        from by_journey j
        offset 0
      ) j
      where folded
      group by interval, conversion_id
      union all
      ${foldedJourneys(question)}
    ), folded as (
      select interval, sum(touchpoints)::int as touchpoints,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
        ${each((i) => sql`sum(${weight(i)}) as ${weight(i)}, sum(${worth(i)}) as ${worth(i)}`)}
      from placed p
      where folded
      group by interval
    ), answer as (
      select interval, dimensions, false as other, touchpoints, influenced, assisted,
        array[${each((i) => sql`${weight(i)}`)}] as credits, array[${each((i) => sql`${worth(i)}`)}] as values
      from placed
      where not folded
      union all
      select interval, null, true, touchpoints, influenced, assisted,
        array[${each((i) => sql`${weight(i)}`)}], array[${each((i) => sql`${worth(i)}`)}]
      from folded
    )
    select (${knownGoals(question.workspace_id, named)}) as goals,
      (select json_agg(totals) from (${totalsOf(asked, totals)}) totals) as totals,
      ${sums} as sums,
      (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups`;
}

/** The parts of the statement that depend on whether sums are kept. */
interface Kept {
  /** Steps before all others. */
  before: SQL;
  /** The query of the conversions that are computed. */
  asked: CreditQuestion;
  parts: (KeptParts & { steps: SQL }) | null;
  /** A select as `conversionSums`, of kept days. */
  totals: SQL | null;
  /** A JSON expression of `SumsUsed`. */
  sums: SQL;
}

/** Reads the sums of kept days, and computes the rest. */
function withKept(question: AttributionQuestion): Kept {
  const { kept } = question;
  if (!kept) return { before: sql``, asked: question, parts: null, totals: null, sums: sql`null::json` };
  const rate = fxRateOf(question, sql`t.currency`, sql`t.day`);
  return {
    before: sql`${keptDays(question, kept, hasFewGroups(question, sql`good_days`))}, ${keptTotals(question)},
    `,
    asked: {
      ...question,
      source: openConversions(question, sql`open_spans`, sql`kept_days`),
      amounts: sql`select currency, day from kept_totals`,
    },
    parts: {
      steps: sql`${summedTouches(question)}, ${keptCredit(question, kept)}, `,
      groups: sql`select * from kept_credit`,
      isNew: isUnsummed,
    },
    totals: sql`
      select ${intervalOfDay(question, sql`day`)} as interval, currency, conversions, coalesce(net * rate, 0), gross_conversions,
        coalesce(gross * rate, 0), attributed, coalesce(attributed_net * rate, 0), case when rate is null then valued else 0 end,
        valued
      from (select t.*, ${rate} as rate from kept_totals t offset 0) t`,
    sums: sql`(
        select json_build_object(
          'kept', (select count(*) from kept_days),
          'open', (select count(*) from settled) - (select count(*) from kept_days),
          'raw', (select count(*) from reached),
          'question', (
            select json_build_object('is_kept', is_kept and is_own, 'asked_on', asked_on, 'since', since) from noted
          )
        )
      )`,
  };
}

/**
 * The totals of the range, and of each interval if the query has one.
 *
 * Needs: the steps `converted` and `attributed`. Gives: a select of the columns of `AttributionTotals`.
 */
function totalsOf(question: CreditQuestion, kept: SQL | null): SQL {
  const byInterval = question.interval !== null;
  return sql`
    select ${byInterval ? sql`interval` : sql`null::text as interval`},
      coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
      coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
      coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
      coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
    from (${conversionSums(question)}${kept ? sql` union all ${kept}` : sql``}) sums
    ${byInterval ? sql`group by grouping sets ((), (interval)) order by interval nulls first` : sql``}`;
}
