import type { FieldError } from '../domain/json.ts';
import type { RecordContext } from '../http/operation.ts';

/** What is believed of an item that a publishable key sent, which anyone can read in a page. */

/** Was it sent with a key that anyone can read? */
export function isPublishable({ caller }: Pick<RecordContext, 'caller'>): boolean {
  return caller.kind === 'publishable';
}

/** Warnings on the members of an item that are there and do not count. */
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

/** Of an item whose link `resolve_people_publishable` did not make. */
export function unmadeLink(pointer: string): FieldError {
  const detail =
    'These identities belong to people who are known already, whom a publishable key does not join: the item is of its first identity alone. Send it with a secret key to link them.';
  return { pointer: `${pointer}/person`, detail };
}
