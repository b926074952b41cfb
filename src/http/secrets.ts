import { bytesOf, hexOf } from './hex.ts';
import { type KeyMaterial, unlessForged } from './key-material.ts';

const NONCE_BYTES = 12;
const encoder = new TextEncoder();

/** Hashing and encryption under the key material of one workspace. */
export interface WorkspaceSecrets {
  /** Stored beside every identity. */
  hash_version: number;
  /** HMAC-SHA256 in hex. `purpose` keeps hashes of different things apart. */
  hash(purpose: string, text: string): Promise<string>;
  /** Encrypts with AES-GCM: 12 bytes of nonce, then the ciphertext, in hex. */
  seal(content: string | Uint8Array<ArrayBuffer>): Promise<string>;
  /** Decrypts the result of `seal`, as text; null if it was not sealed under this key material. */
  open(sealedHex: string): Promise<string | null>;
  /** Decrypts the result of `seal`, as bytes. @throws OperationError if it was not sealed under this key material */
  openBytes(sealedHex: string): Promise<Uint8Array<ArrayBuffer>>;
}

export async function secretsFrom({ bytes, hash_version }: KeyMaterial): Promise<WorkspaceSecrets> {
  const middle = bytes.length >> 1;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const hashKey = await crypto.subtle.importKey('raw', bytes.slice(0, middle), hmac, false, ['sign']);
  const sealKey = await crypto.subtle.importKey('raw', bytes.slice(middle), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const openBytes = async (sealedHex: string) => {
    const sealed = bytesOf(sealedHex);
    const iv = sealed.slice(0, NONCE_BYTES);
    const content = sealed.slice(NONCE_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, sealKey, content));
  };
  return {
    hash_version,
    hash: async (purpose, text) =>
      hexOf(await crypto.subtle.sign('HMAC', hashKey, encoder.encode(`${purpose}\0${text}`))),
    seal: async (content) => {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const plain = typeof content === 'string' ? encoder.encode(content) : content;
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, sealKey, plain);
      return hexOf(iv) + hexOf(sealed);
    },
    open: async (sealedHex) => {
      const plain = await unlessForged(openBytes(sealedHex));
      return plain && new TextDecoder().decode(plain);
    },
    openBytes,
  };
}

/** SHA-256 in hex. Only this hash of a token is stored; a token is random enough to need no keyed hash. */
export async function tokenHash(token: string): Promise<string> {
  return sha256(token);
}

/** In hex. */
export async function sha256(text: string): Promise<string> {
  return hexOf(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}
