import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { buildWorker, PROJECT_ROOT } from '../local/workerd.ts';
import { type BenchName, type PageOptions, readArguments, USAGE } from './arguments.ts';
import { makeDatabase, startUndo } from './databases.ts';
import { benchFunnel, benchLargeFunnel } from './funnel.ts';
import { benchHostile } from './hostile.ts';
import { benchAnswers } from './hostile-answers.ts';
import { benchIngest } from './ingest.ts';
import { benchLocks } from './locks.ts';
import { measurePage, stepsOf } from './page/make-page.ts';
import { pageOf } from './page/page-text.ts';
import type { PageResults } from './page/results.ts';
import { loadTemplate } from './page/space.ts';
import { type Note, startProgress } from './progress.ts';
import { benchRotation } from './rotation.ts';
import type { WorkspaceSize } from './workspace/size.ts';
import { type BenchWorld, startBenchWorld } from './world.ts';

/** `npm run bench`: progress on stderr; the performance page, or one JSON document on stdout. */
const BENCHES: Record<BenchName, (world: BenchWorld, progress: Note) => Promise<unknown>> = {
  ingest: benchIngest,
  funnel: benchFunnel,
  'funnel-large': benchLargeFunnel,
  locks: benchLocks,
  hostile: benchHostile,
  'hostile-answers': benchAnswers,
  rotation: benchRotation,
};

const undo = startUndo();
let isInterrupted = false;
// An interrupted benchmark drops its databases.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    isInterrupted = true;
    undo.all().finally(() => process.exit(status));
  });

const asked = readArguments(process.argv.slice(2));
if (asked.kind === 'usage') {
  process.stderr.write(asked.problem === null ? USAGE : `${asked.problem}\n\n${USAGE}`);
  process.exitCode = asked.problem === null ? 0 : 2;
} else {
  try {
    if (asked.kind === 'page') await makePage(asked.options);
    else if (asked.kind === 'load') await loadDatabases(asked.sizes, asked.prefix);
    else await runBenches(asked.names);
  } catch (error) {
    // The statement that the interruption ended.
    if (!isInterrupted) throw error;
  } finally {
    await undo.all();
  }
}

async function makePage(options: PageOptions): Promise<void> {
  const progress = startProgress(process.stderr, stepsOf(options));
  const command = [
    'npm run bench',
    ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
  ].join(' ');
  const { page } = options;
  const save = async (results: PageResults) => {
    if (page !== null) await writeFile(resolve(PROJECT_ROOT, page), pageOf(results));
  };
  const results = await measurePage(options, command, { undo, progress, save });
  progress.end();
  await save(results);
  process.stdout.write(page === null ? pageOf(results) : `${JSON.stringify(results, null, 2)}\n`);
}

async function loadDatabases(sizes: readonly WorkspaceSize[], prefix: string): Promise<void> {
  const progress = startProgress(process.stderr, sizes.length + 1);
  progress.step('building the Worker');
  const bundle = await buildWorker();
  for (const size of sizes) {
    progress.step(prefix + size.name);
    await loadTemplate(prefix + size.name, size, { bundle, undo, note: progress.note });
  }
  progress.end();
}

async function runBenches(names: readonly BenchName[]): Promise<void> {
  const progress = startProgress(process.stderr, null);
  progress.step('building the Worker');
  const bundle = await buildWorker();
  const { url } = await makeDatabase(undo);
  const world = await startBenchWorld(bundle, url, undo);
  const benches = [];
  for (const name of names) benches.push(await BENCHES[name](world, progress.step));
  progress.end();
  const machine = { cpus: cpus().length, node: process.version };
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), machine, benches }, null, 2)}\n`);
}
