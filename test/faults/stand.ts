import pg from 'pg';
import { inject } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import type { FaultPlan } from '../../local/faults.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { isDatabaseError, openPostgres, type SqlBackend } from '../../local/sql-backend.ts';
import { startWorkerd } from '../../local/workerd.ts';
import { world } from '../support/api.ts';
import { type Cluster, startCluster } from './cluster.ts';

/** The built Worker in workerd, a Postgres server of its own, and a connection between them with injected faults. */
export interface Stand {
  url: string;
  cluster: Cluster;
  /** The faults of requests to the database from now on; null for none. */
  setFaults(plan: FaultPlan | null): void;
  /**
   * Keeps each transaction open for a time before it commits, with its locks. Otherwise each transaction ends before
   * the next one begins, and no transaction ever waits.
   */
  holdTransactions(holdMs: () => number): void;
  /** The number of requests that met a fault so far. */
  faultsMet(): number;
  /** The number of errors with this SQLSTATE. */
  answered(sqlstate: string): number;
  /** The number of calls during which a connection to the database ended, or could not be opened. */
  broken(): number;
  /** Reads the database directly, without the Worker and without faults. */
  rows<R extends object>(query: string, params: unknown[]): Promise<R[]>;
  remove(): Promise<void>;
}

const ROOT_KEY = 'root-key-of-the-fault-tests-0123456789abcdef';
const IDENTITY_SECRET = 'identity-secret-of-the-fault-tests-0123456789';
const TOKEN_SECRET = 'token-secret-of-the-fault-tests-0123456789';

/** One connection for each of the 16 clients. */
const MAX_CONNECTIONS = 16;

/** Also sets the address of the Worker in `test/support/api.ts`. */
export async function startStand(settings: Record<string, string> = {}): Promise<Stand> {
  const { bundle, binaries } = inject('faultStand');
  const cluster = await startCluster(binaries, settings);
  const backend = await openPostgres(cluster.connectionString, MAX_CONNECTIONS);
  await applyMigrations(backend);
  const counts = new Map<string, number>();
  let plan: FaultPlan | null = null;
  let met = 0;
  let holdMs: (() => number) | null = null;
  const held: SqlBackend = {
    ...backend,
    run: async (queries, options) => {
      if (!holdMs || !options.atomic) return backend.run(queries, options);
      const sleep = { query: 'select pg_sleep($1::float8 / 1000)', params: [holdMs()] };
      return (await backend.run([...queries, sleep], options)).slice(0, -1);
    },
  };
  const neon = await startNeonServer({
    backend: counting(held, counts),
    faults: (call) => {
      const fault = plan?.(call) ?? 'none';
      if (fault !== 'none') met += 1;
      return fault;
    },
  });
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET, TOKEN_SECRET };
  const worker = await startWorkerd({ bundle, env });
  Object.assign(world, {
    url: worker.url,
    rootKey: ROOT_KEY,
    identitySecret: IDENTITY_SECRET,
    connectionString: neon.connectionString,
  });
  return {
    url: worker.url,
    cluster,
    setFaults: (next) => {
      plan = next;
    },
    holdTransactions: (next) => {
      holdMs = next;
    },
    faultsMet: () => met,
    answered: (sqlstate) => counts.get(sqlstate) ?? 0,
    broken: () => counts.get(BROKEN) ?? 0,
    rows: (query, params) => rowsOf(cluster.connectionString, query, params),
    remove: async () => {
      await worker.stop();
      await neon.close();
      await backend.close();
      await cluster.remove();
    },
  };
}

/** Stands for the SQLSTATE of a broken connection. */
const BROKEN = 'broken';

/** Counts errors at their origin, because a retry in the Worker hides them from the sender. */
function counting(backend: SqlBackend, counts: Map<string, number>): SqlBackend {
  return {
    ...backend,
    run: async (queries, options) => {
      try {
        return await backend.run(queries, options);
      } catch (error) {
        const how = isDatabaseError(error) ? error.code : BROKEN;
        counts.set(how, (counts.get(how) ?? 0) + 1);
        throw error;
      }
    },
  };
}

async function rowsOf<R extends object>(
  connectionString: string,
  query: string,
  params: unknown[],
): Promise<R[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<R>(query, params)).rows;
  } finally {
    await client.end();
  }
}
