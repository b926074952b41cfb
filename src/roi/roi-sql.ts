import { type SQL, sql } from 'drizzle-orm';
import { groupColumns } from '../stats/credit-question.ts';
import { creditByPlace, eachModel, grossWorth, weight, worth } from '../stats/credit-sql.ts';
import { groupAsList } from '../stats/group-credit-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';
import { creditColumns } from '../stats/swept/swept-credit-sql.ts';
import { type SpendQuestion, spentInRange } from './spend-days-sql.ts';

/** The effective query of the report on return on spend. */
export interface RoiQuestion extends SpendQuestion {
  goals: readonly string[];
  with_retracted: true;
  limit: number;
}

/** The credit of one model, net of adjustments and gross. */
export interface CreditRow {
  conversions: number;
  value: number;
  gross_conversions: number;
  gross_value: number;
}

/**
 * A group of one interval; `dimensions` null: all groups beyond the limit. `credits` in the
 * order of the models.
 */
export interface RoiRow {
  interval: string | null;
  dimensions: (string | null)[] | null;
  spend: string;
  credits: CreditRow[];
}

/** Totals of the range. Amounts are exact decimal text. */
export interface RoiTotals {
  spend: string;
  conversions: number;
  value: string;
  gross_conversions: number;
  gross_value: string;
  unattributed_conversions: number;
  unattributed_value: string;
  lacks_rate: number;
  /** Days of spend rows whose amount could not be converted to the currency. */
  spend_lacks_rate: number;
}

/** The one row of the statement. */
export interface RoiAnswer {
  /** The goals that exist, among those of the query and its milestones. */

  goals: string[] | null;
  totals: RoiTotals;
  groups: RoiRow[];
}

/**
 * Spend beside credit in one statement. The credit of every group, that of retracted
 * conversions included, and the days of spend are one list that is summed by group, so that a
 * group with only one of the two is a row as well.
 */
export function roiStatement(question: RoiQuestion): SQL {
  const { limit, goals, milestones, workspace_id } = question;
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  const sums = each(
    (i) => sql`sum(${net(i)}) as ${net(i)}, sum(${value(i)}) as ${value(i)},
        sum(${gross(i)}) as ${gross(i)}, sum(${grossValue(i)}) as ${grossValue(i)}`,
  );
  return sql`
    with ${creditByPlace(question)},
    ${spentInRange(question)},
    by_group as (
      select interval, dimensions, sum(spend) as spend, ${sums}
      from (
        select interval, ${groupAsList(question)} as dimensions, 0::numeric as spend,
          ${each(
            (i) => sql`
          coalesce(sum(${weight(i)}) filter (where not retracted), 0) as ${net(i)},
          coalesce(sum(${worth(i)}) filter (where not retracted), 0) as ${value(i)},
          sum(${weight(i)}) as ${gross(i)}, coalesce(sum(${grossWorth(i)}), 0) as ${grossValue(i)}`,
          )}
        from by_place
        group by interval, ${groupColumns(question)}
        union all
        select interval, dimensions, 0, ${each((i) => sql`${net(i)}, ${value(i)}, ${gross(i)}, ${grossValue(i)}`)}
        from swept_credit
        union all
        select interval, dimensions, coalesce(amount, 0), ${each(() => sql`0, 0, 0, 0`)}
        from spent
      ) brought
      group by interval, dimensions
    ), placed as (
      select *, row_number() over (order by spend desc, ${net(0)} desc, interval, dimensions) > ${limit} as folded
      from by_group
    ), answer as (
      select interval, case when not folded then dimensions end as dimensions, folded, sum(spend) as spend, ${sums}
      from placed
      group by interval, case when not folded then dimensions end, folded
    )
    select (${knownGoals(workspace_id, [...goals, ...Object.values(milestones ?? {})])}) as goals,
      (select row_to_json(totals) from (${totals()}) totals) as totals,
      (
        select coalesce(json_agg(json_build_object(
          'interval', interval, 'dimensions', dimensions, 'spend', spend::text,
          'credits', json_build_array(${each(
            (i) => sql`json_build_object(
            'conversions', ${net(i)}, 'value', ${value(i)}, 'gross_conversions', ${gross(i)}, 'gross_value', ${grossValue(i)}
          )`,
          )})
        ) order by folded, interval, spend desc, ${net(0)} desc, dimensions), '[]')
        from answer
      ) as groups`;
}

/** The names of the columns of a model, by its index in the query. */
const net = (i: number) => creditColumns(i).net;
const value = (i: number) => creditColumns(i).value;
const gross = (i: number) => creditColumns(i).gross;
const grossValue = (i: number) => creditColumns(i).gross_value;

/**
 * The totals of the range.
 *
 * Needs: the steps `converted`, `attributed` and `spent`. Gives: a select of the columns of
 * `RoiTotals`, one row.
 */
function totals(): SQL {
  return sql`
    select (select coalesce(sum(amount), 0)::text from spent) as spend,
      (select count(*) filter (where lacks_rate)::int from spent) as spend_lacks_rate,
      count(*) filter (where not retracted)::int as conversions,
      coalesce(sum(net) filter (where not retracted), 0)::text as value,
      count(*)::int as gross_conversions,
      coalesce(sum(gross), 0)::text as gross_value,
      count(*) filter (where not retracted and not is_attributed)::int as unattributed_conversions,
      coalesce(sum(net) filter (where not retracted and not is_attributed), 0)::text as unattributed_value,
      count(*) filter (where lacks_rate)::int as lacks_rate
    from (
      select c.*, c.number in (select number from attributed) as is_attributed
      from converted c
      offset 0
    ) c`;
}
