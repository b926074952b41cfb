import { cpus } from 'node:os';
import { benchAttribution } from './attribution.ts';
import { benchConversations } from './conversations.ts';
import { benchFunnel, benchLargeFunnel } from './funnel.ts';
import { benchHostile } from './hostile.ts';
import { benchAnswers } from './hostile-answers.ts';
import { benchIngest } from './ingest.ts';
import { benchLocks } from './locks.ts';
import type { Progress } from './measure.ts';
import { benchPeopleReports } from './people-reports.ts';
import { benchReports } from './reports.ts';
import { benchRotation } from './rotation.ts';
import { startBenchWorld } from './world.ts';

/** `npm run bench [name …]`: progress on stderr, one JSON document on stdout. */
const BENCHES = {
  ingest: benchIngest,
  attribution: benchAttribution,
  funnel: benchFunnel,
  'funnel-large': benchLargeFunnel,
  'people-reports': benchPeopleReports,
  conversations: benchConversations,
  reports: benchReports,
  locks: benchLocks,
  hostile: benchHostile,
  'hostile-answers': benchAnswers,
  rotation: benchRotation,
};
type Name = keyof typeof BENCHES;
/** The others load data for minutes, so they run only by name. */
const DEFAULT: readonly Name[] = ['ingest', 'attribution', 'funnel', 'locks'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(
    `Unknown benchmark ${unknown.join(', ')}; known are ${Object.keys(BENCHES).join(', ')}.\n`,
  );
  process.exit(1);
}

const progress: Progress = (text) => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
};

progress('building the Worker');
const world = await startBenchWorld(process.env.DATABASE_URL);
// An interrupted benchmark drops its databases.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => world.stop().finally(() => process.exit(status)));
try {
  const benches = [];
  for (const name of asked.length > 0 ? (asked as Name[]) : DEFAULT)
    benches.push(await BENCHES[name](world, progress));
  progress('done\n');
  const machine = { cpus: cpus().length, node: process.version, database: world.database };
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), machine, benches }, null, 2)}\n`);
} finally {
  await world.stop();
}
