import { parseExactJson } from '../domain/exact-json.ts';
import { isDeeperThan, MAX_DEPTH } from '../domain/json.ts';
import { ApiError } from './errors.ts';

/** The limit of a body after inflation: small enough for one isolate to hold it several times over. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** The limit of lines, with one item each: more would exceed the time of one transaction. */
export const MAX_NDJSON_LINES = 10_000;

export type BodyFormat = 'json' | 'ndjson';

const FORMATS: Record<string, BodyFormat> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/**
 * The body as text. Its size is limited before and after inflation, and it has to be UTF-8. gzip is recognised by its
 * first bytes too, because some clients leave the header out.
 */
export async function readText(request: Request): Promise<string> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new ApiError(
      'unsupported_media_type',
      `Content-Encoding ${encoding} is not supported; send gzip or none.`,
    );
  }
  const bytes = request.body ? await readCapped(request.body) : new Uint8Array();
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (encoding === 'gzip' && bytes.length > 0 && !isGzip) {
    throw new ApiError(
      'malformed_json',
      'Content-Encoding is gzip, but the body is not; compress it or leave the header out.',
    );
  }
  const inflated = isGzip ? await inflate(bytes) : bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(inflated);
  } catch (error) {
    if (error instanceof TypeError)
      throw new ApiError('malformed_json', 'The body is not UTF-8; send it in UTF-8.');
    throw error;
  }
}

/** Inflates gzip, up to the limit of a body. */
export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readCapped(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('malformed_json', 'The body is not valid gzip; check whether it is cut off.');
  }
}

async function readCapped(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) {
      throw new ApiError(
        'body_too_large',
        `The body is over ${MAX_BODY_BYTES} bytes (5 MiB); send smaller batches.`,
      );
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/**
 * The format of the body, from its content type.
 * @param allowed the formats that the route accepts
 */
export function formatOf(request: Request, allowed: readonly BodyFormat[]): BodyFormat {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const format = FORMATS[type];
  if (format && allowed.includes(format)) return format;
  const names = allowed
    .map((name) => (name === 'json' ? 'application/json' : 'application/x-ndjson'))
    .join(' or ');
  throw new ApiError(
    'unsupported_media_type',
    `Content-Type ${type || '(none)'} is not accepted here; send ${names}.`,
  );
}

/**
 * Parses JSON text.
 * @throws ApiError if it is empty, broken or nested too deeply
 */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new ApiError('malformed_json', 'The body is empty; send a JSON object.');
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ApiError(
        'malformed_json',
        'The body is not JSON; check whether it is cut off or has a stray comma.',
      );
    throw error;
  }
  if (isDeeperThan(value, MAX_DEPTH)) {
    throw new ApiError(
      'too_deep',
      `Objects and arrays are nested more than ${MAX_DEPTH} deep; flatten them.`,
    );
  }
  return value;
}

/** The body of a route that takes one JSON object. */
export async function readJson(request: Request): Promise<unknown> {
  formatOf(request, ['json']);
  return parseJson(await readText(request));
}
