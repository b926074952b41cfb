import type pg from 'pg';
import { secretsFrom } from '../../src/http/secrets.ts';
import { randomOf } from '../data.ts';
import { median } from '../measure.ts';
import { type Statement, statementsOf } from '../touchpoint-statements.ts';
import { materialOf } from '../workspace-material.ts';
import { cpuTimeOf } from './cpu-time.ts';
import type { Means } from './measure-read.ts';
import type { WriteResult } from './results.ts';
import type { Space } from './space.ts';
import { request } from './through-worker.ts';
import { batchesOf, lateTouches, newTouches, type Occasion, peopleIn } from './write-batches.ts';

type Item = Record<string, unknown>;

const BATCH_ITEMS = 1000;

/** Batches and single events into a loaded workspace, which is not measured again afterwards. */
export async function measureWrites(space: Space, { effort, note }: Means): Promise<WriteResult[]> {
  const { client, loaded } = space;
  // One batch of each way is not counted, and each item is written one way only.
  const batches = 2 * (effort.batches + 1);
  const events = 2 * (effort.events + 1);
  const people = batches * peopleIn(BATCH_ITEMS) + events;
  const current = await newTouches(client, loaded, people, new Date());
  const late = await lateTouches(client, loaded, batches * peopleIn(BATCH_ITEMS), randomOf(3));
  const of = (write: string, occasions: readonly Occasion[], size: { batches: number; items: number }) => {
    note(`${space.size.name}, ${write}`);
    return compareWays(space, write, batchesOf(occasions, { ...size, name: write.replaceAll(/\W+/g, '-') }));
  };
  const inBatches = { batches, items: BATCH_ITEMS };
  return [
    await of('1,000, people without conversions', current.slice(events), inBatches),
    await of('1,000, late, of buyers', late, inBatches),
    await of('1, a person without conversions', current, { batches: events, items: 1 }),
  ];
}

/** Every second batch through the Worker, the others by the same statements through `pg`; each turn the other way round. */
async function compareWays(space: Space, write: string, batches: readonly Item[][]): Promise<WriteResult> {
  const material = await materialOf(space.client, space.loaded.workspace_id, space.world.identitySecret);
  const secrets = await secretsFrom(material);
  const turns: { worker: number; direct: number; calls: number; cpu: number | null }[] = [];
  for (let i = 0; i + 1 < batches.length; i += 2) {
    const [sent = [], direct = []] = batches.slice(i, i + 2);
    const statements = await statementsOf(secrets, space.loaded.workspace_id, direct);
    const isEven = i % 4 === 0;
    const before = isEven ? await straight(space.client, statements) : 0;
    const through = await throughWorker(space, sent);
    turns.push({ ...through, direct: isEven ? before : await straight(space.client, statements) });
  }
  const counted = turns.slice(1);
  const cpus = counted.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]));
  return {
    write,
    size: space.size.name,
    items: batches[0]?.length ?? 0,
    runs: counted.length,
    worker_ms: median(counted.map(({ worker }) => worker)),
    direct_ms: median(counted.map(({ direct }) => direct)),
    ratio: median(counted.map(({ worker, direct }) => worker / direct)),
    calls: Math.min(...counted.map(({ calls }) => calls)),
    cpu_ms: cpus.length > 0 ? median(cpus) : null,
  };
}

async function throughWorker(space: Space, touchpoints: readonly Item[]) {
  const before = await cpuTimeOf(space.world.pid);
  const asked = { method: 'POST', path: '/v1/touchpoints', body: { touchpoints } };
  const { ms, status, body, timing } = await request(space, asked);
  const after = await cpuTimeOf(space.world.pid);
  if (status !== 200)
    throw new Error(`a batch was answered with ${status}: ${JSON.stringify(body).slice(0, 300)}`);
  const cpu = before === null || after === null ? null : after - before;
  return { worker: ms, calls: timing.calls, cpu };
}

/** One transaction; the statements were rendered before. */
async function straight(client: pg.Client, statements: readonly Statement[]): Promise<number> {
  const started = performance.now();
  await client.query('begin');
  for (const { sql, params } of statements) await client.query(sql, params);
  await client.query('commit');
  return performance.now() - started;
}
