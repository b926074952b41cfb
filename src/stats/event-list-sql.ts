import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';

/** Which touchpoints or conversions a list shows; null: all. */
export interface EventListFilter {
  from: Date | null;
  to: Date | null;
  received_after: string | null;
  person_id: string | null;
  account_id: string | null;
}

/**
 * Conditions on rows `row` of touchpoints or conversions, and that they come after the last one of the page before, by
 * `(occurred_at desc, id desc)`.
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
