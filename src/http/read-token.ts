import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import * as z from 'zod';
import { REPORT_SCOPES, REPORTS } from '../domain/settings.ts';
import { READ_TOKEN_PREFIX } from '../domain/token.ts';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import type { Config } from './config.ts';
import { ApiError } from './errors.ts';

/**
 * Read tokens: `tl_rt_` and a JWT, signed here and nowhere else, with the reports and rows that a frontend may read.
 */

const ALGORITHM = 'HS256';

/** Short enough for one header through proxies that allow 8 KiB. */
const MAX_TOKEN_LENGTH = 7000;

/** Validated when the token was created, and signed since. */
const values = z.array(z.string().nullable());

/** The content of a token, in the names of the wire. Its holder can read it. */
const Claims = z.object({
  workspace_id: z.uuid(),
  key_id: z.string(),
  allowed_origins: z.array(z.string()),
  reports: z.array(z.enum(REPORTS)),
  where: z.partialRecord(z.enum(DIMENSIONS), values),
  where_conversion: z.record(z.string(), values),
  scope: z.union([z.enum(REPORT_SCOPES), z.literal(null)]),
});
export type Claims = z.output<typeof Claims>;

const encoder = new TextEncoder();
const keys = new Map<string, Promise<CryptoKey>>();

/** The secrets of read tokens: the first one signs, and a token of any of them is accepted. */
export type TokenSecrets = readonly [string, ...string[]];

/**
 * Tokens that the identity secrets signed are accepted although TOKEN_SECRET is set, because release 0.1.0 signed with
 * IDENTITY_SECRET and a token lives for a day. The release after the next one accepts them no more.
 */
export function tokenSecrets(config: Config): TokenSecrets {
  const { token_secret, token_secret_previous, identity_secret, identity_secret_previous } = config;
  const others = [token_secret_previous, identity_secret, identity_secret_previous];
  return [token_secret || identity_secret, ...others.flatMap((secret) => secret || [])];
}

/** Derived for this purpose alone, so that nothing else derived from the secret can pass as a token. */
function signingKey(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known) return known;
  const derived = derive(secret);
  keys.set(secret, derived);
  return derived;
}

async function derive(secret: string): Promise<CryptoKey> {
  const root = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const info = encoder.encode('throughline read token v1');
  const from = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
  return crypto.subtle.deriveKey(from, root, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, [
    'sign',
    'verify',
  ]);
}

/** @param expiresAt truncated to the second, the precision of JWTs */
export async function signReadToken(
  claims: Claims,
  expiresAt: Date,
  [secret]: TokenSecrets,
): Promise<string> {
  const jwt = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: ALGORITHM })
    .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
    .sign(await signingKey(secret));
  const token = READ_TOKEN_PREFIX + jwt;
  if (token.length <= MAX_TOKEN_LENGTH) return token;
  const detail = `The token would have ${token.length} characters, and headers have room for ${MAX_TOKEN_LENGTH}; name fewer origins or values.`;
  throw new ApiError('invalid_request', detail, { errors: [{ pointer: '', detail }] });
}

/** @throws ApiError unauthenticated, without a query, if the token was not signed here or has expired */
export async function readClaims(token: string, secrets: TokenSecrets, now: Date): Promise<Claims> {
  const payload = await verified(token.slice(READ_TOKEN_PREFIX.length), secrets, now);
  const claims = Claims.safeParse(payload);
  if (claims.success) return claims.data;
  throw new ApiError('unauthenticated', 'The read token is of another version; request a new one.');
}

async function verified(jwt: string, secrets: TokenSecrets, now: Date): Promise<unknown> {
  const options = { algorithms: [ALGORITHM], currentDate: now, requiredClaims: ['exp'] };
  for (const secret of secrets) {
    try {
      return (await jwtVerify(jwt, await signingKey(secret), options)).payload;
    } catch (error) {
      // Every error of the library has a code; any other error is a defect of ours.
      const code = (error as { code?: unknown }).code;
      if (code === 'ERR_JWT_EXPIRED')
        throw new ApiError('unauthenticated', 'The read token has expired; request a new one.');
      if (typeof code !== 'string' || !code.startsWith('ERR_J')) throw error;
    }
  }
  throw new ApiError(
    'unauthenticated',
    'The read token was not created here, or is cut off; request a new one.',
  );
}
