import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../../db/tenant.ts';
import { goalsOf, questionId } from './kept-days-sql.ts';
import { ASKED_OFTEN, type KeptQuestion } from './kept-question.ts';

/**
 * The most questions of a workspace whose sums are kept: so many with a filter, and as many without one, so that a page that
 * asks for many filters leaves room for the others.
 */
export const MAX_KEPT_QUESTIONS = 20;
/** The most that are known but not kept, because they were asked once. */
const MAX_NOTED_QUESTIONS = 200;
/** A question that has too many groups is tried again after this many days. */
const REFUSED_DAYS = 30;

/** A request for the sums of a question. */
export interface AskedQuestion {
  question: KeptQuestion;
  /** The beginning of the range. */
  from: string;
}

/**
 * Notes that a question was asked. From the second time on its sums are kept, if there is room. Otherwise it takes the place of
 * the one that was not asked for longest, unless that was today.
 */
export function noteQuestion(workspaceId: string, { question, from }: AskedQuestion): SQL[] {
  const ours = (alias: SQL) => sql`${alias}.workspace_id = ${tenant(workspaceId)}`;
  const today = sql`(now() at time zone 'UTC')::date`;
  const id = questionId(sql`${JSON.stringify(question)}::jsonb`);
  return [
    sql`
    insert into credit_questions (workspace_id, id, question, goals, timezone, since, asked_on)
    select ${workspaceId}::uuid, ${id}, ${JSON.stringify(question)}::jsonb, ${sql.param(goalsOf(question))}::text[], ${question.timezone},
      (${from}::timestamptz at time zone ${question.timezone}::text)::date, ${today}
    where (select count(*) from credit_questions q where ${ours(sql`q`)} and q.kept_at is null) < ${MAX_NOTED_QUESTIONS}
      or exists (select from credit_questions q where ${ours(sql`q`)} and q.id = ${id})
    on conflict (workspace_id, id) do update
    set asked = credit_questions.asked + 1, asked_on = excluded.asked_on,
      since = least(credit_questions.since, excluded.since)`,
    sql`
    with wanted as materialized (
      select q.id
      from credit_questions q
      where ${ours(sql`q`)} and q.id = ${id} and q.kept_at is null and q.asked >= ${ASKED_OFTEN}::int
        and (q.refused_at is null or q.refused_at < now() - make_interval(days => ${REFUSED_DAYS}::int))
    ), kept as materialized (
      select q.id, q.asked_on, row_number() over (order by q.asked_on, q.id) as nth, count(*) over () as questions
      from credit_questions q
      where ${ours(sql`q`)} and q.kept_at is not null and exists (select from wanted)
        and ${isFiltered(sql`q.question`)} = ${isFiltered(sql`${JSON.stringify(question)}::jsonb`)}
    ), replaced as materialized (
      select id
      from kept
      where nth = 1 and questions >= ${MAX_KEPT_QUESTIONS}::int and asked_on < ${today}
    ), days as (
      delete from credit_days d
      where ${ours(sql`d`)} and d.question_id in (select id from replaced)
    ), totals as (
      delete from credit_totals t
      where ${ours(sql`t`)} and t.question_id in (select id from replaced)
    ), months as (
      delete from credit_months m
      where ${ours(sql`m`)} and m.question_id in (select id from replaced)
    )
    update credit_questions q
    set kept_at = case when q.id in (select id from wanted) then now() end, noticed_by = null, usable_from = null,
      refused_at = null
    where ${ours(sql`q`)} and (
      q.id in (select id from replaced)
      or q.id in (select id from wanted)
        and ((select count(*) from kept) < ${MAX_KEPT_QUESTIONS}::int or exists (select from replaced))
    )`,
    sql`
    insert into credit_horizons (workspace_id, written_by)
    select ${workspaceId}::uuid, pg_current_xact_id()
    where exists (select from credit_questions q where ${ours(sql`q`)} and q.kept_at is not null)
    on conflict (workspace_id) do nothing`,
  ];
}

function isFiltered(question: SQL): SQL {
  return sql`(${question} -> 'where' <> '{}' or ${question} -> 'where_conversion' <> '{}')`;
}
