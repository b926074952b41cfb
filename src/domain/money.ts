/** Far above any sale, far below where a double stops holding cents. */
export const MAX_AMOUNT = 1e13;

const DECIMAL = /^\d{1,13}(\.\d{1,20})?$/;

/**
 * An amount in major units as an exact decimal for `numeric`, or null if it is none: negative, not finite,
 * 10^13 or more, more than 20 decimals, or text that is not plain digits.
 */
export function decimalOf(amount: number | string): string | null {
  if (typeof amount === 'string') return DECIMAL.test(amount) ? amount : null;
  if (!Number.isFinite(amount) || amount < 0 || amount >= MAX_AMOUNT) return null;
  const text = String(amount);
  return text.includes('e') ? amount.toFixed(20) : text;
}

let currencies: Set<string> | undefined;

/** ISO 4217, as the runtime's Unicode data knows it; codes are upper case. */
export function isCurrency(code: string): boolean {
  currencies ??= new Set(Intl.supportedValuesOf('currency'));
  return currencies.has(code);
}

/** To nine decimals: far finer than a cent, and without the last digits of binary fractions. */
export function roundAmount(value: number): number {
  return Number(value.toFixed(9));
}
