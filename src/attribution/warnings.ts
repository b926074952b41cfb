/** Conversions whose value could not be told in the currency asked. */
export function missingRateWarning(conversions: number, currency: string): { code: string; detail: string } {
  const detail = `${conversions} conversions are in another currency than ${currency} and have no exchange rate; they count, their value does not.`;
  return { code: 'missing_fx_rate', detail };
}
