import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { startOfLocalDay } from '../domain/time.ts';
import type { CreditQuestion } from './credit-question.ts';
import { creditByJourney, weight, worth } from './credit-sql.ts';
import { conversionSums, creditByGroup } from './group-credit-sql.ts';
import { type Days, heldTouches, localDay } from './held-touches-sql.ts';
import { reachedConversions } from './journey-sql.ts';
import { goalsOf } from './kept-days-sql.ts';
import { type KeptQuestion, keptModels } from './kept-question.ts';
import { sweptInfluence } from './swept-influence-sql.ts';

/**
 * Settles sums of credit (ADR 31). All statements of a step are one transaction, so a step that is interrupted anywhere has
 * changed nothing. They compute only if `begin_settling_credit` found that they may.
 */

/** The sums that a step computes, as `end_settling_credit` chose them. */
export interface ChosenSums extends Days {
  question_id: string;
  question: KeptQuestion;
}

/** The days that reach beyond midnight, where clocks were turned back just after it. */
const DAY_MARGIN_MS = 2 * 60 * 60 * 1000;
const DAY_MS = 86_400_000;

/** The workspaces that keep sums, for the hourly trigger. */
export function keepingWorkspaces(): SQL {
  return sql`
    select h.workspace_id
    from credit_horizons h
    where exists (select from credit_questions q where q.workspace_id = h.workspace_id and (q.kept_at is not null or q.cells > 0))`;
}

/** Rows: `status`, see `migrations/functions/begin_settling_credit.sql`. */
export function beginSettling(workspaceId: string): SQL {
  return sql`select begin_settling_credit(${workspaceId}::uuid) as status`;
}

/** Computes the sums of the chosen days, in place of those that they have. */
export function settleDays(workspaceId: string, chosen: ChosenSums): SQL[] {
  return [dropSums(workspaceId, chosen), insertSums(workspaceId, chosen), insertMonths(workspaceId, chosen)];
}

/** The sums of some days, as a query for credit. */
export function creditOfDays(workspaceId: string, { question, ...days }: ChosenSums): CreditQuestion {
  const { timezone, weights } = question;
  const from = startOfLocalDay(days.first_day, timezone).getTime() - DAY_MARGIN_MS;
  const to = startOfLocalDay(days.last_day, timezone).getTime() + DAY_MS + DAY_MARGIN_MS;
  const asked: CreditQuestion = {
    workspace_id: workspaceId,
    currency: '',
    workspace_currency: '',
    workspace_timezone: timezone,
    goals: question.goals,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    lookback_days: question.lookback_days,
    scope: question.scope,
    policy: 'reuse',
    where: question.where,
    where_conversion: question.where_conversion,
    ...(question.only_with_journey && { only_with_journey: true as const }),
    by_currency: true,
    models: keptModels(question),
    settings: { half_life_days: question.half_life_days, ...(weights && { weights }) },
    milestones: question.milestones,
    group_by: question.group_by,
    interval: 'day',
    timezone,
  };
  return asked;
}

/**
 * Needs: no step. Gives: the step `settling (horizon)`, one row if sums of the question may be computed.
 */
function settling(workspaceId: string, { question_id }: ChosenSums): SQL {
  return sql`settling as materialized (
      select h.horizon
      from credit_horizons h
      join credit_questions q on q.workspace_id = h.workspace_id
      where h.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid and q.kept_at is not null
        and current_setting('throughline.settling_credit', true) = 'ready'
        and pg_snapshot_xmin(h.horizon) >= pg_snapshot_xmax(q.fence)
    )`;
}

/** The condition that a row of a table is of the question, and may be replaced. */
function isOurs(workspaceId: string, { question_id }: ChosenSums): SQL {
  return sql`workspace_id = ${tenant(workspaceId)} and question_id = ${question_id}::uuid and exists (select from settling)`;
}

const monthOf = (day: string) => sql`date_trunc('month', ${day}::date::timestamp)::date`;

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
 * new_touches, repeat_gaps, repeat_touches, credits, credited_values)`, and those of `creditByJourney`.
 */
export function daySums(credit: CreditQuestion, days: Days): SQL {
  const each = (make: (i: number) => SQL) =>
    sql.join(
      credit.models.map((_, i) => make(i)),
      sql`, `,
    );
  const zeros = sql`array_fill(0::float8, array[${credit.models.length}::int])`;
  return sql`${creditByJourney(credit)},
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
      from (${conversionSums(credit)}) sums
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

/**
 * Sums whole months whose days are all settled and none of them open. The gap of a touchpoint is then counted from the
 * beginning of the month; one that leads to a day of the same month counts for no range.
 */
function insertMonths(workspaceId: string, chosen: ChosenSums): SQL {
  const { first_day, last_day, question_id, question } = chosen;
  const key = sql`${workspaceId}::uuid, ${question_id}::uuid`;
  const of = (alias: SQL) =>
    sql`${alias}.workspace_id = ${tenant(workspaceId)} and ${alias}.question_id = ${question_id}::uuid`;
  const sums = (column: string) =>
    sql`array[${sql.join(
      keptModels(question).map((_, i) => sql`sum(x.${sql.identifier(column)}[${i + 1}::int])`),
      sql`, `,
    )}]`;
  const zone = sql`${question.timezone}::text`;
  return sql`
    with ${settling(workspaceId, chosen)},
    whole as materialized (
      select m.month::date as month, (m.month + interval '1 month')::date as next_month
      from settling
      cross join generate_series(${monthOf(first_day)}::timestamp, ${last_day}::date::timestamp, interval '1 month') m (month)
      where (m.month + interval '1 month')::date - m.month::date = (
        select count(*)
        from credit_days d
        where ${of(sql`d`)} and d.day >= m.month::date and d.day < (m.month + interval '1 month')::date
          and d.settings = (select credit_settings(${workspaceId}::uuid, ${sql.param(goalsOf(question))}::text[]))
      ) and not exists (
        select
        from credit_marks k
        where k.workspace_id = ${tenant(workspaceId)} and not k.is_added and k.goal = any(${sql.param(question.goals)}::text[])
          and k.from_at < (m.month + interval '1 month') at time zone ${zone} and k.until_at >= m.month at time zone ${zone}
          and exists (
            select
            from credit_days d
            where ${of(sql`d`)} and d.day between (k.from_at at time zone ${zone})::date and (k.until_at at time zone ${zone})::date
              and not pg_visible_in_snapshot(k.made_by, d.horizon)
          )
        offset 0
      )
    ), held as materialized (
      select w.month, x.*
      from whole w
      cross join lateral (
        select x.*
        from credit_cells x
        where ${of(sql`x`)} and not x.is_month and x.day >= w.month and x.day < w.next_month
        offset 0
      ) x
    ), repeats as (
      select month, currency, dimensions, array_agg(gap::smallint order by gap) as repeat_gaps,
        array_agg(this_or_more::int order by gap) as repeat_touches
      from (
        select month, currency, dimensions, gap,
          sum(sum(touches)) over (partition by month, currency, dimensions order by gap desc) as this_or_more
        from (
          select x.month, x.currency, x.dimensions, r.gap - (x.day - x.month) as gap,
            r.touches - coalesce(lead(r.touches) over (partition by x.day, x.currency, x.number order by r.gap), 0) as touches
          from held x
          cross join lateral unnest(x.repeat_gaps, x.repeat_touches) r (gap, touches)
        ) of_days
        where gap > 0
        group by month, currency, dimensions, gap
      ) gaps
      group by month, currency, dimensions
    ), summed as (
      select month, currency, dimensions, sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        sum(new_touches)::int as new_touches, coalesce(max(repeat_gaps), '{}') as repeat_gaps,
        coalesce(max(repeat_touches), '{}') as repeat_touches, max(credits) as credits, max(credited_values) as credited_values
      from (
        select x.month, x.currency, x.dimensions, sum(x.influenced) as influenced, sum(x.assisted) as assisted,
          sum(x.new_touches) as new_touches, null::smallint[] as repeat_gaps, null::int[] as repeat_touches,
          ${sums('credits')} as credits, ${sums('credited_values')} as credited_values
        from held x
        group by x.month, x.currency, x.dimensions
        union all
        select month, currency, dimensions, 0, 0, 0, repeat_gaps, repeat_touches, null, null
        from repeats
      ) sums
      group by month, currency, dimensions
    ), cells as (
      insert into credit_cells (workspace_id, question_id, is_month, day, currency, number, dimensions, group_hash,
        influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values)
      select ${key}, true, month, currency, row_number() over (partition by month, currency order by dimensions), dimensions,
        hash_array_extended(dimensions, 0), influenced, assisted, new_touches, repeat_gaps, repeat_touches, credits, credited_values
      from summed
      returning number
    ), counted as (
      update credit_questions q
      set cells = q.cells + (select count(*) from cells)::int
      where q.workspace_id = ${tenant(workspaceId)} and q.id = ${question_id}::uuid
    )
    insert into credit_months (workspace_id, question_id, month)
    select ${key}, month
    from whole`;
}

/** What `endSettling` may do. */
export interface SettlingRules {
  /** Only this question; null: any. */
  question_id: string | null;
  /** Days that were settled less long ago are left alone. */
  min_age_seconds: number;
}

/** The most rows of sums of a question, about 400 bytes each. */
export const MAX_CELLS = 500_000;

/** Rows: `answer`, see `migrations/functions/end_settling_credit.sql`. */
export function endSettling(workspaceId: string, rules: SettlingRules, days: number): SQL {
  return sql`
    select end_settling_credit(${workspaceId}::uuid, ${rules.question_id}::uuid, ${days}::int,
      make_interval(secs => ${rules.min_age_seconds}::float8), ${MAX_CELLS}::int) as answer`;
}
