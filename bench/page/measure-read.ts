import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../measure.ts';
import type { Eviction } from './cold-buffers.ts';
import { type Subject, type Timings, timeInTurns } from './in-turns.ts';
import type { Read } from './reads.ts';
import type { ColdTiming, Effort, PlanFacts, RangeName, ReadResult, WorkerTiming } from './results.ts';
import type { Space } from './space.ts';
import { Cancelled, explain, replay, transactionOf } from './statement.ts';
import { capture, measureRequests } from './through-worker.ts';

/** What a measurement is made with. */
export interface Means {
  effort: Effort;
  /** Null if the server's buffers cannot be emptied. */
  eviction: Eviction | null;
  /** The folder of plans. */
  plans: string | null;
  note: (text: string) => void;
}

/** A read over one range, in a state that the workspaces are in already. */
export interface Question {
  read: Read;
  range: RangeName | null;
  state: string;
  /** Whether the page shows it outside of the section about states, so that everything is measured. */
  is_shown: boolean;
}

type Planned = Subject & { facts: PlanFacts | null; estimate_ms: number };

/** Measures one read over one range, in all spaces next to each other. */
export async function measureRead(
  spaces: readonly Space[],
  question: Question,
  means: Means,
): Promise<ReadResult[]> {
  const { read, range, is_shown } = question;
  const planned: Planned[] = [];
  for (const space of spaces) {
    means.note(`${space.size.name}, through the Worker`);
    const captured = await capture(space, read.request(space.questionOf(range)));
    const subject = { space, captured, transaction: transactionOf(captured.queries) };
    planned.push(await planOf(subject, question, means));
  }
  means.note('in turns');
  const beside = { usual: is_shown || read.is_credit === true, unlocked: is_shown && range !== 'year' };
  const timings = await timeInTurns(planned, read, range, beside, means.effort);
  const results: ReadResult[] = [];
  for (const [i, subject] of planned.entries()) {
    const timed = timings[i] ?? { statement: null, usual: null, locked_ratio: null };
    const isCold = is_shown && i === planned.length - 1;
    results.push(await resultOf(subject, timed, question, isCold, means));
  }
  return results;
}

/** The rest of what is measured, which is of one space alone. */
async function resultOf(
  subject: Planned,
  timed: Timings,
  { read, range, state, is_shown }: Question,
  isCold: boolean,
  means: Means,
): Promise<ReadResult> {
  const { space, facts } = subject;
  const ms = timed.statement?.median_ms ?? null;
  return {
    read: read.name,
    range,
    size: space.size.name,
    state,
    ...timed,
    plan: facts,
    cold: ms === null || !isCold ? null : await measureCold(subject, ms, means),
    worker: ms === null ? null : await measureThroughWorker(subject, { read, range, is_shown }, means),
  };
}

/** The plan of the statements, and how long they took while it was made. */
async function planOf(
  subject: Subject,
  { read, range, state }: Question,
  { plans, note }: Means,
): Promise<Planned> {
  const { space, captured, transaction } = subject;
  const unknown = { ...subject, facts: null, estimate_ms: captured.ms };
  note(`${space.size.name}, plan`);
  if (captured.is_too_slow) return unknown;
  try {
    const explained = await explain(space.client, transaction);
    if (plans !== null) {
      const name = [space.size.name, read.name, range ?? '', state].join(' ').replaceAll(/\W+/g, '-');
      await mkdir(plans, { recursive: true });
      await writeFile(join(plans, `${name}.json`), `${JSON.stringify(explained.plans, null, 1)}\n`);
    }
    return { ...subject, facts: explained.facts, estimate_ms: explained.ms };
  } catch (error) {
    if (error instanceof Cancelled) return unknown;
    throw error;
  }
}

async function measureCold(
  { space, transaction }: Subject,
  warm_ms: number,
  { effort, eviction, note }: Means,
): Promise<ColdTiming | null> {
  if (!eviction) return null;
  note(`${space.size.name}, cold`);
  const times: number[] = [];
  for (let run = 0; run < (warm_ms < effort.slow_ms ? effort.cold_runs : 1); run++) {
    await eviction.evict();
    try {
      times.push(await replay(space.client, transaction));
    } catch (error) {
      if (error instanceof Cancelled) return null;
      throw error;
    }
  }
  return { median_ms: median(times), runs: times.length };
}

function measureThroughWorker(
  { space, captured }: Subject,
  { read, range, is_shown }: Pick<Question, 'read' | 'range' | 'is_shown'>,
  { effort, note }: Means,
): Promise<WorkerTiming | null> {
  note(`${space.size.name}, requests`);
  const runs = is_shown && captured.ms < effort.slow_ms ? effort.blocks * effort.runs : 1;
  return measureRequests(space, read.request(space.questionOf(range)), runs);
}
