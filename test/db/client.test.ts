import { sql } from 'drizzle-orm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Fault, firstTimes } from '../../local/faults.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import type { RawResult, SqlBackend } from '../../local/sql-backend.ts';
import { DatabaseRefusal, DatabaseUnreachable, openDatabases } from '../../src/db/client.ts';
import { SQLSTATE_MEANINGS, type SqlstateMeaning } from '../../src/db/sqlstate.ts';

const ONE_ROW: RawResult = {
  fields: [{ name: 'n', dataTypeID: 23 }],
  rows: [['1']],
  rowCount: 1,
  command: 'SELECT',
};

const CLOCK = { nowMs: () => Date.now(), random: () => 0, sleep: async () => {} };

/** A database that fails with an error, if one is given; it counts how often it ran statements. */
async function openFailing(options: { sqlstate?: string; faults?: Fault; deadline_ms?: number }) {
  let runs = 0;
  const run = async (queries: unknown[]) => {
    runs += 1;
    if (options.sqlstate) throw Object.assign(new Error('no'), { code: options.sqlstate, severity: 'ERROR' });
    return queries.map(() => ONE_ROW);
  };
  const backend: SqlBackend = {
    kind: 'postgres',
    run,
    migrate: async () => ({ applied: [], newer: 0 }),
    close: async () => {},
  };
  const faults = options.faults && firstTimes(1, options.faults);
  const server = await startNeonServer({ backend, faults });
  onTestFinished(() => server.close());
  const databases = openDatabases(server.connectionString, options.deadline_ms, CLOCK);
  return { database: databases.lookup(), use: databases.use, runs: () => runs, calls: () => server.calls() };
}

const SELECT = sql`select 1 as n`;

/** By meaning of the error: attempts of idempotent work, attempts of other work, and the thrown error. */
const EXPECTED: Record<SqlstateMeaning, [ofAtomic: number, ofOnce: number, error: unknown]> = {
  again: [4, 4, DatabaseUnreachable],
  unknown: [4, 1, DatabaseUnreachable],
  too_slow: [1, 1, DatabaseUnreachable],
  data: [1, 1, DatabaseRefusal],
  refused: [1, 1, DatabaseRefusal],
};

/** One SQLSTATE of each entry of the table, and some that are not in it. */
const CASES: [sqlstate: string, meaning: SqlstateMeaning][] = [
  ...Object.entries(SQLSTATE_MEANINGS).map(([key, meaning]): [string, SqlstateMeaning] => [
    key.padEnd(5, '0'),
    meaning,
  ]),
  ['40001', 'again'],
  ['40P01', 'again'],
  ['53300', 'again'],
  ['08006', 'unknown'],
  ['22003', 'data'],
  ['22P05', 'data'],
  ['23505', 'refused'],
  ['42501', 'refused'],
  ['42P01', 'refused'],
  ['XX000', 'refused'],
];

test.for(CASES)('SQLSTATE %s is %s', async ([sqlstate, meaning]) => {
  const [ofAtomic, ofOnce, error] = EXPECTED[meaning];
  const { database, use, runs } = await openFailing({ sqlstate });
  await expect(database.atomic([SELECT])).rejects.toBeInstanceOf(error);
  expect(runs()).toBe(ofAtomic);
  await expect(database.once([SELECT])).rejects.toMatchObject({ sqlstate });
  expect(runs()).toBe(ofAtomic + ofOnce);
  expect(use.calls).toBe(ofAtomic + ofOnce);
});

describe('no answer', () => {
  test.for<Fault>([
    'drop_before',
    'rollback_and_drop',
    'drop_after_commit',
    'status_500',
    'status_500_after_commit',
  ])('to what can be repeated is asked again: %s', async (faults) => {
    const ways = [
      (d: typeof database) => d.query(SELECT),
      async (d: typeof database) => (await d.atomic([SELECT]))[0],
      async (d: typeof database) => (await d.report([SELECT]))[0],
    ];
    const { database, calls } = await openFailing({ faults });
    for (const way of ways) expect(await way(database)).toEqual([{ n: 1 }]);
    // `query` and `report` send different requests than `atomic`; each of them meets the fault once.
    expect(calls()).toBe(6);
  });

  test.for<[Fault, ran: number]>([
    ['drop_before', 0],
    ['drop_after_commit', 1],
    ['status_500_after_commit', 1],
  ])('to what cannot be repeated rises at once: %s', async ([faults, ran]) => {
    const { database, calls, runs } = await openFailing({ faults });
    await expect(database.once([SELECT])).rejects.toBeInstanceOf(DatabaseUnreachable);
    expect([calls(), runs()]).toEqual([1, ran]);
  });

  test.for<[Fault, ran: number]>([
    ['hang', 0],
    ['hang_after_commit', 1],
  ])('within the deadline of the request rises when that is over: %s', async ([faults, ran]) => {
    const { database, runs } = await openFailing({ faults, deadline_ms: 300 });
    const started = Date.now();
    await expect(database.query(SELECT)).rejects.toBeInstanceOf(DatabaseUnreachable);
    expect(Date.now() - started).toBeLessThan(2000);
    expect(runs()).toBe(ran);
  });
});

test('a mistake of ours in a statement is no silence of the database', async () => {
  const { database, calls } = await openFailing({});
  const broken = {
    getSQL: () => {
      throw new TypeError('ours');
    },
  };
  await expect(async () => database.atomic([sql`select ${broken}`])).rejects.toThrow('ours');
  expect(calls()).toBe(0);
});
