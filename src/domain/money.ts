/**
 * Amounts are below this. It is far above any sale, and a double still holds cents there (up to 2^53 / 100).
 */
export const MAX_AMOUNT = 1e13;

const DECIMAL = /^\d{1,13}(\.\d{1,20})?$/;

/**
 * An amount in major units as exact decimal text for `numeric`, in one form for each amount.
 * @returns null if the amount is negative, not finite, 10^13 or more, has more than 20 decimals, or is text
 * other than plain digits with a decimal point
 */
export function decimalOf(amount: number | string): string | null {
  if (typeof amount === 'string') return DECIMAL.test(amount) ? canonicalDecimal(amount) : null;
  if (!Number.isFinite(amount) || amount < 0 || amount >= MAX_AMOUNT) return null;
  const text = String(amount);
  return canonicalDecimal(text.includes('e') ? amount.toFixed(20) : text);
}

/** Without zeros that mean nothing: `0099.90` is 99.9. */
function canonicalDecimal(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const rest = fraction.replace(/0+$/, '');
  return rest === '' ? digits : `${digits}.${rest}`;
}

let currencies: Set<string> | undefined;

/** Is it a currency code of ISO 4217, in upper case? Source: the Unicode data of the runtime. */
export function isCurrency(code: string): boolean {
  currencies ??= new Set(Intl.supportedValuesOf('currency'));
  return currencies.has(code);
}

/**
 * Rounds to nine decimals, which is far finer than a cent and removes the last digits of binary fractions.
 */
export function roundAmount(value: number): number {
  return Number(value.toFixed(9));
}
