import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomFrom } from '../../local/demo/random.ts';
import { type FaultPlan, firstTimes, randomFaults } from '../../local/faults.ts';
import { needWorld, world } from '../support/api.ts';
import { sendAll, sendingTo } from './clients.ts';
import { printFigures, SEED } from './report.ts';
import { type Stand, startStand } from './stand.ts';
import { batchesOf, judgeStored, makeWorkspace } from './workload.ts';

/**
 * Acknowledged items are stored exactly once, whatever happens to requests and responses between Worker and database.
 */

needWorld();

let stand: Stand;
beforeAll(async () => {
  if (world.missing === null) stand = await startStand();
});
afterAll(() => stand?.remove());

const CLIENTS = 16;
const BATCH_SIZE = 100;

interface Case {
  fault: string;
  plan: FaultPlan;
  batches: number;
}

const random = randomFrom(SEED);

/** A fault rate at which one request in eleven fails four times in a row, so that its sender gets 503. */
const OFTEN = { none: 45 } as const;

const CASES: Case[] = [
  {
    fault: 'drop_after_commit',
    plan: randomFaults({ ...OFTEN, drop_after_commit: 55 }, random),
    batches: 200,
  },
  { fault: 'drop_before', plan: randomFaults({ ...OFTEN, drop_before: 55 }, random), batches: 150 },
  {
    fault: 'rollback_and_drop',
    plan: randomFaults({ ...OFTEN, rollback_and_drop: 55 }, random),
    batches: 150,
  },
  { fault: 'status_500 twice', plan: firstTimes(2, 'status_500'), batches: 150 },
  { fault: 'status_500_after_commit twice', plan: firstTimes(2, 'status_500_after_commit'), batches: 150 },
  {
    fault: 'hang',
    plan: randomFaults({ none: 74, hang: 13, hang_after_commit: 13 }, random),
    batches: 40,
  },
  {
    fault: 'all of them',
    plan: randomFaults(
      {
        none: 50,
        drop_before: 10,
        rollback_and_drop: 10,
        drop_after_commit: 14,
        status_500: 7,
        status_500_after_commit: 8,
        hang_after_commit: 1,
      },
      random,
    ),
    batches: 200,
  },
];

let acknowledgedInAll = 0;

describe('nothing is lost, invented or doubled', () => {
  test.for(CASES.map((each) => [each.fault, each] as const))(
    'under %s',
    async ([fault, { plan, batches }]) => {
      const workspace = await makeWorkspace();
      const sending = sendingTo(stand.url, workspace.token);
      const started_at_ms = Date.now();
      const metBefore = stand.faultsMet();
      stand.setFaults(plan);
      await sendAll(sending, batchesOf(batches, BATCH_SIZE, random), { clients: CLIENTS, seed: SEED });
      stand.setFaults(null);
      const verdict = await judgeStored(stand, workspace, sending.attempts);
      const times = stand.faultsMet() - metBefore;
      printFigures({ fault, times, batches, started_at_ms }, sending, verdict);
      expect(times).toBeGreaterThan(batches / 5);
      expect(verdict).toMatchObject({ lost: [], invented: [], doubled: [] });
      expect(verdict.acknowledged).toBe(batches * BATCH_SIZE);
      expect([...sending.statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
      acknowledgedInAll += verdict.acknowledged;
    },
  );

  test('over 100,000 acknowledged items or more, without a deadlock', () => {
    expect(acknowledgedInAll).toBeGreaterThanOrEqual(100_000);
    expect(stand.answered('40P01')).toBe(0);
  });
});
