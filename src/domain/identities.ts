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
  'null',
  'undefined',
  '[object object]',
  'anonymous',
  '00000000-0000-0000-0000-000000000000',
]);

/**
 * Namespaces in order of priority. An item whose identities belong to several people belongs to
 * the person of the first.
 */
const PRIORITY = ['user_id', 'email', 'phone'];

/** Is the text one of the placeholders for a missing value? */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDERS.has(value.trim().toLowerCase());
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
  if (PLACEHOLDERS.has(trimmed.toLowerCase())) return { ok: false, reason: 'placeholder' };
  if (identity.namespace === 'email') return { ok: true, value: trimmed.toLowerCase() };
  if (identity.namespace === 'phone') return normalisePhone(trimmed, defaultCountry);
  if (identity.namespace === 'domain') {
    const value = normaliseDomain(trimmed);
    return value === null ? { ok: false, reason: 'invalid_domain' } : { ok: true, value };
  }
  if (HANDLES.has(identity.namespace)) {
    const value = trimmed.replace(/^@+/, '').toLowerCase();
    return PLACEHOLDERS.has(value) ? { ok: false, reason: 'placeholder' } : { ok: true, value };
  }
  return { ok: true, value: trimmed };
}

/** E.164, such as `+4915112345678`. */
export function normalisePhone(value: string, defaultCountry: string | null): NormalisedIdentity {
  const parsed = parsePhoneNumberFromString(value, (defaultCountry as CountryCode | null) ?? undefined);
  return parsed?.isPossible() ? { ok: true, value: parsed.number } : { ok: false, reason: 'invalid_phone' };
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
