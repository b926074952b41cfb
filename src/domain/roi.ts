/** The ratios between spend and its results. Null if the divisor is 0. */
export interface Returns {
  /** Cost per acquisition: spend / conversions; null without spend or without conversions. */
  cpa: number | null;
  /** Return on ad spend: value / spend; null without spend. */
  roas: number | null;
  /** Return on investment: (value − spend) / spend; null without spend. */
  roi: number | null;
}

/** Fewer credited conversions than this count as none: they are a rounding residue of added fractions. */
const LEAST_CONVERSIONS = 1e-9;

/**
 * The ratios of an amount spent and the credit beside it.
 * @param spend in the currency of `value`
 * @param conversions credited conversions, which may be fractions
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
