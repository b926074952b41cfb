import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { CANONICAL_VERSION } from '../src/domain/canonical.ts';
import { derivedMaterial, RANDOM, ringOf } from '../src/http/key-material.ts';
import type { WorkspaceContext } from '../src/http/operation.ts';
import { secretsFrom } from '../src/http/secrets.ts';
import { touchpointIngest } from '../src/touchpoints/record-touchpoints.ts';
import type { TouchpointRow } from '../src/touchpoints/touchpoint-sql.ts';
import { touchpoints } from './data.ts';
import { median, type Progress } from './measure.ts';
import type { BenchWorld } from './world.ts';

export const BATCH = 1000;
export const BATCHES_A_ROUND = 10;
export const ROUNDS = 5;

export type Statement = { sql: string; params: unknown[] };

/**
 * Rows per second of 1,000-item batches through the Worker, compared with the same statements sent directly from `pg`,
 * in turn, each into a workspace of its own that grows at the same rate. One client, then four concurrent clients.
 */
export async function benchIngest(world: BenchWorld, progress: Progress) {
  const results = [];
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
      const direct = world.databaseUrl
        ? await directRowsPerSecond(world, world.databaseUrl, viaPg.id, batches, clients)
        : null;
      // The first round warms caches and connections and is not counted.
      if (round > 0) rounds.push({ worker, direct, ratio: direct === null ? null : worker / direct });
    }
    results.push({
      clients,
      worker_rows_per_second: median(rounds.map((round) => round.worker)),
      pg_rows_per_second: world.databaseUrl ? median(rounds.map((round) => round.direct ?? 0)) : null,
      ratio: world.databaseUrl ? median(rounds.map((round) => round.ratio ?? 0)) : null,
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

/** The statements are rendered beforehand, so that only the database and the driver are timed. */
async function directRowsPerSecond(
  world: BenchWorld,
  databaseUrl: string,
  workspaceId: string,
  batches: Record<string, unknown>[][],
  clients: number,
) {
  const prepared = await Promise.all(batches.map((batch) => statementsOf(world, workspaceId, batch)));
  return sentRowsPerSecond(databaseUrl, prepared, clients);
}

/** Each batch is one transaction. */
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

export async function statementsOf(
  world: BenchWorld,
  workspaceId: string,
  batch: Record<string, unknown>[],
): Promise<Statement[]> {
  const workspace = {
    id: workspaceId,
    name: '',
    timezone: 'UTC',
    currency: 'USD',
    identity_storage: 'hashed',
    default_country: null,
    retention_days: null,
    content_version: CANONICAL_VERSION,
  };
  // Any key material does, as long as it is the same for each batch.
  const [secret] = await ringOf({ identity_secret: world.identitySecret });
  const material = await derivedMaterial(secret, workspaceId);
  const secrets = await secretsFrom({ ...material, hash_version: RANDOM });
  // Only the members of a request's context that preparing rows reads.
  const caller = { kind: 'secret', goals: null };
  const context = { workspace, caller, secrets, now: new Date() } as WorkspaceContext;
  const rows = await Promise.all(
    batch.map(async (sent) => {
      const item = touchpointIngest.schema.parse(sent);
      const ready = await touchpointIngest.prepare(item, String(sent.id), '', context);
      if (!('row' in ready)) throw new Error('the benchmark generated an invalid touchpoint');
      return {
        ...ready.row,
        content_hash: (await secrets.hash('content', JSON.stringify(sent))).slice(0, 32),
      } as TouchpointRow;
    }),
  );
  const dialect = new PgDialect();
  return (await touchpointIngest.write(rows, context)).map((statement) => dialect.sqlToQuery(statement));
}
