import type { FieldError } from '../domain/json.ts';
import type { RecordContext } from '../http/operation.ts';

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

/** The warning for an item whose link `resolve_people_publishable` did not make. */
export function unmadeLink(pointer: string): FieldError {
  const detail =
    'These identities belong to several known people, and a publishable key cannot merge them. The item was stored for its first identity alone. Send it with a secret key to link them.';
  return { pointer: `${pointer}/person`, detail };
}
