import type { Random } from './demo/random.ts';
import type { NeonCall, Reply } from './neon-call.ts';

/**
 * What can befall a request between the Worker and its database. Nobody who asks can tell those apart in which the
 * statements ran from those in which they did not.
 */
export const FAULTS = [
  'none',
  /** The connection closes, and nothing has run. */
  'drop_before',
  /** The statements run, their transaction is rolled back, and the connection closes. */
  'rollback_and_drop',
  /** The transaction is committed, and the connection closes without an answer. */
  'drop_after_commit',
  /** Nothing has run. */
  'status_500',
  'status_500_after_commit',
  /** No answer, until whoever asked gives up; nothing has run. */
  'hang',
  'hang_after_commit',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Decides what befalls the next request. For tests alone: the local stack has none. */
export type FaultPlan = (call: NeonCall) => Fault;

/** What there is to run, in the two ways in which it can end. */
export interface Work {
  commit(): Promise<Reply>;
  rollBack(): Promise<void>;
  /** Waits until whoever asked has closed the connection. */
  abandoned(): Promise<void>;
}

const BROKEN: Reply = { status: 500, body: '{"message":"a fault on purpose"}' };

/** The answer under a fault; null is none: the connection is to be closed. */
export async function answerUnder(
  fault: Fault,
  { commit, rollBack, abandoned }: Work,
): Promise<Reply | null> {
  // Whether the statements failed does not matter to one who gets no answer.
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

/** Faults as often as their weights say. */
export function randomFaults(weights: Partial<Record<Fault, number>>, random: Random): FaultPlan {
  const pairs = FAULTS.map((fault) => [fault, weights[fault] ?? 0] as const);
  return () => random.weighted(pairs);
}

/** Each request meets the fault the first so many times that it is sent, and none from then on. */
export function firstTimes(times: number, fault: Fault): FaultPlan {
  const met = new Map<string, number>();
  return (call) => {
    const request = JSON.stringify(call);
    const before = met.get(request) ?? 0;
    met.set(request, before + 1);
    return before < times ? fault : 'none';
  };
}
