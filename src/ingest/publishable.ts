import type { FieldError } from '../domain/json.ts';
import type { Caller } from '../http/caller.ts';
import type { RecordContext } from '../http/operation.ts';
import type { ItemResult } from './batch-answer.ts';
import type { PersonClaim } from './resolve-people-sql.ts';

/** Rules for items that were sent with a publishable key, which anyone can read in a page. */

/** True if the caller holds a publishable key. */
export function isPublishable({ caller }: Pick<RecordContext, 'caller'>): boolean {
  return caller.kind === 'publishable';
}

/** A warning for each of the named members that the item has and that is ignored. */
export function ignoredMembers(
  item: Readonly<Record<string, unknown>>,
  names: readonly string[],
  pointer: string,
  detail: string,
): FieldError[] {
  return names
    .filter((name) => item[name] !== null && item[name] !== undefined)
    .map((name) => ({ pointer: `${pointer}/${name}`, detail }));
}

/** The error for a goal that the key does not name; empty if it may record the goal. */
export function refusedGoal(goal: string, pointer: string, { goals }: Pick<Caller, 'goals'>): FieldError[] {
  if (goals === null || goals.includes(goal)) return [];
  const named = goals.length > 0 ? `may record ${goals.join(', ')}` : 'names no goals';
  const detail = `This publishable key ${named}. Create a key that names the goal in \`goals\`, or send the conversion with a secret key.`;
  return [{ pointer: `${pointer}/goal`, detail }];
}

/** The rows with the link fact that each asserts, if the caller is a page. A server's items need none. */
export function withPageLinks<R extends { id: string; page_link?: string }>(
  rows: readonly R[],
  claims: readonly PersonClaim[],
  context: RecordContext,
): readonly R[] {
  if (!isPublishable(context)) return rows;
  const links = new Map(claims.map(({ id, link_id }) => [id, link_id]));
  return rows.map((row) => {
    const page_link = links.get(row.id);
    return page_link === undefined ? row : { ...row, page_link };
  });
}

/**
 * The result as a page may see it. Whether the item was stored before, by whom and with what content, or whose consent
 * prevents it, would tell what the server knows about other people.
 */
export function uniformResult(result: ItemResult): ItemResult {
  const { index, id, status, warnings } = result;
  if (!['accepted', 'duplicate', 'conflict', 'dropped'].includes(status)) return result;
  return { index, id, status: 'accepted', ...(warnings && { warnings }) };
}
