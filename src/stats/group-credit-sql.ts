import { type SQL, sql } from 'drizzle-orm';
import { type CreditQuestion, groupColumns } from './credit-question.ts';
import { eachModel, weight, worth } from './credit-sql.ts';
import { creditColumns } from './swept/swept-credit-sql.ts';

/** Sums of credit by group, and totals of conversions. */

/**
 * The group of a row as a list of texts, which compare bytewise in every database.
 *
 * Needs: the columns of `groupColumns`. Gives: an expression of type text[].
 */
export function groupAsList(question: Pick<CreditQuestion, 'group_by'>): SQL {
  return sql`array[${groupColumns(question)}] collate "C"`;
}

/** The elements of a group that is a list. Needs: `dimensions`. Gives: columns in the order of `groupColumns`. */
export function groupFromList({ group_by }: Pick<CreditQuestion, 'group_by'>): SQL {
  return sql.join(
    group_by.map((_, i) => sql`dimensions[${i + 1}::int]`),
    sql`, `,
  );
}

/**
 * The credit of each group in each interval, net of retracted conversions, with what is counted once: touchpoints, the
 * conversions whose journey holds the group, and those of them that it did not end.
 *
 * Touchpoints that one journey alone can hold are counted with the credit, and so are the groups of journeys with one
 * touch. Only the others are hashed. `distinct` starts with the id or number: in the order of the groups the planner
 * would sort all touches. Texts are put together to lists here, where rows are few.
 *
 * Needs: the steps of `creditByPlace`, and those of `sweptInfluence` unless all journeys are listed. Gives: the step `by_group (interval, dimensions, touchpoints,
 * influenced, assisted, weight_0, worth_0 …)`, a row per interval and group.
 * @param isNew a condition on `ranked`, that a touchpoint is counted; null for all
 */
export function creditByGroup(question: CreditQuestion, isNew: SQL | null): SQL {
  const group = groupColumns(question);
  const ofList = groupFromList(question);
  const each = (make: (i: number) => SQL) => eachModel(question, make);
  const credits = each((i) => sql`${weight(i)}, ${worth(i)}`);
  const none = each(() => sql`0, 0`);
  const swept = question.all_listed
    ? sql``
    : sql`
        union all
        select interval, ${ofList}, touchpoints, 0, -lasts, ${each((i) => sql`${creditColumns(i).net}, ${creditColumns(i).value}`)}
        from swept_credit
        union all
        select interval, ${ofList}, 0, influenced, influenced, ${none}
        from swept_influence
        where influenced > 0`;
  return sql`by_group as (
      select interval, ${groupAsList(question)} as dimensions, sum(touchpoints)::int as touchpoints,
        sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        ${each((i) => sql`sum(${weight(i)}) as ${weight(i)}, coalesce(sum(${worth(i)}), 0) as ${worth(i)}`)}
      from (
        select interval, ${group}, ${isNew ? sql`0` : sql`new_touchpoints`} as touchpoints,
          case when places = 1 then journeys else 0 end as influenced,
          case when places > 1 and place = places then -journeys else 0 end as assisted, ${credits}
        from by_place
        union all
        select interval, ${group}, count(*), 0, 0, ${none}
        from (select distinct touchpoint_id, interval, ${group} from ranked where ${isNew ?? sql`is_shared`}) distinct_touchpoints
        group by interval, ${group}
        union all
        select interval, ${group}, 0, count(*), count(*), ${none}
        from (select distinct number, interval, ${group} from ranked where places > 1) held
        group by interval, ${group}${swept}
      ) counted
      group by interval, ${group}
    )`;
}

/**
 * The listed journeys that hold a group beyond the limit.
 *
 * Needs: the steps `ranked` and `placed (interval, dimensions, folded)`. Gives: a select of `interval, is_last`.
 */
export function foldedListedJourneys(question: CreditQuestion): SQL {
  return sql`
      select interval, bool_or(place = places) as is_last
      from (
        select *, (coalesce(interval, ''), ${groupAsList(question)}) in (
          select coalesce(interval, ''), dimensions from placed where folded
        ) as is_folded
        from ranked
        offset 0
      ) ranked
      where is_folded
      group by interval, number`;
}

/**
 * The conversions that were chosen, with what totals sum.
 *
 * Needs: the steps `converted` and `attributed`. Gives: a select of `interval, currency, conversions, value,
 * gross_conversions, gross_value, attributed_conversions, attributed_value, lacks_rate, valued`, a row per interval and
 * currency. Amounts are numeric; `valued` counts the conversions with a value in the report's currency, `lacks_rate`
 * those without a rate.
 */
export const conversionSums: SQL = sql`
    select interval, currency, count(*) filter (where not retracted) as conversions,
      coalesce(sum(net) filter (where not retracted), 0) as value, count(*) as gross_conversions,
      coalesce(sum(gross), 0) as gross_value, count(*) filter (where is_attributed) as attributed_conversions,
      coalesce(sum(net) filter (where is_attributed), 0) as attributed_value,
      count(*) filter (where lacks_rate) as lacks_rate, count(net) as valued
    from (
      select c.*, c.number in (select number from attributed) as is_attributed
      from converted c
      offset 0
    ) c
    group by interval, currency`;
