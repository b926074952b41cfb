import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatabaseRefusal, DatabaseUnreachable } from '../../src/db/client.ts';
import { isolate, MAX_ISOLATION_CALLS } from '../../src/ingest/isolate.ts';

/** A table that rejects every part that contains a bad row. */
function tableRefusing(bad: ReadonlySet<number>) {
  const stored: number[] = [];
  let calls = 0;
  const write = async (rows: readonly number[]) => {
    calls += 1;
    if (rows.some((row) => bad.has(row))) throw new DatabaseRefusal('22003');
    stored.push(...rows);
    return rows;
  };
  return { write, stored, calls: () => calls };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('of rows that are refused together', () => {
  test.for<[count: number, bad: number, most: number]>([
    [1, 0, 0],
    [2, 1, 2],
    [1000, 0, 20],
    [1000, 617, 20],
    [1000, 999, 20],
    [10_000, 7777, 28],
  ])('of %i the bad one is found, number %i, in at most %i calls', async ([count, bad, most]) => {
    const table = tableRefusing(new Set([bad]));
    const { refused, undecided } = await isolate(numbers(count), '22003', table.write);
    expect(refused).toEqual([{ row: bad, sqlstate: '22003' }]);
    expect(undecided).toEqual([]);
    expect(table.stored.toSorted((a, b) => a - b)).toEqual(numbers(count).filter((row) => row !== bad));
    expect(table.calls()).toBeLessThanOrEqual(most);
  });

  test('each is stored once, refused or undecided, no good one is blamed, in at most 40 calls', async () => {
    const batch = fc
      .integer({ min: 1, max: 1000 })
      .chain((count) =>
        fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 30 })),
      );
    await fc.assert(
      fc.asyncProperty(batch, async ([count, badOnes]) => {
        const bad = new Set(badOnes);
        const table = tableRefusing(bad);
        const { answers, refused, undecided } = await isolate(numbers(count), '22003', table.write);
        expect(answers.flat()).toEqual(table.stored);
        const all = [...table.stored, ...refused.map(({ row }) => row), ...undecided];
        expect(all.toSorted((a, b) => a - b)).toEqual(numbers(count));
        for (const { row } of refused) expect(bad.has(row)).toBe(true);
        expect(table.calls()).toBeLessThanOrEqual(MAX_ISOLATION_CALLS);
      }),
      { numRuns: 200, seed: 20260701 },
    );
  });

  test('most are stored where the bad ones stand together and are too many to tell apart', async () => {
    const table = tableRefusing(new Set(numbers(100)));
    const { undecided } = await isolate(numbers(1000), '22003', table.write);
    expect(table.stored.length).toBeGreaterThan(850);
    expect(table.stored.length + undecided.length).toBeGreaterThan(960);
  });

  test('nobody is blamed where each half goes in on its own', async () => {
    const write = async (rows: readonly number[]) => {
      if (rows.length > 2) throw new DatabaseRefusal('22003');
      return rows;
    };
    expect(await isolate(numbers(4), '22003', write)).toMatchObject({ refused: [], undecided: [] });
  });
});

test.for([new DatabaseUnreachable(), new DatabaseRefusal('42501')])(
  'what is no refusal of data rises: %s',
  async (error) => {
    const write = () => Promise.reject(error);
    await expect(isolate(numbers(4), '22003', write)).rejects.toBe(error);
  },
);
