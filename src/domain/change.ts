/** A figure beside its value in the previous period. Null if it cannot be computed. */
export interface Figure {
  value: number | null;
  previous: number | null;
  /**
   * Relative to the previous period: 0.5 is an increase by half. Null if either value is null
   * or the previous is 0.
   */
  change: number | null;
}

/** Compares a figure with its value in the previous period. */
export function figureOf(value: number | null, previous: number | null): Figure {
  const isTold = value !== null && previous !== null && previous !== 0;
  return { value, previous, change: isTold ? (value - previous) / previous : null };
}
