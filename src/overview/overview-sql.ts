import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { type CreditQuestion, groupColumns } from '../stats/credit-question.ts';
import { creditByPlace, weight, worth } from '../stats/credit-sql.ts';
import { groupAsList } from '../stats/group-credit-sql.ts';
import { goalKeys, knownGoals } from '../stats/journey-sql.ts';
import { adjustedConversions, isUnretractedOfMany, MANY_ADJUSTED } from '../stats/net-conversion-sql.ts';
import { creditColumns } from '../stats/swept/swept-credit-sql.ts';

/** The effective query of one period: credit by channel under one model. */
export type OverviewQuestion = CreditQuestion;

/** Conversions of a period and credit by channel. Amounts are exact decimal text. */
export interface CreditAnswer {
  /** The goals that exist, among those of the query. */
  goals: string[] | null;
  conversions: number;
  value: string;
  attributed: number;
  lacks_rate: number;
  channels: { channel: string | null; conversions: number; value: number }[];
}

/**
 * The statement for the conversions of the period and the credit of each channel. Rows: one `CreditAnswer`.
 */
export function overviewCredit(question: OverviewQuestion): SQL {
  return sql`
    with ${creditByPlace(question)}
    select (${knownGoals(question.workspace_id, goalKeys(question))}) as goals,
      count(*) filter (where not retracted)::int as conversions,
      coalesce(sum(net) filter (where not retracted), 0)::text as value,
      count(*) filter (where is_attributed)::int as attributed,
      count(*) filter (where lacks_rate)::int as lacks_rate,
      (
        select coalesce(json_agg(json_build_object(
          'channel', dimensions[1], 'conversions', conversions, 'value', value
        ) order by conversions desc, dimensions), '[]')
        from (
          select dimensions, sum(conversions) as conversions, sum(value) as value
          from (
            select ${groupAsList(question)} as dimensions, sum(${weight(0)}) as conversions, coalesce(sum(${worth(0)}), 0) as value
            from by_place
            group by ${groupColumns(question)}
            union all
            select dimensions, ${creditColumns(0).net}, ${creditColumns(0).value}
            from swept_credit
          ) credited
          group by dimensions
        ) credited
      ) as channels
    from (
      select c.*, c.number in (select number from attributed) as is_attributed
      from converted c
      offset 0
    ) c`;
}

/** Conversations and pool of a period. */
export interface StateAnswer {
  /** In seconds; null if no conversation was answered. */
  median_first_response: number | null;
  waiting: number;
  pool: number;
}

/**
 * The statement for the first responses in conversations opened in the period, and for the waiting
 * conversations and the pool at its end. Rows: one `StateAnswer`.
 */
export function overviewState(question: OverviewQuestion, now: Date): SQL {
  const { workspace_id, from, to } = question;
  const end = new Date(Math.min(new Date(to).getTime(), now.getTime())).toISOString();
  return sql`
    with ${adjustedConversions(workspace_id, MANY_ADJUSTED)}
    select (
        select percentile_cont(0.5) within group (order by extract(epoch from v.first_response_at - v.opened_at)::float8)
        from conversations v
        where v.workspace_id = ${tenant(workspace_id)} and v.opened_at >= ${from}::timestamptz
          and v.opened_at < ${to}::timestamptz and v.first_response_at is not null
      ) as median_first_response,
      (${waitingAt(workspace_id, end)}) as waiting,
      (${poolAt(question, end)}) as pool`;
}

/**
 * The number of conversations that wait at an instant. If the last message precedes the instant, it decides.
 * For conversations that continued, the last message before the instant does, found by one look-up each.
 *
 * Needs: no step. Gives: a scalar subquery, without parentheses.
 */
function waitingAt(workspaceId: string, at: string): SQL {
  return sql`
        select (count(*) filter (where v.last_at < ${at}::timestamptz and v.last_direction = 'inbound')
          + count(*) filter (where v.last_at >= ${at}::timestamptz and (
              select t.direction
              from touchpoints t
              where t.workspace_id = ${tenant(workspaceId)} and t.conversation = v.id
                and t.occurred_at < ${at}::timestamptz and t.direction is not null and t.voided_at is null
              order by t.occurred_at desc, t.id desc
              limit 1
            ) = 'inbound'))::int
        from conversations v
        where v.workspace_id = ${tenant(workspaceId)}
          and (v.last_at >= ${at}::timestamptz or v.last_direction = 'inbound')`;
}

/**
 * The number of people who had reached a cultivation goal and had not converted on one of the goals. Both
 * kinds of conversions are one list, because a join would depend on sizes that the planner does not know.
 *
 * Needs: the step `adjusted`. Gives: a scalar subquery, without parentheses.
 */
function poolAt(question: OverviewQuestion, at: string): SQL {
  const { workspace_id } = question;
  return sql`
        select count(*)::int
        from (
          select c.person_id
          from conversions c
          join goals g on g.workspace_id = ${tenant(workspace_id)} and g.key = c.goal
          where c.workspace_id = ${tenant(workspace_id)}
            and (g.kind = 'cultivation' or g.key = any(${goalKeys(question)}))
            and c.occurred_at < ${at}::timestamptz and ${isUnretractedOfMany(workspace_id)}
          group by c.person_id
          having not bool_or(g.key = any(${goalKeys(question)}))
        ) pooled`;
}
