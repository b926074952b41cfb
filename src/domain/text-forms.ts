import { isExactNumber } from './exact-json.ts';
import { addressesIn, phonesIn, phonesOf } from './found-in-text.ts';
import {
  isPlaceholder,
  MAX_IDENTITY_VALUE_LENGTH,
  normaliseDomain,
  normaliseEmail,
  withoutInvisible,
} from './identities.ts';
import { FIELD_NAMES, partsOfLine } from './line-parts.ts';

/** The most strings of an item whose forms are computed, so that no item takes any amount of work. */
export const MAX_STRINGS = 1000;

/** No identity is longer: a value has 255 characters at most, of which composition makes three times as many at most. */
const MAX_FORM_LENGTH = 3 * MAX_IDENTITY_VALUE_LENGTH;

/**
 * Is the value found in texts without its namespace? Short numbers are quantities and prices far more often than they
 * name somebody: an erasure or an export would take items of others along.
 */
export function isTelling(value: string): boolean {
  return !/^\d{1,5}$/.test(value);
}

export interface TextForms {
  texts: ReadonlySet<string>;
  /** Forms and texts that were tried: what finding them, and hashing them, costs. */
  work: number;
}

/**
 * Every form that an identity in the item could have, whatever the item's shape and the identity's namespace: of each
 * string at any depth, of names of members, decimal texts of numbers and parts of lines; and addresses, handles and
 * phone numbers inside texts.
 * @param item JSON, or a text that is not JSON
 * @param defaultCountry ISO 3166 alpha-2, for phone numbers without `+`
 * @returns null if the item has more than 1,000 strings, or takes more than `maxWork`
 */
export function textFormsOf(item: unknown, defaultCountry: string | null, maxWork: number): TextForms | null {
  const texts = new Set<string>();
  let work = 0;
  for (const form of candidatesIn(item, defaultCountry)) {
    work += 1;
    if (form === TOO_MANY || work > maxWork) return null;
    if (form.length <= MAX_FORM_LENGTH && !isPlaceholder(form)) texts.add(form);
  }
  return { texts, work };
}

const TOO_MANY = Symbol('more than MAX_STRINGS');

/** Forms, and an empty text for each attempt that gave none. */
function* candidatesIn(
  item: unknown,
  defaultCountry: string | null,
): Generator<string | typeof TOO_MANY, void> {
  let strings = 0;
  for (const { text, inside, isJson } of stringsIn(item)) {
    strings += 1;
    if (strings > MAX_STRINGS) yield TOO_MANY;
    if (!isJson) yield* wholeForms(text.trim().normalize('NFC'), defaultCountry);
    if (inside === null) continue;
    const normal = inside.trim().normalize('NFC');
    yield* formsInside(normal, defaultCountry);
    if (normal.includes('%')) yield* formsInside(percentDecoded(normal), defaultCountry);
  }
}

interface StringOfItem {
  text: string;
  /** What is searched for addresses; null for a part of a line, which is searched as a whole. */
  inside: string | null;
  /** A line of what should be JSON. No value looks like it. */
  isJson?: boolean;
}

function* stringsIn(value: unknown, depth = 0): Generator<StringOfItem> {
  if (typeof value === 'string') {
    // An item that is text is a line that could not be read. Deeper, it may be JSON that was encoded twice.
    const isLine = depth === 0 || /^\s*[{["]/.test(value);
    const inside = isLine ? withoutEscapes(value) : value;
    yield { text: value, inside, isJson: depth === 0 && /^\s*[{[]\s*["{]/.test(value) };
    if (isLine) for (const part of partsOfLine(inside)) yield { text: part, inside: null };
  } else if (typeof value === 'number') yield { text: String(value), inside: String(value) };
  else if (isExactNumber(value)) yield { text: value.rawJSON, inside: value.rawJSON };
  else if (Array.isArray(value)) for (const member of value) yield* stringsIn(member, depth + 1);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (!FIELD_NAMES.has(name)) yield { text: name, inside: name };
      yield* stringsIn(member, depth + 1);
    }
  }
}

/** The forms to which the namespaces normalise a value that is this text. */
function* wholeForms(text: string, defaultCountry: string | null): Generator<string> {
  yield text;
  const lower = text.toLowerCase();
  if (lower !== text) yield lower;
  if (lower.startsWith('@')) yield lower.replace(/^@+/, '');
  if (text.length > MAX_FORM_LENGTH) return;
  if (text.includes('@')) {
    yield emailForm(text);
    return;
  }
  // A number is read as an IPv4 address, which nobody means.
  const domain = /^[\d.]+$/.test(text) ? null : normaliseDomain(text);
  if (domain !== null && domain !== lower) yield domain;
  if (/(\d\D*){3}/.test(text)) yield* ['', ...phonesOf(text, defaultCountry)];
}

/** The text as an e-mail address is compared; a handle as it is. */
function emailForm(text: string): string {
  const email = normaliseEmail(text);
  return email.ok ? email.value : '';
}

function* formsInside(text: string, defaultCountry: string | null): Generator<string> {
  for (const address of addressesIn(withoutInvisible(text))) yield emailForm(address);
  for (const phone of phonesIn(text, defaultCountry)) yield* ['', ...phonesOf(phone, defaultCountry)];
}

/** As a query string means it, as far as it can be decoded. */
function percentDecoded(text: string): string {
  return text.replaceAll('+', ' ').replaceAll(/(?:%[0-9a-f]{2})+/gi, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}

/** Without the escapes of JSON that hide a character: `\u0040`, `\/`, `\"`. */
function withoutEscapes(line: string): string {
  return line
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(/\\(["\\/])/g, '$1');
}
