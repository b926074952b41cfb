import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** An identity of a person: a namespace and a value, such as `email` and `ann@acme.com`. */
export interface Identity {
  namespace: string;
  value: string;
}

/** The most identities that an item may name. */
export const MAX_IDENTITIES = 10;
/** The longest identity value, in characters. */
export const MAX_IDENTITY_VALUE_LENGTH = 255;
/** Namespaces: lower-case letters, digits and `_`, 1 to 32 characters, a letter first. */
export const NAMESPACE_PATTERN = /^[a-z][a-z0-9_]{0,31}$/;

/** Namespaces whose values are handles: a leading `@` is removed, and case does not matter. */
const HANDLES: ReadonlySet<string> = new Set([
  'x',
  'twitter',
  'instagram',
  'threads',
  'tiktok',
  'github',
  'bluesky',
  'mastodon',
  'handle',
]);

/**
 * Values that broken senders send in place of a missing value. Linking by one of them would merge strangers.
 */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  '0',
  '-1',
  'null',
  'none',
  'nil',
  'nan',
  'n/a',
  'unknown',
  'undefined',
  '[object object]',
  'anonymous',
  'guest',
  'not_authenticated',
  'true',
  'false',
]);

/** The nil UUID in any spelling: with or without hyphens, in braces, as a URN. */
const NIL_UUID = /^(urn:uuid:)?\{?0{8}-?0{4}-?0{4}-?0{4}-?0{12}\}?$/;

/** Characters that nobody sees and keyboards of phones insert: zero-width spaces, marks of direction, soft hyphens. */
const INVISIBLE = /\p{Cf}/gu;

/**
 * Namespaces in order of priority. An item whose identities belong to several people belongs to
 * the person of the first.
 */
const PRIORITY = ['user_id', 'email', 'phone'];

/** Is the text one of the placeholders for a missing value? */
export function isPlaceholder(value: string): boolean {
  const text = value.trim().toLowerCase();
  return PLACEHOLDERS.has(text) || NIL_UUID.test(text);
}

/** The normalised value, or the reason why there is none. */
export type NormalisedIdentity =
  | { ok: true; value: string }
  | { ok: false; reason: 'placeholder' | 'invalid_phone' | 'invalid_domain' };

/**
 * Normalises an identity to the form that is compared and hashed.
 * @param defaultCountry ISO 3166 alpha-2, for phone numbers without `+`; null: such numbers are invalid
 */
export function normaliseIdentity(identity: Identity, defaultCountry: string | null): NormalisedIdentity {
  const trimmed = identity.value.trim().normalize('NFC');
  if (isPlaceholder(trimmed)) return { ok: false, reason: 'placeholder' };
  if (identity.namespace === 'email') return normaliseEmail(trimmed);
  if (identity.namespace === 'phone') return normalisePhone(trimmed, defaultCountry);
  if (identity.namespace === 'domain') {
    const value = normaliseDomain(trimmed);
    return value === null ? { ok: false, reason: 'invalid_domain' } : { ok: true, value };
  }
  if (HANDLES.has(identity.namespace)) {
    const value = trimmed.replace(/^@+/, '').toLowerCase();
    return isPlaceholder(value) ? { ok: false, reason: 'placeholder' } : { ok: true, value };
  }
  return { ok: true, value: trimmed };
}

/** Without characters that nobody sees. */
export function withoutInvisible(text: string): string {
  return text.replaceAll(INVISIBLE, '');
}

/** Lower case, without invisible characters, the domain in one spelling. */
export function normaliseEmail(value: string): NormalisedIdentity {
  const visible = withoutInvisible(value).trim().toLowerCase();
  if (isPlaceholder(visible)) return { ok: false, reason: 'placeholder' };
  const at = visible.lastIndexOf('@');
  const domain = at === -1 ? null : normaliseDomain(visible.slice(at + 1));
  return { ok: true, value: domain === null ? visible : `${visible.slice(0, at)}@${domain}` };
}

/** E.164, such as `+4915112345678`, with an extension as `+4915112345678;ext=12`. */
export function normalisePhone(value: string, defaultCountry: string | null): NormalisedIdentity {
  const parsed = parsePhoneNumberFromString(value, (defaultCountry as CountryCode | null) ?? undefined);
  if (!parsed?.isPossible()) return { ok: false, reason: 'invalid_phone' };
  return { ok: true, value: parsed.ext ? `${parsed.number};ext=${parsed.ext}` : parsed.number };
}

/**
 * Lower case, punycode, no trailing dot, no leading `www.`; never reduced to the registrable domain.
 * @returns null if the text is not a domain alone
 */
export function normaliseDomain(value: string): string | null {
  if (!URL.canParse(`http://${value}`)) return null;
  const url = new URL(`http://${value}`);
  const host = url.hostname.replace(/\.$/, '').replace(/^www\./, '');
  return host === '' || url.pathname !== '/' || url.port !== '' ? null : host;
}

/**
 * Compares by priority, which decides the person of an item: `user_id`, `email`, `phone`,
 * others a–z, `anonymous_id`.
 */
export function byPriority(a: Identity, b: Identity): number {
  return rank(a) - rank(b) || (a.namespace < b.namespace ? -1 : Number(a.namespace > b.namespace));
}

function rank(identity: Identity): number {
  if (identity.namespace === 'anonymous_id') return PRIORITY.length + 1;
  const index = PRIORITY.indexOf(identity.namespace);
  return index === -1 ? PRIORITY.length : index;
}
