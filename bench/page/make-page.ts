import { buildWorker } from '../../local/workerd.ts';
import type { PageOptions } from '../arguments.ts';
import type { Undo } from '../databases.ts';
import type { Progress } from '../progress.ts';
import { startEviction } from './cold-buffers.ts';
import { checkout, loadOfMachine, machineOf } from './machine.ts';
import { type Means, measureRead } from './measure-read.ts';
import { measureWrites } from './measure-writes.ts';
import { LISTS, REPORTS } from './reads.ts';
import type { Effort, PageResults, WriteResult } from './results.ts';
import { openSpace, type Space } from './space.ts';
import { STATES } from './states.ts';
import { factsOf } from './workspace-facts.ts';

const FULL: Effort = {
  blocks: 4,
  runs: 5,
  slow_ms: 1000,
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

/** Every read once for each of its ranges. */
const QUESTIONS = [...REPORTS, ...LISTS].flatMap((read) => read.ranges.map((range) => ({ read, range })));

/** The number of steps that `measurePage` begins. */
export function stepsOf({ sizes }: PageOptions): number {
  return 1 + 2 * sizes.length + QUESTIONS.length;
}

/** Measures everything that the page shows. */
export async function measurePage(
  options: PageOptions,
  command: string,
  undo: Undo,
  progress: Progress,
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
  const workspaces = [];
  for (const space of spaces) workspaces.push(await factsOf(space));
  const eviction = await startEviction(first.world.databaseUrl);
  if (eviction) undo.add(eviction.close);
  const means: Means = { effort, eviction, plans: options.plans, note: progress.note };
  const reads = [];
  for (const { read, range } of QUESTIONS) {
    progress.step(range === null ? read.name : `${read.name}, ${range}`);
    reads.push(...(await measureRead(spaces, read, range, means)));
  }
  const writes: WriteResult[] = [];
  for (const space of spaces) {
    progress.step(`writes, ${space.size.name}`);
    writes.push(...(await measureWrites(space, means)));
  }
  return {
    at: at.toISOString(),
    seconds: (performance.now() - started) / 1000,
    command,
    ...checkout(),
    is_quick: options.is_quick,
    machine: { ...machine, load_after: loadOfMachine() },
    effort,
    workspaces,
    states: STATES.map(({ name }) => name),
    reads,
    writes,
  };
}
