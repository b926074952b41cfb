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

/** What may stand in `Accept`. */
const ACCEPTED: Record<string, Format> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** `?format=` of everything that is a table. */
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

/** The body, or only its rows, in the format wanted. `schema` is the body's. */
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

/** Weak: the same content, whatever encoding it travels in. */
export async function weakEtag(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const bytes = new Uint8Array(digest).slice(0, 16);
  return `W/"${btoa(String.fromCharCode(...bytes)).replaceAll('=', '')}"`;
}

/** Does `If-None-Match` name this tag? */
export function isFresh(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag));
}
