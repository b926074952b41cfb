/** A figure beside what it was in the period before. Null where it cannot be told. */
export interface Figure {
  value: number | null;
  previous: number | null;
  /** Relative to the period before: 0.5 is half as much again. Null from nothing, or without one of the two. */
  change: number | null;
}

export function figureOf(value: number | null, previous: number | null): Figure {
  const isTold = value !== null && previous !== null && previous !== 0;
  return { value, previous, change: isTold ? (value - previous) / previous : null };
}
