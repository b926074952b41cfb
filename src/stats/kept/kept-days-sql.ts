import { type SQL, sql } from 'drizzle-orm';
import { nestedState } from '../../db/dialect.ts';
import { tenant } from '../../db/tenant.ts';
import type { CreditQuestion } from '../credit-question.ts';
import { entityOf } from '../entity-sql.ts';
import { MAX_LISTED_JOURNEYS } from '../swept/swept-entities-sql.ts';
import { isTorn, localDay, startOfDay } from './held-touches-sql.ts';
import { ASKED_OFTEN, type KeptQuestion } from './kept-question.ts';

/**
 * The days of a range whose sums are kept and right (ADR 31), and the conversions of all other instants, which the
 * statement computes. Both are read in one snapshot.
 */

/** How far a local day can reach beyond its midnights, where clocks were turned back just after one. */
const DAY_MARGIN = sql`interval '2 hours'`;
/** A day that a zone skipped is shorter than this, and separates nothing. */
const SHORTEST_DAY = sql`interval '12 hours'`;

/**
 * Needs: no step. Gives: the steps `asked (id, question, first_day, last_day)`, the range's whole local days, the last one
 * not included; `noted (id, cells, usable_from, is_kept, is_noted, is_own)`, one row if the question was asked before; `settled (day,
 * horizon)`, without days that a step settled while the question gave way to another one, before it was kept again; `unseen
 * (day, is_added, conversion_id)`; and `right_days (day)`, whose sums are right. Days to compare with are columns of steps:
 * under row level security an expression with a time zone reaches no index (10,000 marks took 2.8 s).
 */
export function settledDays(question: CreditQuestion, kept: KeptQuestion): SQL {
  const { workspace_id, from, to } = question;
  const goals = goalsOf(kept);
  return sql`
    asked as materialized (
      select question, ${questionId(sql`question`)} as id,
        case when ${startOfDay(question, sql`first_day`)} = ${from}::timestamptz then first_day else 'infinity' end as first_day,
        last_day
      from (
        select ${JSON.stringify(kept)}::jsonb as question, ${localDay(question, sql`${from}::timestamptz`)} as first_day,
          ${localDay(question, sql`${to}::timestamptz`)} as last_day
      ) range
    ), noted as materialized (
      select q.id, q.cells, q.usable_from, q.kept_at is not null as is_kept, ${isNoted(question)} as is_noted,
        (
          select h.written_by::xid = h.xmin
          from credit_horizons h
          where h.workspace_id = ${tenant(workspace_id)}
        ) as is_own
      from credit_questions q
      where q.workspace_id = ${tenant(workspace_id)} and q.id = (select id from asked)
        and q.question = (select question from asked)
    ), settled as materialized (
      select d.day, d.horizon
      from credit_days d
      where d.workspace_id = ${tenant(workspace_id)} and d.question_id = (select id from noted where is_kept and is_own)
        and d.day >= (select first_day from asked) and d.day < (select last_day from asked)
        and d.settings = (select credit_settings(${workspace_id}::uuid, ${sql.param(goals)}::text[]))
        and pg_snapshot_xmin(d.horizon) >= (select usable_from from noted)
    ), unseen as materialized (
      select d.day, m.is_added, m.conversion_id
      from (
        select m.made_by, m.is_added, m.conversion_id, ${localDay(question, sql`m.from_at`)} as first_day,
          ${localDay(question, sql`m.until_at`)} as last_day
        from credit_marks m
        where m.workspace_id = ${tenant(workspace_id)} and m.goal = any(${sql.param(kept.goals)}::text[])
          and exists (select from settled)
        offset 0
      ) m
      cross join lateral (
        select d.day, d.horizon
        from credit_days d
        where d.workspace_id = ${tenant(workspace_id)} and d.question_id = (select id from noted)
          and d.day >= m.first_day and d.day <= m.last_day
        offset 0
      ) d
      where not pg_visible_in_snapshot(m.made_by, d.horizon)
    ), right_days as materialized (
      select day
      from settled
      where day not in (select day from unseen where not is_added) and not ${isTorn(question, sql`day`)}
    )`;
}

/**
 * Which of the right days are used. None is, and the whole range is computed, if they are less than half of the days up to
 * today: to tell the touchpoints that sums count already then costs more than the sums save. So it is if an entity has very
 * many open conversions: their credit is not computed by listing touchpoints.
 *
 * Needs: the steps of `settledDays`. Gives: the steps `good_days (day)`, whose sums can be used; `open_spans (from_at,
 * to_at)`, the rest of the range; `added (id)`, the new conversions of good days; and `kept_days (day)`, whose sums are used.
 * @param isUsable a condition
 */
export function keptDays(question: CreditQuestion, isUsable: SQL): SQL {
  return sql`
    good_days as materialized (
      select day
      from right_days
      where (select ${isUsable})
    ), open_spans as materialized (${spansBetween(question, sql`good_days`)}
    ), added as materialized (
      select distinct conversion_id as id
      from unseen
      where is_added and day in (select day from good_days)
    ), kept_days as materialized (
      select day
      from good_days
      where (select first_day + 2 * (select count(*) from good_days)::int >= least(last_day, ${localDay(question, sql`now()`)}) from asked)
        and (select not exists (
          select
          from (${openConversions(question, sql`open_spans`, sql`good_days`)}) c
          group by ${entityOf(question.scope, sql`c`)}
          having count(*) > ${MAX_LISTED_JOURNEYS}
        ))
    )`;
}

/**
 * The state of the nested statement that computes the rest.
 *
 * Needs: the steps of `keptDays`. Gives: a jsonb expression.
 */
export const stateOfDays: SQL = sql`jsonb_build_object(
        'days', (select coalesce(jsonb_agg(day), '[]') from kept_days),
        'spans', (select coalesce(jsonb_agg(s), '[]') from open_spans s),
        'added', (select coalesce(jsonb_agg(id), '[]') from added)
      )`;

/** Needs: the state of `stateOfDays`. Gives: the steps `kept_days`, `open_spans` and `added` of `keptDays`. */
export const openDays: SQL = sql`kept_days as materialized (
      select day::date as day from jsonb_array_elements_text(${nestedState} -> 'days') kept (day)
    ), open_spans as materialized (
      select from_at, to_at from jsonb_to_recordset(${nestedState} -> 'spans') span (from_at timestamptz, to_at timestamptz)
    ), added as materialized (
      select id from jsonb_array_elements_text(${nestedState} -> 'added') conversion (id)
    )`;

/** The question needs to be noted once a day, until it was asked twice, and if a range begins earlier than all before. */
function isNoted({ from, timezone }: CreditQuestion): SQL {
  return sql`q.asked >= ${ASKED_OFTEN}::int and q.asked_on >= (now() at time zone 'UTC')::date
          and q.since <= (${from}::timestamptz at time zone ${timezone}::text)::date`;
}

/** The id of a question. Needs: `question`, a jsonb expression. Gives: a uuid expression. */
export function questionId(question: SQL): SQL {
  return sql`left(encode(sha256(convert_to((${question})::text, 'UTF8')), 'hex'), 32)::uuid`;
}

/** The goals whose changes concern the sums. */
export function goalsOf({ goals, milestones }: Pick<KeptQuestion, 'goals' | 'milestones'>): string[] {
  return [...new Set([...goals, ...Object.values(milestones ?? {})])];
}

/**
 * The conversions that are not in the sums of kept days: those of all other instants, and new ones.
 *
 * Needs: the step `added`, and `spans`, what is left of the range without `days`. Gives: a select of conversions, with all columns.
 */
export function openConversions(question: CreditQuestion, spans: SQL, days: SQL): SQL {
  const { workspace_id, goals, from, to } = question;
  const among = sql`c.workspace_id = ${tenant(workspace_id)} and c.goal = any(${sql.param(goals)}::text[])`;
  return sql`
      select c.*
      from ${spans} s
      cross join lateral (
        select c.*
        from conversions c
        where ${among} and c.occurred_at >= s.from_at and c.occurred_at < s.to_at
        offset 0
      ) c
      where ${localDay(question, sql`c.occurred_at`)} not in (select day from ${days})
      union all
      select c.*
      from added
      cross join lateral (
        select c.*
        from conversions c
        where ${among} and c.id = added.id
        offset 0
      ) c
      where c.occurred_at >= ${from}::timestamptz and c.occurred_at < ${to}::timestamptz
        and ${localDay(question, sql`c.occurred_at`)} in (select day from ${days})`;
}

/**
 * What is left of the range without some of its days. Spans reach a little into these days, whose conversions are then
 * told by their local day.
 *
 * Needs: `days (day)`. Gives: a select of `from_at, to_at`, the second one not included.
 */
function spansBetween(question: CreditQuestion, days: SQL): SQL {
  const { from, to } = question;
  const range = { from: sql`${from}::timestamptz`, to: sql`${to}::timestamptz` };
  return sql`
      select greatest(from_at - ${DAY_MARGIN}, ${range.from}) as from_at, least(to_at + ${DAY_MARGIN}, ${range.to}) as to_at
      from (
        select lag(ends_at, 1, ${range.from}) over (order by starts_at) as from_at, starts_at as to_at
        from (
          select starts_at, ends_at
          from (
            select ${startOfDay(question, sql`day`)} as starts_at, ${startOfDay(question, sql`day + 1`)} as ends_at
            from ${days}
          ) days
          where ends_at - starts_at > ${SHORTEST_DAY}
          union all
          select ${range.to}, ${range.to}
        ) days
      ) spans
      where from_at < to_at`;
}
