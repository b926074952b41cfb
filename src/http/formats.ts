import { z } from '@hono/zod-openapi';
import papaparse from 'papaparse';

export const FORMATS = ['json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

const MEDIA_TYPES: Record<Format, string> = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson',
};

/** `?format=` of everything that is a table. */
export const FormatQuery = z.object({
  format: z
    .enum(FORMATS)
    .optional()
    .openapi({ description: 'Overrides `Accept`. CSV and NDJSON hold the rows of `data` only.' }),
});

/** `?format=` decides, then `Accept`, then JSON. */
export function formatWanted(asked: Format | undefined, accept: string | null): Format {
  if (asked !== undefined) return asked;
  if (accept?.includes('text/csv')) return 'csv';
  if (accept?.includes('ndjson')) return 'ndjson';
  return 'json';
}

/** The body, or only its rows, in the format wanted. */
export function render(body: { data?: unknown }, format: Format): { text: string; mediaType: string } {
  const rows = (body.data ?? []) as Record<string, unknown>[];
  const mediaType = MEDIA_TYPES[format];
  if (format === 'csv') return { text: csvOf(rows), mediaType };
  if (format === 'ndjson') return { text: rows.map((row) => `${JSON.stringify(row)}\n`).join(''), mediaType };
  return { text: JSON.stringify(body), mediaType };
}

/** Cells that a spreadsheet would run as a formula get a leading quote: the text comes from strangers. */
function csvOf(rows: Record<string, unknown>[]): string {
  const flat = rows.map((row) => flatten(row));
  const columns = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  return `${papaparse.unparse({ fields: columns, data: flat }, { escapeFormulae: true, newline: '\r\n' })}\r\n`;
}

/** Nested members become columns: `{group: {channel}}` is `group.channel`. Lists and free JSON stay JSON. */
function flatten(row: Record<string, unknown>, prefix = '', flat: Record<string, unknown> = {}) {
  for (const [key, value] of Object.entries(row)) {
    const name = prefix + key;
    const isObject = typeof value === 'object' && value !== null;
    if (isObject && !Array.isArray(value) && key !== 'properties') {
      flatten(value as Record<string, unknown>, `${name}.`, flat);
    } else {
      flat[name] = isObject ? JSON.stringify(value) : value;
    }
  }
  return flat;
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
