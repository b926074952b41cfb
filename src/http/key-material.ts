import { bytesOf, hexOf } from './hex.ts';

/**
 * The key material of workspaces: made once, never changed, and stored only sealed under keys that are derived from the
 * deployment's secrets (ADR 28).
 */

/** Two keys of 32 bytes: one to hash with, one to encrypt with. */
export interface KeyMaterial {
  bytes: Uint8Array<ArrayBuffer>;
  /** That of the identities hashed under it. */
  hash_version: number;
}

/** Key material as it is stored, and as a look-up of the workspace returns it. */
export interface WrappedKey {
  /** The fingerprint of the deployment secret that opens it. */
  secret_id: string;
  /** A nonce of 12 bytes, then the ciphertext, in hex. */
  sealed_key: string;
  hash_version: number;
}

/** A secret of the deployment, with what is derived from it. */
export interface DeploymentSecret {
  /** A fingerprint, which reveals nothing of the secret: 16 hex digits. */
  id: string;
  wrapping: CryptoKey;
  root: CryptoKey;
}

/** The secrets that open the key material of workspaces. New key material is wrapped under each of them. */
export type SecretRing = readonly [DeploymentSecret, ...DeploymentSecret[]];

/** Release 0.1.0 derived the key material from the secret. */
export const DERIVED = 1;
export const RANDOM = 2;

const KEY_BYTES = 32;
const MATERIAL_BYTES = 2 * KEY_BYTES;
const NONCE_BYTES = 12;
const FINGERPRINT_BYTES = 8;

const encoder = new TextEncoder();

/** The members of the configuration that make the ring. */
export interface RingSecrets {
  identity_secret: string;
  identity_secret_previous?: string | undefined;
}

const opened = new Map<string, Promise<DeploymentSecret>>();

/** The ring of a deployment: its secret and, while it rotates, the previous or the next one. */
export async function ringOf(config: RingSecrets): Promise<SecretRing> {
  const { identity_secret, identity_secret_previous } = config;
  const current = await secretOf(identity_secret);
  if (!identity_secret_previous || identity_secret_previous === identity_secret) return [current];
  return [current, await secretOf(identity_secret_previous)];
}

/** Derived once in an isolate: it has as many secrets as its configuration. */
function secretOf(secret: string): Promise<DeploymentSecret> {
  const known = opened.get(secret);
  if (known) return known;
  const made = openSecret(secret);
  opened.set(secret, made);
  return made;
}

async function openSecret(secret: string): Promise<DeploymentSecret> {
  const root = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, [
    'deriveKey',
    'deriveBits',
  ]);
  const idBits = 8 * FINGERPRINT_BYTES;
  const fingerprint = await crypto.subtle.deriveBits(hkdf('throughline secret id v1'), root, idBits);
  const aes = { name: 'AES-GCM', length: 256 };
  const wrapping = await crypto.subtle.deriveKey(hkdf('throughline wrap v1'), root, aes, false, [
    'encrypt',
    'decrypt',
  ]);
  return { id: hexOf(fingerprint), wrapping, root };
}

function hkdf(purpose: string, salt = '') {
  return { name: 'HKDF', hash: 'SHA-256', salt: encoder.encode(salt), info: encoder.encode(purpose) };
}

/** The key material of a new workspace. */
export function randomMaterial(): KeyMaterial {
  return { bytes: crypto.getRandomValues(new Uint8Array(MATERIAL_BYTES)), hash_version: RANDOM };
}

/** The key material of a workspace of release 0.1.0, which stored none. */
export async function derivedMaterial(secret: DeploymentSecret, workspaceId: string): Promise<KeyMaterial> {
  const bytes = new Uint8Array(MATERIAL_BYTES);
  const purposes = ['throughline hash v1', 'throughline seal v1'];
  for (const [i, purpose] of purposes.entries()) {
    const key = await crypto.subtle.deriveBits(hkdf(purpose, workspaceId), secret.root, 8 * KEY_BYTES);
    bytes.set(new Uint8Array(key), i * KEY_BYTES);
  }
  return { bytes, hash_version: DERIVED };
}

/** Seals key material under a deployment secret, for one workspace: the copy of a row does not open elsewhere. */
export async function wrapKey(
  { bytes, hash_version }: KeyMaterial,
  workspaceId: string,
  secret: DeploymentSecret,
): Promise<WrappedKey> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(cipher(iv, workspaceId), secret.wrapping, bytes);
  return { secret_id: secret.id, sealed_key: hexOf(iv) + hexOf(sealed), hash_version };
}

/** Opens wrapped key material; null if it is not of this secret and workspace. */
export async function unwrapKey(
  { secret_id, sealed_key, hash_version }: WrappedKey,
  workspaceId: string,
  secret: DeploymentSecret,
): Promise<KeyMaterial | null> {
  if (secret_id !== secret.id) return null;
  const sealed = bytesOf(sealed_key);
  const iv = sealed.slice(0, NONCE_BYTES);
  const content = sealed.slice(NONCE_BYTES);
  const bytes = await unlessForged(crypto.subtle.decrypt(cipher(iv, workspaceId), secret.wrapping, content));
  return bytes && { bytes: new Uint8Array(bytes), hash_version };
}

function cipher(iv: Uint8Array<ArrayBuffer>, workspaceId: string) {
  return { name: 'AES-GCM', iv, additionalData: encoder.encode(workspaceId) };
}

/** The result of a decryption; null if the content was not encrypted under the key. */
export async function unlessForged<T>(decrypting: Promise<T>): Promise<T | null> {
  try {
    return await decrypting;
  } catch (error) {
    if ((error as { name?: string }).name === 'OperationError') return null;
    throw error;
  }
}
