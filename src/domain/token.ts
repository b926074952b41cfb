import type { KeyKind } from './settings.ts';

/** The prefix of a key's token, by kind of key. */
const KEY_PREFIXES = { secret: 'tl_sk_', publishable: 'tl_pk_' } as const satisfies Record<KeyKind, string>;
const PREFIX_LENGTH = 6;

/** The prefix of read tokens. They are signed and not stored: the rest is a JWT. */
export const READ_TOKEN_PREFIX = 'tl_rt_';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Lengths in base62 digits: 62^43 is above 2^256, and 62^6 is above 2^32. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;

/**
 * Makes the token of a key: a prefix, 256 random bits and their CRC-32, in base62. The checksum
 * allows a mistyped or invented token to be rejected without a query, and lets scanners find
 * leaked tokens with few false alarms.
 * @param random 32 random bytes
 * @returns 55 characters
 */
export function formatToken(random: Uint8Array, kind: KeyKind = 'secret'): string {
  const text = KEY_PREFIXES[kind] + base62(bigintOf(random), SECRET_LENGTH);
  return text + checksumOf(text);
}

/** Does the text contain the prefix of a key or of a read token? The key or token need not exist. */
export function holdsToken(text: string): boolean {
  return /tl_(sk|pk|rt)_/.test(text);
}

/** Decodes escaped ASCII, which is all that a key consists of. Unlike `decodeURIComponent` it takes any path. */
export function unescapeAscii(path: string): string {
  return path.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The path with `***` for each segment that contains a key or a token, escaped or not. */
export function maskTokens(path: string): string {
  return path
    .split('/')
    .map((segment) => (holdsToken(unescapeAscii(segment)) ? '***' : segment))
    .join('/');
}

/** Is it well-formed as the token of a key, checksum included? The key need not exist. */
export function isWellFormedToken(token: string): boolean {
  const isOfKind = Object.values(KEY_PREFIXES).some((prefix) => token.startsWith(prefix));
  if (!isOfKind || token.length !== PREFIX_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH) return false;
  return checksumOf(token.slice(0, -CHECKSUM_LENGTH)) === token.slice(-CHECKSUM_LENGTH);
}

function checksumOf(text: string): string {
  return base62(BigInt(crc32(new TextEncoder().encode(text))), CHECKSUM_LENGTH);
}

function bigintOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function base62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** CRC-32 as in gzip and PNG (reflected, polynomial 0xEDB88320). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
