import { median } from '../measure.ts';
import type { Effort, Timing } from './results.ts';
import { Cancelled } from './statement.ts';

/** Something that is timed beside others. */
export interface Contender {
  /** Runs once. Returns milliseconds. @throws Cancelled */
  run(): Promise<number>;
  /** How long one run takes, about. */
  estimate_ms: number;
}

/**
 * Runs all contenders in blocks, in turns: the machine is the same for those of one block. One that is fast runs once
 * without being counted at the beginning of its block, because the one before it has replaced what the buffers held.
 * The order of each second block is reversed.
 * @returns in the order of the contenders; null for one that was cancelled
 */
export async function inBlocks(contenders: readonly Contender[], effort: Effort): Promise<(Timing | null)[]> {
  const taken = contenders.map((contender) => {
    const isSlow = contender.estimate_ms >= effort.slow_ms;
    return {
      ...contender,
      blocks: isSlow ? effort.slow_blocks : effort.blocks,
      runs: isSlow ? 1 : effort.runs,
      warmups: isSlow ? 0 : 1,
      times: [] as number[][],
      isCancelled: false,
    };
  });
  for (let block = 0; block < Math.max(effort.blocks, effort.slow_blocks); block++) {
    const inTurn = block % 2 === 0 ? taken : taken.toReversed();
    for (const one of inTurn) {
      if (block >= one.blocks || one.isCancelled) continue;
      try {
        one.times.push(await runsOf(one));
      } catch (error) {
        if (!(error instanceof Cancelled)) throw error;
        one.isCancelled = true;
      }
    }
  }
  return taken.map(({ times, isCancelled }) =>
    isCancelled
      ? null
      : { median_ms: median(times.flat()), runs: times.flat().length, blocks: times.map(median) },
  );
}

async function runsOf({ run, runs, warmups }: Contender & { runs: number; warmups: number }) {
  for (let i = 0; i < warmups; i++) await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await run());
  return times;
}

/** How many times as long the first one takes as the second: the median over the blocks that both ran in. */
export function ratioOf(one: Pick<Timing, 'blocks'>, other: Pick<Timing, 'blocks'>): number {
  const both = Math.min(one.blocks.length, other.blocks.length);
  const ratios = one.blocks.slice(0, both).map((ms, i) => ms / (other.blocks[i] ?? Number.NaN));
  return median(ratios);
}
