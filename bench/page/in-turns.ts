import type { QueryResultRow } from 'pg';
import { type Contender, inBlocks, ratioOf } from './contenders.ts';
import type { Read } from './reads.ts';
import type { Effort, RangeName, Timing, UsualTiming } from './results.ts';
import type { Space } from './space.ts';
import { Cancelled, replay, send, type Transaction, withoutRole } from './statement.ts';
import type { Captured } from './through-worker.ts';
import { differenceOf } from './usual-difference.ts';

/** A read of one space, while it is measured. */
export interface Subject {
  space: Space;
  captured: Captured;
  transaction: Transaction;
}

export interface Timings {
  /** Null if it was cancelled. */
  statement: Timing | null;
  usual: UsualTiming | null;
  locked_ratio: number | null;
}

/** What is timed besides the statements of the Worker. */
export interface Beside {
  usual: boolean;
  /** The statements of the first space without a role. */
  unlocked: boolean;
}

/** The statements of all spaces, the usual SQL in each, and the statements without a role, in turns. */
export async function timeInTurns(
  subjects: readonly (Subject & { estimate_ms: number })[],
  read: Read,
  range: RangeName | null,
  beside: Beside,
  effort: Effort,
): Promise<Timings[]> {
  const contenders: Contender[] = [];
  const add = (contender: Contender | null) => (contender ? contenders.push(contender) - 1 : -1);
  const places = [];
  for (const [i, { space, captured, transaction, estimate_ms }] of subjects.entries()) {
    const timed = (one: Transaction) => ({ estimate_ms, run: () => replay(space.client, one) });
    const usual = beside.usual ? await usualOf(space, read, range, captured.body) : null;
    places.push({
      statement: add(captured.is_too_slow ? null : timed(transaction)),
      unlocked: add(
        beside.unlocked && i === 0 && !captured.is_too_slow ? timed(withoutRole(transaction)) : null,
      ),
      usual: add(usual),
      difference: usual?.difference ?? null,
    });
  }
  const taken = await inBlocks(contenders, effort);
  return places.map(({ difference, ...place }) => {
    const [statement, usual, unlocked] = [place.statement, place.usual, place.unlocked].map(
      (i) => taken[i] ?? null,
    );
    return {
      statement: statement ?? null,
      usual: usual ? { ...usual, ratio: statement ? ratioOf(usual, statement) : null, difference } : null,
      locked_ratio: statement && unlocked ? ratioOf(statement, unlocked) : null,
    };
  });
}

/** Runs the usual SQL once, to see how long it takes and whether it agrees. Null if there is none, or it takes too long. */
async function usualOf(
  { usual, questionOf }: Space,
  read: Read,
  range: RangeName | null,
  body: unknown,
): Promise<(Contender & { difference: number | null }) | null> {
  const statement = read.usual?.(questionOf(range));
  if (!statement) return null;
  try {
    const { rows, ms } = await send<QueryResultRow>(usual, statement);
    const difference = read.is_credit ? differenceOf(rows, body) : null;
    return { estimate_ms: ms, difference, run: async () => (await send(usual, statement)).ms };
  } catch (error) {
    if (error instanceof Cancelled) return null;
    throw error;
  }
}
