/** What an amount spent brought. Null where there is nothing to divide by. */
export interface Returns {
  /** Cost per acquisition: spend / conversions; null without spend or without conversions. */
  cpa: number | null;
  /** Return on ad spend: value / spend; null without spend. */
  roas: number | null;
  /** Return on investment: (value − spend) / spend; null without spend. */
  roi: number | null;
}

/** Less than a billionth of a conversion is what is left of adding up fractions, and no conversion. */
const LEAST_CONVERSIONS = 1e-9;

/**
 * @param spend and value in the same currency
 * @param conversions may be fractions: credit
 * See ADR 15.
 */
export function returnsOf(
  spend: number,
  { conversions, value }: { conversions: number; value: number },
): Returns {
  if (spend === 0) return { cpa: null, roas: null, roi: null };
  return {
    cpa: conversions < LEAST_CONVERSIONS ? null : spend / conversions,
    roas: value / spend,
    roi: (value - spend) / spend,
  };
}
