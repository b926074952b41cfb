import pg from 'pg';
import { randomMaterial } from '../src/http/key-material.ts';
import { secretsFrom } from '../src/http/secrets.ts';
import { touchpoints } from './data.ts';
import { median } from './measure.ts';
import type { Note } from './progress.ts';
import { type Statement, statementsOf } from './touchpoint-statements.ts';
import type { BenchWorld } from './world.ts';

export const BATCH = 1000;
export const BATCHES_A_ROUND = 10;
export const ROUNDS = 5;

/**
 * Rows per second of 1,000-item batches through the Worker, compared with the same statements sent directly from `pg`,
 * in turn, each into a workspace of its own that grows at the same rate. One client, then four concurrent clients.
 */
export async function benchIngest(world: BenchWorld, progress: Note) {
  const results = [];
  // Any key material does, as long as it is the same for each batch.
  const secrets = await secretsFrom(randomMaterial());
  for (const clients of [1, 4]) {
    const rounds = [];
    const [viaWorker, viaPg] = [await world.makeWorkspace(), await world.makeWorkspace()];
    for (let round = 0; round <= ROUNDS; round++) {
      progress(`ingest, ${clients} clients, round ${round} of ${ROUNDS}`);
      const batches = Array.from({ length: BATCHES_A_ROUND }, (_, i) =>
        touchpoints(BATCH, (round * 4 + clients) * 1000 + i),
      );
      const worker = await rowsPerSecond(batches, clients, (batch) =>
        world.ask('POST', '/v1/touchpoints', viaWorker.token, { touchpoints: batch }),
      );
      const prepared = await Promise.all(batches.map((batch) => statementsOf(secrets, viaPg.id, batch)));
      const direct = await sentRowsPerSecond(world.databaseUrl, prepared, clients);
      // The first round warms caches and connections and is not counted.
      if (round > 0) rounds.push({ worker, direct, ratio: worker / direct });
    }
    results.push({
      clients,
      worker_rows_per_second: median(rounds.map((round) => round.worker)),
      pg_rows_per_second: median(rounds.map((round) => round.direct)),
      ratio: median(rounds.map((round) => round.ratio)),
      ratios: rounds.map((round) => round.ratio),
    });
  }
  return { name: 'ingest of 1,000-item batches', wanted: 'ratio >= 0.5', results };
}

async function rowsPerSecond<T>(
  batches: T[],
  clients: number,
  send: (batch: T) => Promise<unknown>,
): Promise<number> {
  const open = [...batches];
  const started = performance.now();
  const work = async () => {
    for (let batch = open.shift(); batch !== undefined; batch = open.shift()) await send(batch);
  };
  await Promise.all(Array.from({ length: clients }, work));
  return (batches.length * BATCH) / ((performance.now() - started) / 1000);
}

/** Each batch is one transaction, rendered beforehand, so that only the database and the driver are timed. */
export async function sentRowsPerSecond(databaseUrl: string, prepared: Statement[][], clients: number) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: clients });
  const send = async (statements: Statement[]) => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      for (const { sql, params } of statements) await client.query(sql, params);
      await client.query('commit');
    } finally {
      client.release();
    }
  };
  try {
    return await rowsPerSecond(prepared, clients, send);
  } finally {
    await pool.end();
  }
}
