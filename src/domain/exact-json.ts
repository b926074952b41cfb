/** JSON whose integers keep their digits. `JSON.parse` alone rounds those beyond 2^53, such as ids of posts and orders. */

declare global {
  /** https://github.com/tc39/proposal-json-parse-with-source, which the types of the language do not have yet. */
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
  }
}

/** An integer beyond 2^53, by its digits. `JSON.stringify` writes them as a number. */
export interface ExactNumber {
  readonly rawJSON: string;
}

/** Sixteen digits or more that are no fraction: 2^53 has sixteen. Text in quotes may match, which costs time only. */
const LONG_INTEGER = /(?<![\d.])\d{16,}(?![\d.])/;
const INTEGER = /^-?\d+$/;

/** @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  return LONG_INTEGER.test(text) ? JSON.parse(text, keepDigits as Reviver) : JSON.parse(text);
}

/** As the types of the language know it, without the text of the value. */
type Reviver = Parameters<typeof JSON.parse>[1];

function keepDigits(_key: string, value: unknown, { source = '' }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isFinite(value)) return value;
  return INTEGER.test(source) ? JSON.rawJSON(source) : value;
}

/** Is it a number that `parseExactJson` keeps by its digits? */
export function isExactNumber(value: unknown): value is ExactNumber {
  return JSON.isRawJSON(value);
}
