import { cpus } from 'node:os';
import { benchAttribution } from './attribution.ts';
import { benchIngest } from './ingest.ts';
import type { Progress } from './measure.ts';
import { startBenchWorld } from './world.ts';

/** `npm run bench [name …]`: progress on stderr, one JSON document on stdout. */
const BENCHES = { ingest: benchIngest, attribution: benchAttribution };
type Name = keyof typeof BENCHES;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`No benchmark ${unknown.join(', ')}; known are ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exit(1);
}

const progress: Progress = (text) => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
};

progress('building the Worker');
const world = await startBenchWorld(process.env.DATABASE_URL);
try {
  const benches = [];
  for (const name of (asked.length > 0 ? asked : Object.keys(BENCHES)) as Name[])
    benches.push(await BENCHES[name](world, progress));
  progress('done\n');
  const machine = { cpus: cpus().length, node: process.version, database: world.database };
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), machine, benches }, null, 2)}\n`);
} finally {
  await world.stop();
}
