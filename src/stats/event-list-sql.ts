import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/** The filter of a list of touchpoints or conversions; a null field does not filter. */
export interface EventListFilter {
  from: Date | null;
  to: Date | null;
  received_after: string | null;
  person_id: string | null;
  account_id: string | null;
}

/**
 * The conditions of the filter, and that rows follow the last row of the previous page in the order
 * `(occurred_at desc, id desc)`.
 *
 * Needs: `row`, the alias of a row of touchpoints or conversions. Gives: conditions to join with `and`.
 * @param after the last row of the previous page; null on the first page
 */
export function eventConditions(
  workspaceId: string,
  row: SQL,
  filter: EventListFilter,
  after: { at: string; id: string } | null,
): SQL[] {
  const { from, to, received_after, person_id, account_id } = filter;
  const conditions = [sql`${row}.workspace_id = ${tenant(workspaceId)}`];
  if (from) conditions.push(sql`${row}.occurred_at >= ${from.toISOString()}::timestamptz`);
  if (to) conditions.push(sql`${row}.occurred_at < ${to.toISOString()}::timestamptz`);
  if (received_after) conditions.push(sql`${row}.received_at > ${received_after}::timestamptz`);
  if (person_id) conditions.push(sql`${row}.person_id = ${person_id}::uuid`);
  if (account_id) conditions.push(sql`${row}.account_id = ${account_id}`);
  if (after)
    conditions.push(
      sql`(${row}.occurred_at, ${row}.id) < (${after.at}::timestamptz, ${after.id}::text collate "C")`,
    );
  return conditions;
}
