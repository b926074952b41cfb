import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { SPEND_DIMENSIONS, type SpendDimension } from '../domain/touchpoint-fields.ts';
import { type CreditQuestion, intervalOf } from '../stats/credit-sql.ts';
import { exchangeRates, fxRateOf } from '../stats/fx-sql.ts';
import { isOneOf } from '../stats/where-sql.ts';

const COLUMNS: Record<SpendDimension, SQL> = {
  channel: sql`s.channel`,
  source: sql`s.source`,
  medium: sql`s.medium`,
  campaign: sql`s.campaign`,
};

export interface SpendQuestion extends CreditQuestion {
  group_by: readonly SpendDimension[];
}

/**
 * The steps `spent_days`, `spend_fx` and `spent (interval, dimensions, amount, lacks_rate)`: what was spent on the days
 * of the range, a row for each day of each row of spend, in the report's currency. A row is spread evenly over the days
 * that it covers; a day is in the range if it begins there, in the workspace's zone, and is of the interval in which it
 * begins. Where the question narrows touchpoints by what spend has too, it narrows spend.
 */
export function spentInRange(question: SpendQuestion): SQL {
  const { workspace_id, workspace_timezone, from, to, group_by } = question;
  const begin = sql`(day.day at time zone ${workspace_timezone})`;
  const rates = sql.identifier('spend_fx');
  const group = sql.join(
    group_by.map((dimension) => COLUMNS[dimension]),
    sql`, `,
  );
  return sql`
    spent_days as materialized (
      select ${intervalOf(question, begin)} as interval, array[${group}] collate "C" as dimensions, s.currency,
        day.day::date as day, s.amount / (s."to" - s."from" + 1) as amount
      from spend s
      cross join lateral generate_series(
        greatest(s."from"::timestamp, date_trunc('day', ${from}::timestamptz at time zone ${workspace_timezone})),
        least(s."to"::timestamp, ${to}::timestamptz at time zone ${workspace_timezone}),
        interval '1 day'
      ) day
      where ${sql.join([sql`s.workspace_id = ${tenant(workspace_id)}`, ...narrowed(question.where)], sql` and `)}
        and s."from" <= (${to}::timestamptz at time zone ${workspace_timezone})::date
        and s."to" >= (${from}::timestamptz at time zone ${workspace_timezone})::date
        and ${begin} >= ${from}::timestamptz
        and ${begin} < ${to}::timestamptz
    ), ${exchangeRates(question, sql`select currency, day from spent_days`, rates)},
    spent as materialized (
      select interval, dimensions, amount * rate as amount, rate is null as lacks_rate
      from (select *, ${fxRateOf(question, sql`currency`, sql`day`, rates)} as rate from spent_days) priced
    )`;
}

function narrowed(where: Where): SQL[] {
  return SPEND_DIMENSIONS.flatMap((dimension) => {
    const values = where[dimension];
    return values ? [isOneOf(COLUMNS[dimension], values)] : [];
  });
}
