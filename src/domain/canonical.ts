import { isExactNumber } from './exact-json.ts';

/**
 * Canonical forms of items. Two items with one id are the same if and only if their forms are equal. The version is
 * stored beside the hash of each form, so that the form can change.
 */
export const CANONICAL_VERSION = 2;

/**
 * Version 2, of an item that was parsed, and so normalised: keys sorted; members that are null or blank text left out;
 * integers with all their digits.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'number') return Number.isSafeInteger(member) ? member : longNumber(member);
    if (!isObject(member)) return member;
    return sorted(member, (inner) => inner !== null && !isBlank(inner));
  });
}

/**
 * Version 1, which release 0.1.0 stored, of an item as it was sent: keys sorted, members that are null left out,
 * integers beyond 2^53 rounded.
 */
export function canonicalJsonV1(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (isExactNumber(member)) return Number(member.rawJSON);
    return isObject(member) ? sorted(member, (inner) => inner !== null) : member;
  });
}

/** Is it text without a character that can be seen? */
export function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

function sorted(value: object, isPresent: (member: unknown) => boolean): object {
  const present = Object.entries(value).filter(([, member]) => isPresent(member));
  return Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A number beyond 2^53 that was sent with an exponent, in the form of one that was sent by its digits. */
function longNumber(value: number): unknown {
  return Number.isInteger(value) ? JSON.rawJSON(BigInt(value).toString()) : value;
}
