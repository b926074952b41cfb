import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** One name of a person: a namespace and a value, as `email` and `ann@acme.com`. */
export interface Identity {
  namespace: string;
  value: string;
}

export const MAX_IDENTITIES = 10;
export const MAX_IDENTITY_VALUE_LENGTH = 255;
export const NAMESPACE_PATTERN = /^[a-z][a-z0-9_]{0,31}$/;

/** Namespaces whose values are handles: no leading `@`, no case. */
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

/** What broken senders put where a value should be. Linking by one of them would make everybody one person. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  '0',
  'null',
  'undefined',
  '[object object]',
  'anonymous',
  '00000000-0000-0000-0000-000000000000',
]);

/** An item whose identities are of several people belongs to the person of the first of these. */
const PRIORITY = ['user_id', 'email', 'phone'];

/** Is this what stands where a value is missing? */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDERS.has(value.trim().toLowerCase());
}

export type NormalisedIdentity =
  | { ok: true; value: string }
  | { ok: false; reason: 'placeholder' | 'invalid_phone' | 'invalid_domain' };

/**
 * The form under which a value is compared and hashed.
 * @param defaultCountry ISO 3166 alpha-2, for phone numbers without `+`
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

/** E.164, as `+4915112345678`. */
function normalisePhone(value: string, defaultCountry: string | null): NormalisedIdentity {
  const parsed = parsePhoneNumberFromString(value, (defaultCountry as CountryCode | null) ?? undefined);
  return parsed?.isPossible() ? { ok: true, value: parsed.number } : { ok: false, reason: 'invalid_phone' };
}

/** Lower case, punycode, no trailing dot, no leading `www.`; never cut to the registrable domain. */
export function normaliseDomain(value: string): string | null {
  if (!URL.canParse(`http://${value}`)) return null;
  const url = new URL(`http://${value}`);
  const host = url.hostname.replace(/\.$/, '').replace(/^www\./, '');
  return host === '' || url.pathname !== '/' || url.port !== '' ? null : host;
}

/** Sorts the identity first that decides whose an item is: `user_id`, `email`, `phone`, others a–z, `anonymous_id`. */
export function byPriority(a: Identity, b: Identity): number {
  return rank(a) - rank(b) || (a.namespace < b.namespace ? -1 : Number(a.namespace > b.namespace));
}

function rank(identity: Identity): number {
  if (identity.namespace === 'anonymous_id') return PRIORITY.length + 1;
  const index = PRIORITY.indexOf(identity.namespace);
  return index === -1 ? PRIORITY.length : index;
}
