/** Stored beside every hash, so that the deployment's secret can be rotated. */
export const HASH_VERSION = 1;

const NONCE_BYTES = 12;
const encoder = new TextEncoder();

/**
 * Hashing and encryption under the keys of one workspace. They are derived, so there is nothing to store or to leak.
 */
export interface WorkspaceSecrets {
  /** HMAC-SHA256 in hex. `purpose` keeps hashes of different things apart. */
  hash(purpose: string, text: string): Promise<string>;
  /** Encrypts with AES-GCM: 12 bytes of nonce, then the ciphertext, in hex. */
  seal(content: string | Uint8Array<ArrayBuffer>): Promise<string>;
  /** Decrypts the result of `seal`, as text. */
  open(sealedHex: string): Promise<string>;
  /** Decrypts the result of `seal`, as bytes. */
  openBytes(sealedHex: string): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Isolates live long and serve few workspaces each, and deriving two keys takes longer than the hashing of most
 * requests.
 */
const MAX_CACHED = 1000;
const cache = new Map<string, Promise<WorkspaceSecrets>>();

/** @param identitySecret the deployment's IDENTITY_SECRET */
export function secretsOf(identitySecret: string, workspaceId: string): Promise<WorkspaceSecrets> {
  const name = `${workspaceId} ${identitySecret}`;
  const known = cache.get(name);
  if (known) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const derived = derive(identitySecret, workspaceId);
  cache.set(name, derived);
  return derived;
}

async function derive(identitySecret: string, workspaceId: string): Promise<WorkspaceSecrets> {
  const root = await crypto.subtle.importKey('raw', encoder.encode(identitySecret), 'HKDF', false, [
    'deriveKey',
  ]);
  const from = (purpose: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encoder.encode(workspaceId),
    info: encoder.encode(purpose),
  });
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const hashKey = await crypto.subtle.deriveKey(from('throughline hash v1'), root, hmac, false, ['sign']);
  const aes = { name: 'AES-GCM', length: 256 };
  const sealKey = await crypto.subtle.deriveKey(from('throughline seal v1'), root, aes, false, [
    'encrypt',
    'decrypt',
  ]);
  const openBytes = async (sealedHex: string) => {
    const bytes = bytesOf(sealedHex);
    const iv = bytes.slice(0, NONCE_BYTES);
    const sealed = bytes.slice(NONCE_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, sealKey, sealed));
  };
  return {
    hash: async (purpose, text) =>
      hexOf(await crypto.subtle.sign('HMAC', hashKey, encoder.encode(`${purpose}\0${text}`))),
    seal: async (content) => {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const bytes = typeof content === 'string' ? encoder.encode(content) : content;
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, sealKey, bytes);
      return hexOf(iv) + hexOf(sealed);
    },
    open: async (sealedHex) => new TextDecoder().decode(await openBytes(sealedHex)),
    openBytes,
  };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function hexOf(bytes: ArrayBuffer | Uint8Array): string {
  let hex = '';
  for (const byte of new Uint8Array(bytes)) hex += HEX[byte];
  return hex;
}

/** The value of `0`–`9` or `a`–`f`, by its character code. */
function nibbleOf(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Of lower-case hex, without a string for each byte: a rejection may have millions of them. */
function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = 16 * nibbleOf(hex.charCodeAt(2 * i)) + nibbleOf(hex.charCodeAt(2 * i + 1));
  return bytes;
}

/** SHA-256 in hex. Only this hash of a token is stored; a token is random enough to need no keyed hash. */
export async function tokenHash(token: string): Promise<string> {
  return sha256(token);
}

/** In hex. */
export async function sha256(text: string): Promise<string> {
  return hexOf(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}
