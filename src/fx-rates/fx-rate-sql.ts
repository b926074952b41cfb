import { type SQL, sql } from 'drizzle-orm';
import type { fx_rates } from '../db/money-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import { amountOut, instantOut } from '../http/fields.ts';
import type { FxRate, FxRatesInput } from './fx-rate-schema.ts';

/** Needs: a rate `r`. Gives: the columns that `fxRateOut` reads. */
const stored = sql`r.date::text, r."from", r."to", r.rate, r.updated_at`;
export type StoredFxRate = Omit<typeof fx_rates.$inferSelect, 'workspace_id'>;

/** Creates or replaces rates, and returns those that are new or have changed. */
export function upsertFxRates(workspaceId: string, { rates }: FxRatesInput): SQL {
  return sql`
    insert into fx_rates as r (workspace_id, date, "from", "to", rate)
    select ${workspaceId}::uuid, i.date, i."from", i."to", i.rate
    from jsonb_to_recordset(${JSON.stringify(rates)}::jsonb) as i (date date, "from" text, "to" text, rate numeric)
    order by i."from", i."to", i.date
    on conflict (workspace_id, "from", "to", date) do update set rate = excluded.rate, updated_at = now()
      where r.rate <> excluded.rate
    returning ${stored}`;
}

/** The rates that a list shows. Null matches all; days are inclusive. */
export interface FxRateFilter {
  first_day: string | null;
  last_day: string | null;
  from: string | null;
  to: string | null;
}

/**
 * Newest day first, then by pair.
 * @param after the last row of the previous page
 */
export function selectFxRates(
  workspaceId: string,
  filter: FxRateFilter,
  after: Pick<FxRate, 'date' | 'from' | 'to'> | null,
  limit: number,
): SQL {
  const { first_day, last_day, from, to } = filter;
  const conditions = [sql`r.workspace_id = ${tenant(workspaceId)}`];
  if (first_day) conditions.push(sql`r.date >= ${first_day}::date`);
  if (last_day) conditions.push(sql`r.date <= ${last_day}::date`);
  if (from) conditions.push(sql`r."from" = ${from}`);
  if (to) conditions.push(sql`r."to" = ${to}`);
  // Compared as text, because a forged cursor may hold a day that does not exist.
  if (after)
    conditions.push(
      sql`(r.date::text < ${after.date} or r.date::text = ${after.date} and (r."from", r."to") > (${after.from}::text, ${after.to}::text))`,
    );
  const rows = sql`
    select ${stored}
    from fx_rates r
    where ${sql.join(conditions, sql` and `)}
    order by r.date desc, r."from", r."to"
    limit ${limit + 1}`;
  return cutToPage(rows, sql`held.date desc, held."from", held."to"`, limit);
}

export function fxRateOut(row: StoredFxRate): FxRate {
  return { ...row, rate: amountOut(row.rate), updated_at: instantOut(row.updated_at) };
}
