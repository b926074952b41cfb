import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { conversionSums } from '../group-credit-sql.ts';
import { type ChosenSums, creditOfDays } from './chosen-sums.ts';
import type { Days } from './held-touches-sql.ts';
import { goalsOf } from './kept-days-sql.ts';
import { keptModels } from './kept-question.ts';
import { daySums, summedConversions } from './settle-days-sql.ts';

/** Compares kept sums with the definition, and drops those that differ, so that they are computed again. */

/** Credits and values may differ by this share: sums of floating-point numbers depend on their order. */
const TOLERANCE = 1e-9;

/** Some days of the workspace whose sums reports may use, at random. Rows: `ChosenSums`, each of one day. */
export function sampleDays(workspaceId: string, days: number): SQL {
  return sql`
    select d.question_id, q.question, '' as currency, d.day::text as first_day, d.day::text as last_day
    from credit_days d
    join credit_questions q on q.workspace_id = d.workspace_id and q.id = d.question_id
    join credit_horizons h on h.workspace_id = d.workspace_id
    where d.workspace_id = ${tenant(workspaceId)} and q.kept_at is not null and h.written_by::xid = h.xmin
      and pg_snapshot_xmin(d.horizon) >= q.usable_from
    order by random()
    limit ${days}`;
}

/**
 * Compares the sums of a day with what they would be now, in one snapshot. A day that is open is not compared. Rows: the
 * number of sums `checked`, of groups and of currencies, and of those `differing`.
 */
export function checkDay(workspaceId: string, chosen: ChosenSums): SQL {
  const { question_id, first_day, question } = chosen;
  const asked = creditOfDays(workspaceId, chosen);
  const credit = { ...asked, source: summedConversions(asked, chosen) };
  const ofDay = sql`workspace_id = ${tenant(workspaceId)} and question_id = ${question_id}::uuid and day = ${first_day}::date`;
  return sql`
    with settling as materialized (
      select d.horizon
      from credit_days d
      where ${ofDay} and d.settings = credit_settings(${workspaceId}::uuid, ${sql.param(goalsOf(question))}::text[])
        and not exists (${openingMarks(workspaceId, chosen)})
    ), ${daySums(credit, chosen)},
    differing as materialized (
      select currency, dimensions
      from (
        select 1 as sign, currency, dimensions, influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits,
          credited_values
        from day_sums
        union all
        select -1, currency, dimensions collate "C", influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values
        from credit_cells
        where ${ofDay} and not is_month and exists (select from settling)
      ) both_sides
      group by currency, dimensions
      having sum(sign) <> 0 or sum(sign * influenced) <> 0 or sum(sign * assisted) <> 0 or sum(sign * new_touches) <> 0
        or count(distinct array[repeat_gaps::text, repeat_touches::text]) > 1
        or ${sql.join(
          ['credits', 'credited_values'].flatMap((column) =>
            keptModels(question).map((_, i) => {
              const value = sql`${sql.identifier(column)}[${i + 1}::int]`;
              return sql`abs(sum(sign * ${value})) > ${TOLERANCE}::float8 * greatest(1, max(abs(${value})))`;
            }),
          ),
          sql` or `,
        )}
    ), day_totals as materialized (${conversionSums}
    ), differing_totals as materialized (${differingTotals(ofDay)}
    ), wrong as materialized (
      select (select count(*) from differing) + (select count(*) from differing_totals) as sums
    ), days as (
      delete from credit_days where ${ofDay} and (select sums from wrong) > 0
    ), months as (
      delete from credit_months
      where workspace_id = ${tenant(workspaceId)} and question_id = ${question_id}::uuid
        and month = date_trunc('month', ${first_day}::date::timestamp)::date and (select sums from wrong) > 0
    )
    select ((select count(*) from day_sums) + (select count(*) from day_totals))::int as checked, sums::int as differing
    from wrong`;
}

/** Needs: the steps `settling` and `day_totals`. Gives: a select of the currencies whose totals differ. */
function differingTotals(ofDay: SQL): SQL {
  const columns = [
    ['conversions', 'conversions'],
    ['net', 'value'],
    ['gross_conversions', 'gross_conversions'],
    ['gross', 'gross_value'],
    ['attributed', 'attributed_conversions'],
    ['attributed_net', 'attributed_value'],
    ['valued', 'valued'],
  ].map(([kept = '', computed = '']) => ({ kept: sql.identifier(kept), computed: sql.identifier(computed) }));
  const each = (make: (column: (typeof columns)[number]) => SQL, between: SQL) =>
    sql.join(columns.map(make), between);
  return sql`
      select currency
      from (
        select 1 as sign, currency, ${each(({ kept, computed }) => sql`${computed} as ${kept}`, sql`, `)}
        from day_totals
        union all
        select -1, currency, ${each(({ kept }) => sql`${kept}`, sql`, `)}
        from credit_totals
        where ${ofDay} and exists (select from settling)
      ) both_sides
      group by currency
      having sum(sign) <> 0 or ${each(({ kept }) => sql`sum(sign * ${kept}) <> 0`, sql` or `)}`;
}

/** Needs: `d`, a settled day. Gives: a select of the marks that open it. */
function openingMarks(workspaceId: string, { question }: ChosenSums & Days): SQL {
  const zone = sql`${question.timezone}::text`;
  return sql`
          select
          from credit_marks m
          where m.workspace_id = ${tenant(workspaceId)} and not m.is_added and m.goal = any(${sql.param(question.goals)}::text[])
            and d.day between (m.from_at at time zone ${zone})::date and (m.until_at at time zone ${zone})::date
            and not pg_visible_in_snapshot(m.made_by, d.horizon)
        `;
}
