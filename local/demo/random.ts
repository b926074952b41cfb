/** Random draws that depend only on the seed and on the number of earlier draws. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  chance(probability: number): boolean;
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  integer(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  /** The first member of a pair, with the second as its relative weight. */
  weighted<T>(pairs: readonly (readonly [T, number])[]): T;
  normal(mean: number, deviation: number): number;
  /** Log-normal, like waiting times: half of the draws are below `median`, a few are far above. */
  wait(median: number, spread: number): number;
}

/** Source: mulberry32 by Tommy Ettinger, public domain. Any whole number is a seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Throws a RangeError if there is nothing to choose from. */
export function randomFrom(seed: number): Random {
  const next = mulberry32(seed);
  const between = (low: number, high: number) => low + next() * (high - low);
  // Box and Muller; 1 − next() is never 0, whose logarithm has no value.
  const normal = (mean: number, deviation: number) =>
    mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    between,
    normal,
    chance: (probability) => next() < probability,
    integer: (low, high) => Math.floor(between(low, high + 1)),
    pick: (items) => required(items[Math.floor(next() * items.length)]),
    weighted: (pairs) => weighted(pairs, next),
    wait: (median, spread) => median * Math.exp(normal(0, spread)),
  };
}

function weighted<T>(pairs: readonly (readonly [T, number])[], next: () => number): T {
  let left = next() * pairs.reduce((sum, [, weight]) => sum + weight, 0);
  const drawn = pairs.find(([, weight]) => {
    left -= weight;
    return left < 0;
  });
  return required(drawn ?? pairs.at(-1))[0];
}

function required<T>(item: T | undefined): T {
  if (item === undefined) throw new RangeError('there is nothing to choose from');
  return item;
}
