export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** By nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Milliseconds of each of `runs` calls, after `warmup` calls that are not counted. */
export async function timesOf(runs: number, warmup: number, call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < warmup + runs; run++) {
    const started = performance.now();
    await call();
    if (run >= warmup) times.push(performance.now() - started);
  }
  return times;
}
