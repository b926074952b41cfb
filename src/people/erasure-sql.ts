import { type SQL, sql } from 'drizzle-orm';

/** The receipt, or null if there is no such person; see `migrations/functions/erase_person.sql`. */
export function callErasePerson(workspaceId: string, personId: string, now: Date): SQL {
  return sql`select erase_person(${workspaceId}::uuid, ${personId}::uuid, ${now.toISOString()}::timestamptz) as receipt`;
}

/**
 * True if this request erased the person: the receipt is dated now. `callErasePerson` returns a row even if nothing was
 * done, with null for an unknown person and with the first receipt for a repeated request.
 *
 * Needs: `receipt`. Gives: a condition.
 */
export function isErasedAt(now: Date): SQL {
  return sql`(receipt ->> 'erased_at')::timestamptz = ${now.toISOString()}::timestamptz`;
}
