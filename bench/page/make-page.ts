import { buildWorker } from '../../local/workerd.ts';
import type { PageOptions } from '../arguments.ts';
import type { Undo } from '../databases.ts';
import type { Progress } from '../progress.ts';
import { startEviction } from './cold-buffers.ts';
import { checkout, loadOfMachine, machineOf } from './machine.ts';
import { type Means, measureRead, type Question } from './measure-read.ts';
import { measureWrites } from './measure-writes.ts';
import { LISTS, REPORTS } from './reads.ts';
import type { Effort, PageResults, ReadResult, WorkspaceFacts, WriteResult } from './results.ts';
import { openSpace, type Space } from './space.ts';
import { MAIN_STATE, STATES, type State } from './states.ts';
import { factsOf } from './workspace-facts.ts';

const FULL: Effort = {
  blocks: 4,
  runs: 5,
  slow_ms: 400,
  slow_blocks: 3,
  cold_runs: 3,
  batches: 20,
  events: 100,
};
/** Enough to see that everything runs, and the order of magnitude. */
const QUICK: Effort = {
  blocks: 2,
  runs: 2,
  slow_ms: 150,
  slow_blocks: 1,
  cold_runs: 1,
  batches: 3,
  events: 20,
};

/**
 * The questions that are measured in a state. The main state measures every read that uses sums, and the first state, where
 * nothing is kept, every read that does not. The first state also measures those with usual SQL; all other states measure
 * the typical ones.
 */
function questionsOf(state: State, { is_quick, reads }: PageOptions): Question[] {
  const isFirst = state === STATES[0];
  const isMain = state.name === MAIN_STATE;
  const inStates = REPORTS.filter((read) => read.is_typical).slice(0, is_quick ? 1 : undefined);
  return [...REPORTS, ...LISTS]
    .filter(({ name }) => name.includes(reads))
    .filter((read) => {
      if (inStates.includes(read)) return true;
      return read.is_by_day ? isMain || (isFirst && read.is_credit) : isFirst;
    })
    .flatMap((read) =>
      read.ranges.map((range) => ({ read, range, state: state.name, is_shown: isMain || !read.is_by_day })),
    );
}

/** The number of steps that `measurePage` begins. */
export function stepsOf(options: PageOptions): number {
  const questions = STATES.flatMap((state) => questionsOf(state, options));
  return 1 + 2 * options.sizes.length + STATES.length + questions.length;
}

/**
 * Measures everything that the page shows.
 * @param save is called with what is measured so far, so that a run of an hour that fails at its end leaves a page
 */
export async function measurePage(
  options: PageOptions,
  command: string,
  { undo, progress, save }: { undo: Undo; progress: Progress; save: (results: PageResults) => Promise<void> },
): Promise<PageResults> {
  const [at, started] = [new Date(), performance.now()];
  const effort = options.is_quick ? QUICK : FULL;
  progress.step('building the Worker');
  const bundle = await buildWorker();
  const spaces: Space[] = [];
  for (const size of options.sizes) {
    progress.step(`workspace ${size.name}`);
    spaces.push(await openSpace(size, options.reuse, { bundle, undo, note: progress.note }));
  }
  const [first] = spaces;
  if (!first) throw new Error('no size was asked for');
  const machine = await machineOf(first.client);
  const workspaces: WorkspaceFacts[] = [];
  for (const space of spaces) workspaces.push(await factsOf(space));
  const eviction = await startEviction(first.world.databaseUrl);
  if (eviction) undo.add(eviction.close);
  const means: Means = { effort, eviction, plans: options.plans, note: progress.note };
  const reads: ReadResult[] = [];
  const writes: WriteResult[] = [];
  const measured = (): PageResults => ({
    at: at.toISOString(),
    seconds: (performance.now() - started) / 1000,
    command,
    ...checkout(),
    is_quick: options.is_quick,
    machine: { ...machine, load_after: loadOfMachine() },
    effort,
    workspaces,
    states: STATES.map(({ name }) => name),
    main_state: MAIN_STATE,
    reads,
    writes,
  });
  for (const state of STATES) {
    reads.push(...(await measureState(spaces, state, questionsOf(state, options), means, progress)));
    await save(measured());
  }
  for (const space of spaces) {
    progress.step(`writes, ${space.size.name}`);
    writes.push(...(await measureWrites(space, means)));
  }
  return measured();
}

/** Measures these questions while all workspaces are in the state. */
async function measureState(
  spaces: readonly Space[],
  state: State,
  questions: readonly Question[],
  means: Means,
  progress: Progress,
): Promise<ReadResult[]> {
  progress.step(`the state: ${state.name}`);
  const leaving: (() => Promise<void>)[] = [];
  for (const space of spaces) {
    progress.note(space.size.name);
    // Work that the Worker started after its responses ends first.
    await space.world.quiet();
    const leave = await state.make(space);
    if (leave) leaving.push(leave);
  }
  const results: ReadResult[] = [];
  for (const question of questions) {
    const { read, range } = question;
    progress.step([state.name, read.name, range ?? ''].filter((part) => part !== '').join(', '));
    results.push(...(await measureRead(spaces, question, means)));
  }
  for (const leave of leaving) await leave();
  return results;
}
