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
export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = 16 * nibbleOf(hex.charCodeAt(2 * i)) + nibbleOf(hex.charCodeAt(2 * i + 1));
  return bytes;
}
