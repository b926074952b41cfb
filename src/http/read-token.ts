import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import * as z from 'zod';
import { REPORT_SCOPES, REPORTS } from '../domain/settings.ts';
import { READ_TOKEN_PREFIX } from '../domain/token.ts';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
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
let signing: { secret: string; key: Promise<CryptoKey> } | undefined;

/** Derived for this purpose alone, so that nothing else derived from the secret can pass as a token. */
function signingKey(identitySecret: string): Promise<CryptoKey> {
  if (signing?.secret !== identitySecret) signing = { secret: identitySecret, key: derive(identitySecret) };
  return signing.key;
}

async function derive(identitySecret: string): Promise<CryptoKey> {
  const root = await crypto.subtle.importKey('raw', encoder.encode(identitySecret), 'HKDF', false, [
    'deriveKey',
  ]);
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
  identitySecret: string,
): Promise<string> {
  const jwt = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: ALGORITHM })
    .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
    .sign(await signingKey(identitySecret));
  const token = READ_TOKEN_PREFIX + jwt;
  if (token.length <= MAX_TOKEN_LENGTH) return token;
  const detail = `The token would have ${token.length} characters, and headers have room for ${MAX_TOKEN_LENGTH}; name fewer origins or values.`;
  throw new ApiError('invalid_request', detail, { errors: [{ pointer: '', detail }] });
}

/** @throws ApiError unauthenticated, without a query, if the token was not signed here or has expired */
export async function readClaims(token: string, identitySecret: string, now: Date): Promise<Claims> {
  const payload = await verified(token.slice(READ_TOKEN_PREFIX.length), identitySecret, now);
  const claims = Claims.safeParse(payload);
  if (claims.success) return claims.data;
  throw new ApiError('unauthenticated', 'The read token is of another version; request a new one.');
}

async function verified(jwt: string, identitySecret: string, now: Date): Promise<unknown> {
  const key = await signingKey(identitySecret);
  const options = { algorithms: [ALGORITHM], currentDate: now, requiredClaims: ['exp'] };
  try {
    return (await jwtVerify(jwt, key, options)).payload;
  } catch (error) {
    // Every error of the library has a code; any other error is a defect of ours.
    const code = (error as { code?: unknown }).code;
    if (code === 'ERR_JWT_EXPIRED')
      throw new ApiError('unauthenticated', 'The read token has expired; request a new one.');
    if (typeof code === 'string' && code.startsWith('ERR_J'))
      throw new ApiError(
        'unauthenticated',
        'The read token was not created here, or is cut off; request a new one.',
      );
    throw error;
  }
}
