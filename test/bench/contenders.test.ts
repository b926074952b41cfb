import { expect, test } from 'vitest';
import { type Contender, inBlocks, ratioOf } from '../../bench/page/contenders.ts';
import type { Effort } from '../../bench/page/results.ts';
import { Cancelled } from '../../bench/page/statement.ts';

const EFFORT: Effort = {
  blocks: 2,
  runs: 2,
  slow_ms: 1000,
  slow_blocks: 3,
  cold_runs: 1,
  batches: 1,
  events: 1,
};

/** Takes 1, 2, 3 … milliseconds times `unit`, and writes its name into `order`. */
function contender(name: string, estimate_ms: number, order: string[], unit = 1): Contender {
  let runs = 0;
  return {
    estimate_ms,
    run: async () => {
      order.push(name);
      runs += 1;
      return runs * unit;
    },
  };
}

test('fast contenders run a block in turns after one run that is not counted, and every second block is reversed', async () => {
  const order: string[] = [];
  const taken = await inBlocks([contender('a', 1, order), contender('b', 1, order, 10)], EFFORT);
  expect(order.join('')).toBe('aaabbb' + 'bbbaaa');
  // Counted are the runs 2 and 3, then 5 and 6; the median by nearest rank is the upper one.
  expect(taken[0]).toEqual({ median_ms: 5, runs: 4, blocks: [3, 6] });
  expect(taken[1]).toEqual({ median_ms: 50, runs: 4, blocks: [30, 60] });
});

test('a slow contender runs once in each of its blocks, beside the others', async () => {
  const order: string[] = [];
  const taken = await inBlocks([contender('a', 1, order), contender('S', 1000, order)], EFFORT);
  expect(order.join('')).toBe('aaaS' + 'Saaa' + 'S');
  expect(taken[1]).toEqual({ median_ms: 2, runs: 3, blocks: [1, 2, 3] });
});

test('a contender that was cancelled once does not run again, and has no time', async () => {
  const order: string[] = [];
  const cancelled: Contender = {
    estimate_ms: 1,
    run: async () => {
      order.push('X');
      throw new Cancelled();
    },
  };
  const taken = await inBlocks([cancelled, contender('a', 1, order)], EFFORT);
  expect(order.join('')).toBe('Xaaa' + 'aaa');
  expect(taken[0]).toBe(null);
});

test('other errors are not taken for a time-out', async () => {
  const failing: Contender = { estimate_ms: 1, run: () => Promise.reject(new Error('syntax error')) };
  await expect(inBlocks([failing], EFFORT)).rejects.toThrow('syntax error');
});

test('a ratio is the median of the ratios of the blocks that both have', () => {
  // 4/2, 9/3, 5/5: 2, 3, 1. The fourth block of the first has no counterpart.
  expect(ratioOf({ blocks: [4, 9, 5, 100] }, { blocks: [2, 3, 5] })).toBe(2);
});
