import { isDeeperThan, MAX_DEPTH } from '../domain/json.ts';
import { ApiError } from './errors.ts';

/** Of the body after inflation: small enough for one isolate to hold several times over. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** One item a line; more lines than this do not fit one transaction's time. */
export const MAX_NDJSON_LINES = 10_000;

export type BodyFormat = 'json' | 'ndjson';

const FORMATS: Record<string, BodyFormat> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/**
 * The body as text, whatever its encoding on the way: capped before and after inflation, UTF-8 or refused.
 * gzip is recognised by its first bytes too, since some clients leave the header out.
 */
export async function readText(request: Request): Promise<string> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new ApiError(
      'unsupported_media_type',
      `Content-Encoding ${encoding} is not read; send gzip or none.`,
    );
  }
  const bytes = request.body ? await readCapped(request.body) : new Uint8Array();
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (encoding === 'gzip' && bytes.length > 0 && !isGzip) {
    throw new ApiError(
      'malformed_json',
      'Content-Encoding says gzip, but the body does not begin like gzip.',
    );
  }
  const inflated = isGzip ? await inflate(bytes) : bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(inflated);
  } catch (error) {
    if (error instanceof TypeError) throw new ApiError('malformed_json', 'The body is not UTF-8.');
    throw error;
  }
}

/** What gzip packed, to the size that a body may have. */
export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readCapped(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('malformed_json', 'The body is not complete gzip.');
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

/** What the content type says the body is. `allowed` is what the route takes. */
export function formatOf(request: Request, allowed: readonly BodyFormat[]): BodyFormat {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const format = FORMATS[type];
  if (format && allowed.includes(format)) return format;
  const names = allowed
    .map((name) => (name === 'json' ? 'application/json' : 'application/x-ndjson'))
    .join(' or ');
  throw new ApiError(
    'unsupported_media_type',
    `Content-Type ${type || '(none)'} is not read here; send ${names}.`,
  );
}

/** Parse JSON text, refusing what is empty, broken or nested too deeply. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new ApiError('malformed_json', 'The body is empty; send a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ApiError('malformed_json', 'The body is not JSON; check for a cut or a stray comma.');
    throw error;
  }
  if (isDeeperThan(value, MAX_DEPTH)) {
    throw new ApiError('too_deep', `Objects and arrays are nested more than ${MAX_DEPTH} deep.`);
  }
  return value;
}

/** The body of a route that takes one JSON object. */
export async function readJson(request: Request): Promise<unknown> {
  formatOf(request, ['json']);
  return parseJson(await readText(request));
}
