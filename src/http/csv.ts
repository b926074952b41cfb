import { csvFormatRow } from 'd3-dsv';
import * as z from 'zod';

type Row = Record<string, unknown>;

/**
 * Rows as CSV. Cells that a spreadsheet would run as a formula get a leading quote, because the text comes from
 * strangers.
 * @param rowSchema determines the columns, so that every page has the same ones, whatever its rows hold
 */
export function csvOf(rows: readonly Row[], rowSchema: z.ZodType): string {
  const fields = columnsOf(rowSchema, '', rows);
  const lines = rows.map((row) => fields.map((path) => cell(valueAt(row, path))));
  const names = fields.map((path) => path.join('.'));
  return [names, ...lines].map((line) => `${csvFormatRow(line)}\r\n`).join('');
}

/**
 * Paths of the columns. Members of nested objects are columns of their own (`conversation.id`). A map, such as `group`
 * or `credit`, has a column for each key in the rows. Lists and free JSON are one cell.
 */
function columnsOf(schema: z.ZodType, name: string, values: readonly unknown[]): string[][] {
  const core = coreOf(schema);
  if (core instanceof z.ZodObject) {
    const fields = Object.entries(core.shape as Record<string, z.ZodType>);
    const columns = fields.flatMap(([key, field]) =>
      columnsOf(
        field,
        key,
        values.map((value) => memberOf(value, key)),
      ),
    );
    return name === '' ? columns : columns.map((path) => [name, ...path]);
  }
  if (core instanceof z.ZodRecord && !(core.valueType instanceof z.ZodUnknown)) {
    const keys = [...new Set(values.flatMap((value) => Object.keys(value ?? {})))];
    const inner = core.valueType as z.ZodType;
    return keys.flatMap((key) =>
      columnsOf(
        inner,
        key,
        values.map((value) => memberOf(value, key)),
      ).map((path) => [name, ...path]),
    );
  }
  return [[name]];
}

function coreOf(schema: z.ZodType): z.ZodType {
  let core: unknown = schema;
  while (core instanceof z.ZodOptional || core instanceof z.ZodNullable) core = core.unwrap();
  return core as z.ZodType;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Row)[key]
    : undefined;
}

function valueAt(row: unknown, path: readonly string[]): unknown {
  return path.reduce(memberOf, row);
}

/** Beginnings of cells that spreadsheets run: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return FORMULA.test(value) ? `'${value}` : value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
