import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { reachedConversions } from '../conversions-in-range-sql.ts';
import type { CreditQuestion } from '../credit-question.ts';
import { creditByPlace, weight, worth } from '../credit-sql.ts';
import { conversionSums, creditByGroup } from '../group-credit-sql.ts';
import { sweptInfluence } from '../swept/swept-influence-sql.ts';
import { type ChosenSums, creditOfDays, monthOf, settling } from './chosen-sums.ts';
import { type Days, heldTouches, localDay } from './held-touches-sql.ts';
import { goalsOf } from './kept-days-sql.ts';
import { insertMonths } from './settle-months-sql.ts';

/** Computes the sums of the chosen days, in place of those that they have. */
export function settleDays(workspaceId: string, chosen: ChosenSums): SQL[] {
  return [dropSums(workspaceId, chosen), insertSums(workspaceId, chosen), insertMonths(workspaceId, chosen)];
}

/** The condition that a row of a table is of the question, and may be replaced. */
function isOurs(workspaceId: string, { question_id }: ChosenSums): SQL {
  return sql`workspace_id = ${tenant(workspaceId)} and question_id = ${question_id}::uuid and exists (select from settling)`;
}

function dropSums(workspaceId: string, chosen: ChosenSums): SQL {
  const { first_day, last_day, question_id } = chosen;
  const ours = isOurs(workspaceId, chosen);
  const days = sql`between ${first_day}::date and ${last_day}::date`;
  const months = sql`between ${monthOf(first_day)} and ${monthOf(last_day)}`;
  return sql`
    with ${settling(workspaceId, chosen)},
    day_cells as (delete from credit_cells where ${ours} and not is_month and day ${days} returning number),
    month_cells as (delete from credit_cells where ${ours} and is_month and day ${months} returning number),
    totals as (delete from credit_totals where ${ours} and day ${days}),
    months as (delete from credit_months where ${ours} and month ${months}),
    days as (delete from credit_days where ${ours} and day ${days})
    update credit_questions q
    set cells = q.cells - gone.rows
    from (
      select (select count(*) from day_cells)::int + (select count(*) from month_cells)::int as rows
    ) gone
    where q.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid and gone.rows > 0`;
}

/**
 * The credit, the totals and the distinct touchpoints of some days.
 *
 * Needs: the steps `settling` and what `credit.source` needs. Gives: steps, among them `day_sums (day, currency, dimensions, influenced, assisted,
 * new_touches, repeat_gaps, repeat_touches, credits, credited_values)`, and those of `creditByPlace`.
 */
export function daySums(credit: CreditQuestion, days: Days): SQL {
  const each = (make: (i: number) => SQL) =>
    sql.join(
      credit.models.map((_, i) => make(i)),
      sql`, `,
    );
  const zeros = sql`array_fill(0::float8, array[${credit.models.length}::int])`;
  return sql`${creditByPlace(credit)},
    ${sweptInfluence(credit)},
    ${creditByGroup(credit, null)},
    ${heldTouches(credit, days)},
    day_sums as materialized (
      select day, currency, dimensions, sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        sum(new_touches)::int as new_touches, coalesce(max(repeat_gaps), '{}') as repeat_gaps,
        coalesce(max(repeat_touches), '{}') as repeat_touches, coalesce(max(credits), ${zeros}) as credits,
        coalesce(max(credited_values), ${zeros}) as credited_values
      from (
        select left(interval, 10)::date as day, substr(interval, 12) as currency, dimensions, influenced, assisted,
          0 as new_touches, null::smallint[] as repeat_gaps, null::int[] as repeat_touches,
          array[${each((i) => sql`${weight(i)}::float8`)}] as credits,
          array[${each((i) => sql`${worth(i)}::float8`)}] as credited_values
        from by_group
        union all
        select day, currency, dimensions, 0, 0, new_touches, repeat_gaps, repeat_touches, null, null
        from day_touches
      ) sums
      group by day, currency, dimensions
    )`;
}

/** The conversions of some days that are summed under the horizon. Needs: the step `settling`. Gives: a select. */
export function summedConversions(credit: CreditQuestion, { first_day, last_day }: Days): SQL {
  return sql`
      select c.*
      from (${reachedConversions(credit)}
        offset 0
      ) c
      where exists (select from settling)
        and ${localDay(credit, sql`c.occurred_at`)} between ${first_day}::date and ${last_day}::date
        and c.id not in (
          select m.conversion_id
          from credit_marks m
          where m.workspace_id = ${tenant(credit.workspace_id)} and m.is_added
            and not pg_visible_in_snapshot(m.made_by, (select horizon from settling))
        )`;
}

function insertSums(workspaceId: string, chosen: ChosenSums): SQL {
  const { first_day, last_day, question_id, question } = chosen;
  const asked = creditOfDays(workspaceId, chosen);
  const credit = { ...asked, source: summedConversions(asked, chosen) };
  const key = sql`${workspaceId}::uuid, ${question_id}::uuid`;
  return sql`
    with ${settling(workspaceId, chosen)},
    ${daySums(credit, chosen)},
    cells as (
      insert into credit_cells (workspace_id, question_id, is_month, day, currency, number, dimensions, group_hash,
        influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values)
      select ${key}, false, day, currency, row_number() over (partition by day, currency order by dimensions), dimensions,
        hash_array_extended(dimensions, 0), influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values
      from day_sums
      returning number
    ), totals as (
      insert into credit_totals (workspace_id, question_id, day, currency, conversions, net, gross_conversions, gross, attributed,
        attributed_net, valued)
      select ${key}, left(interval, 10)::date, currency, conversions, value, gross_conversions, gross_value,
        attributed_conversions, attributed_value, valued
      from (${conversionSums}) sums
    ), counted as (
      update credit_questions q
      set cells = q.cells + (select count(*) from cells)::int
      where q.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid
    )
    insert into credit_days (workspace_id, question_id, day, horizon, settings)
    select ${key}, listed.day::date, s.horizon, credit_settings(${workspaceId}::uuid, ${sql.param(goalsOf(question))}::text[])
    from settling s
    cross join generate_series(${first_day}::date::timestamp, ${last_day}::date::timestamp, interval '1 day') listed (day)`;
}
