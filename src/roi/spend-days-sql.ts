import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { SPEND_DIMENSIONS, type SpendDimension } from '../domain/touchpoint-fields.ts';
import { type CreditQuestion, intervalOf } from '../stats/credit-question.ts';
import { exchangeRates, fxRateOf } from '../stats/fx-sql.ts';
import { isOneOf } from '../stats/where-sql.ts';

/** The column of each dimension of spend. Needs: `s`, a spend row. Gives: a text expression per dimension. */
const COLUMNS: Record<SpendDimension, SQL> = {
  channel: sql`s.channel`,
  source: sql`s.source`,
  medium: sql`s.medium`,
  campaign: sql`s.campaign`,
};

/** A query for credit whose groups exist for spend too. */
export interface SpendQuestion extends CreditQuestion {
  group_by: readonly SpendDimension[];
}

/**
 * Spend on the days of the range, a row per spend row and day, in the report's currency. A spend row is
 * spread evenly over the days that it covers. A day is in the range if it begins there, in the workspace's
 * time zone, and belongs to the interval in which it begins. A filter of touchpoints by a dimension that
 * spend has filters spend as well.
 *
 * Needs: no step. Gives: the steps `spent_days`, `spend_fx` and `spent (interval, dimensions,
 * amount, lacks_rate)`.
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

/** The filter of spend. Needs: `s`, a spend row. Gives: conditions to join with `and`. */
function narrowed(where: Where): SQL[] {
  return SPEND_DIMENSIONS.flatMap((dimension) => {
    const values = where[dimension];
    return values ? [isOneOf(COLUMNS[dimension], values)] : [];
  });
}
