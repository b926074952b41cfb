import { parseAccept } from 'hono/utils/accept';
import * as z from 'zod';
import { csvOf } from './csv.ts';

export const FORMATS = ['json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

const MEDIA_TYPES: Record<Format, string> = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
};

/** The formats by media types in `Accept`. */
const ACCEPTED: Record<string, Format> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** `?format=`, for every operation that returns a table. */
export const FormatQuery = z.object({
  format: z
    .enum(FORMATS)
    .optional()
    .meta({ description: 'Overrides `Accept`. CSV and NDJSON hold the rows of `data` only.' }),
});

/** `?format=` decides, then `Accept` by its quality values, then JSON. */
export function formatWanted(asked: Format | undefined, accept: string | null): Format {
  if (asked !== undefined) return asked;
  // parseAccept sorts by quality, the best first.
  const best = parseAccept(accept ?? '').find(({ type, q }) => q > 0 && ACCEPTED[type.toLowerCase()]);
  return (best && ACCEPTED[best.type.toLowerCase()]) ?? 'json';
}

interface Table {
  data?: Record<string, unknown>[];
}

/**
 * The body in JSON, or only its rows in CSV or NDJSON.
 * @param schema of the body
 */
export function render(body: Table, format: Format, schema: z.ZodType): { text: string; mediaType: string } {
  const mediaType = MEDIA_TYPES[format];
  const rows = body.data ?? [];
  if (format === 'csv') return { text: csvOf(rows, rowSchemaOf(schema)), mediaType };
  if (format === 'ndjson') return { text: rows.map((row) => `${JSON.stringify(row)}\n`).join(''), mediaType };
  return { text: JSON.stringify(body), mediaType };
}

function rowSchemaOf(schema: z.ZodType): z.ZodType {
  const data = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>).data : undefined;
  if (data instanceof z.ZodArray) return data.element as z.ZodType;
  throw new Error('a table is an object with a list `data`');
}

/** A weak ETag, because the content is the same in every encoding. */
export async function weakEtag(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const bytes = new Uint8Array(digest).slice(0, 16);
  return `W/"${btoa(String.fromCharCode(...bytes)).replaceAll('=', '')}"`;
}

/** True if `If-None-Match` names this tag. */
export function isFresh(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag));
}
