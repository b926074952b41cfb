import { parseExactJson } from '../domain/exact-json.ts';
import { isDeeperThan, MAX_DEPTH } from '../domain/json.ts';
import { formatOf, MAX_NDJSON_LINES, parseJson, readText } from '../http/body.ts';
import { ApiError } from '../http/errors.ts';

export const MAX_ITEMS = 1000;

/**
 * An item as it was sent, and its position. For a line that is not JSON, `unreadable` is true and `value` is its text.
 */
export interface SentItem {
  index: number;
  pointer: string;
  value: unknown;
  unreadable: boolean;
}

/** The items of `{"<member>": [ … ]}`, or of NDJSON with one item a line. */
export async function readItems(request: Request, member: string): Promise<SentItem[]> {
  const format = formatOf(request, ['json', 'ndjson']);
  const text = await readText(request);
  return format === 'json' ? itemsOfObject(parseJson(text), member) : itemsOfLines(text, member);
}

function itemsOfObject(body: unknown, member: string): SentItem[] {
  const refuse = (pointer: string, detail: string) =>
    new ApiError('invalid_request', `${pointer || 'The body'}: ${detail}`, { errors: [{ pointer, detail }] });
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse('', `Send an object: {"${member}": [ … ]}.`);
  }
  const unknown = Object.keys(body).find((key) => key !== member);
  if (unknown !== undefined) throw refuse(`/${unknown}`, `Unknown field; the only one is ${member}.`);
  const items = (body as Record<string, unknown>)[member];
  if (!Array.isArray(items)) throw refuse(`/${member}`, 'Send a list of items.');
  if (items.length === 0 || items.length > MAX_ITEMS) {
    throw refuse(`/${member}`, `Send 1 to ${MAX_ITEMS} items; this has ${items.length}.`);
  }
  return items.map((value, index) => ({ index, pointer: `/${member}/${index}`, value, unreadable: false }));
}

function itemsOfLines(text: string, member: string): SentItem[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > MAX_NDJSON_LINES) {
    const detail = `Send 1 to ${MAX_NDJSON_LINES} lines; this has ${lines.length}.`;
    throw new ApiError('invalid_request', detail, { errors: [{ pointer: '', detail }] });
  }
  return lines.map((line, index) => {
    const pointer = `/${member}/${index}`;
    try {
      const value = parseExactJson(line);
      if (isDeeperThan(value, MAX_DEPTH)) {
        throw new ApiError('too_deep', `Line ${index + 1} is nested more than ${MAX_DEPTH} deep.`);
      }
      return { index, pointer, value, unreadable: false };
    } catch (error) {
      if (error instanceof SyntaxError) return { index, pointer, value: line, unreadable: true };
      throw error;
    }
  });
}
