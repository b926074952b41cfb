import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { ATTEMPT_TIMEOUT_MS, underReach } from '../src/db/client.ts';
import { randomMaterial } from '../src/http/key-material.ts';
import { secretsFrom } from '../src/http/secrets.ts';
import { touchpoints } from './data.ts';
import { BATCH, BATCHES_A_ROUND, ROUNDS, sentRowsPerSecond } from './ingest.ts';
import { median } from './measure.ts';
import type { Note } from './progress.ts';
import { type Statement, statementsOf } from './touchpoint-statements.ts';
import type { BenchWorld } from './world.ts';

const WORKSPACE_ID = '00000000-0000-7000-8000-000000000001';

/** Switches row level security off, as if it did not exist. */
const UNLOCK = `do $$ declare t regclass; begin
  for t in select c.oid::regclass from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' loop
    execute format('alter table %s disable row level security', t);
  end loop;
end $$`;

/**
 * Rows per second of the same batches with both locks between workspaces (the role, the workspace and the policies),
 * and with only `workspace_id` in every statement, in turn, each into a database of its own that grows at the same
 * rate.
 */
export async function benchLocks(world: BenchWorld, progress: Note) {
  const name = 'ingest with row level security, against ingest without';
  const { sql, params } = new PgDialect().sqlToQuery(
    underReach({ role: 'throughline_app', workspace_id: WORKSPACE_ID }, ATTEMPT_TIMEOUT_MS),
  );
  const secrets = await secretsFrom(randomMaterial());
  const results = await world.inFreshDatabase((locked) =>
    world.inFreshDatabase(async (unlocked) => {
      await prepare(locked);
      await prepare(unlocked, UNLOCK);
      return [await compare(1), await compare(4)];

      async function compare(clients: number) {
        const rounds = [];
        for (let round = 0; round <= ROUNDS; round++) {
          progress(`locks, ${clients} clients, round ${round} of ${ROUNDS}`);
          const batches = await Promise.all(
            Array.from({ length: BATCHES_A_ROUND }, (_, i) =>
              statementsOf(secrets, WORKSPACE_ID, touchpoints(BATCH, (round * 4 + clients) * 1000 + i)),
            ),
          );
          const under = batches.map((statements): Statement[] => [{ sql, params }, ...statements]);
          const ask = {
            with: () => sentRowsPerSecond(locked, under, clients),
            without: () => sentRowsPerSecond(unlocked, batches, clients),
          };
          // The order alternates, because the first to run finds the machine as the previous round left it.
          const isEven = round % 2 === 0;
          const [first, second] = isEven ? [ask.with, ask.without] : [ask.without, ask.with];
          const [one, other] = [await first(), await second()];
          const [locks, none] = isEven ? [one, other] : [other, one];
          // The first round warms caches and connections and is not counted.
          if (round > 0) rounds.push({ locks, none, ratio: locks / none });
        }
        return {
          clients,
          locked_rows_per_second: median(rounds.map(({ locks }) => locks)),
          unlocked_rows_per_second: median(rounds.map(({ none }) => none)),
          ratio: median(rounds.map(({ ratio }) => ratio)),
          ratios: rounds.map(({ ratio }) => ratio),
        };
      }
    }),
  );
  return { name, wanted: 'ratio >= 0.9', results };
}

async function prepare(databaseUrl: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('insert into workspaces (id, name) values ($1, $2)', [WORKSPACE_ID, 'Bench']);
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
