import type { PageResults, ReadResult, Timing, WorkspaceFacts } from '../../bench/page/results.ts';

/** Results as a run could have measured them, with round numbers. */

/** Of a fast statement, by the median of each block. */
export function timing(blocks: number[]): Timing {
  const sorted = blocks.toSorted((a, b) => a - b);
  return { median_ms: sorted[Math.floor(blocks.length / 2)] ?? 0, runs: 20, blocks };
}

export function readOf(read: Partial<ReadResult>): ReadResult {
  return {
    read: 'attribution, 1 model',
    range: 'month',
    size: '1m',
    state: 'as loaded',
    statement: timing([10]),
    usual: null,
    locked_ratio: null,
    plan: null,
    cold: null,
    worker: null,
    ...read,
  };
}

const MIB = 1024 ** 2;

const workspaceOf = (size: string): WorkspaceFacts => ({
  size,
  load_seconds: 60,
  is_copy: false,
  touchpoints: 1_000_000,
  people: 300_000,
  people_with_touchpoints: 150_000,
  median_of_person: 4,
  p99_of_person: 39,
  most_of_person: 400,
  threads: 80_000,
  accounts: 10_000,
  purchases: 300_000,
  cultivations: 150_000,
  adjustments: 9000,
  purchases_in_month: 20_000,
  purchases_in_year: 250_000,
  with_journey: 0.75,
  touches_of_journey: 2.7,
  tables: [{ table: 'touchpoints', rows: 1_000_000, heap: 200 * MIB, indexes: 300 * MIB }],
});

export function resultsOf(results: Partial<PageResults>): PageResults {
  return {
    at: '2026-11-29T12:00:00.000Z',
    seconds: 3723,
    command: 'npm run bench',
    commit: 'abc1234567',
    is_changed: true,
    is_quick: false,
    machine: {
      cpu: 'A CPU',
      cpus: 2,
      memory_gib: 24,
      load_before: 0.5,
      load_after: 2.25,
      node: 'v24.0.0',
      postgres: '15.20',
      settings: { shared_buffers: '128MB' },
    },
    effort: { blocks: 4, runs: 5, slow_ms: 1000, slow_blocks: 3, cold_runs: 3, batches: 20, events: 100 },
    workspaces: [workspaceOf('1m'), workspaceOf('3m')],
    states: ['as loaded'],
    main_state: 'as loaded',
    reads: [readOf({})],
    writes: [
      {
        write: '1,000, late, of buyers',
        size: '3m',
        items: 1000,
        runs: 20,
        worker_ms: 200,
        direct_ms: 100,
        ratio: 2,
        calls: 1,
        cpu_ms: 100,
      },
    ],
    ...results,
  };
}
