import type { Random } from './demo/random.ts';
import type { NeonCall, Reply } from './neon-call.ts';

/**
 * Faults of a request between the Worker and its database. The caller cannot distinguish faults after which the
 * statements have run from faults after which they have not.
 */
export const FAULTS = [
  'none',
  /** The connection closes; nothing has run. */
  'drop_before',
  /** The statements run, their transaction is rolled back, and the connection closes. */
  'rollback_and_drop',
  /** The transaction is committed, and the connection closes without a response. */
  'drop_after_commit',
  /** Nothing has run. */
  'status_500',
  'status_500_after_commit',
  /** No response until the caller gives up; nothing has run. */
  'hang',
  'hang_after_commit',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Decides the fault of the next request. For tests only: the local stack has no faults. */
export type FaultPlan = (call: NeonCall) => Fault;

/** The work of a request, with its two possible ends. */
export interface Work {
  commit(): Promise<Reply>;
  rollBack(): Promise<void>;
  /** Waits until the caller has closed the connection. */
  abandoned(): Promise<void>;
}

const BROKEN: Reply = { status: 500, body: '{"message":"a fault on purpose"}' };

/** The response under a fault; null if there is none and the connection has to be closed. */
export async function answerUnder(
  fault: Fault,
  { commit, rollBack, abandoned }: Work,
): Promise<Reply | null> {
  // The caller gets no response, so it does not matter whether the statements failed.
  const run = () => Promise.allSettled([commit()]);
  switch (fault) {
    case 'none':
      return commit();
    case 'drop_before':
      return null;
    case 'rollback_and_drop':
      await rollBack();
      return null;
    case 'drop_after_commit':
      await run();
      return null;
    case 'status_500':
      return BROKEN;
    case 'status_500_after_commit':
      await run();
      return BROKEN;
    case 'hang':
      await abandoned();
      return null;
    case 'hang_after_commit':
      await run();
      await abandoned();
      return null;
  }
}

/** Draws faults by their weights. */
export function randomFaults(weights: Partial<Record<Fault, number>>, random: Random): FaultPlan {
  const pairs = FAULTS.map((fault) => [fault, weights[fault] ?? 0] as const);
  return () => random.weighted(pairs);
}

/** Each request meets the fault on its first attempts, up to a number, and none after that. */
export function firstTimes(times: number, fault: Fault): FaultPlan {
  const met = new Map<string, number>();
  return (call) => {
    const request = JSON.stringify(call);
    const before = met.get(request) ?? 0;
    met.set(request, before + 1);
    return before < times ? fault : 'none';
  };
}
