import pg from 'pg';
import { applyMigrations } from '../local/apply-migrations.ts';
import { openPostgres } from '../local/sql-backend.ts';

/** The server of the benchmarks, where databases may be created and dropped. */
export const SERVER = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** What was started and created, to be undone in reverse order: at the end, after a failure, or after Ctrl-C. */
export interface Undo {
  /** Returns the step itself, to take it early: it is taken once. */
  add(step: () => Promise<unknown>): () => Promise<void>;
  all(): Promise<void>;
}

export function startUndo(): Undo {
  const steps: (() => Promise<void>)[] = [];
  let running: Promise<void> | undefined;
  const all = async () => {
    for (const step of steps.toReversed()) await step();
  };
  return {
    add: (step) => {
      // The undo has begun: a database created from now on would be left behind.
      if (running) throw new Error('the benchmark is ending');
      let taken: Promise<void> | undefined;
      const once = () => {
        taken ??= step().then(() => {});
        return taken;
      };
      steps.push(once);
      return once;
    },
    all: () => {
      running ??= all();
      return running;
    },
  };
}

/** A database of this run, which is dropped at its end. */
export interface OwnDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Creates a database with all migrations: an empty one, or a copy of another one that nobody is connected to. */
export async function makeDatabase(undo: Undo, template?: string): Promise<OwnDatabase> {
  const name = `throughline_bench_${process.pid}_${Date.now()}`;
  // Copying files is many times faster than writing a large database to the log.
  const copy = template === undefined ? '' : ` template ${template} strategy file_copy`;
  let creating: Promise<unknown> = Promise.resolve();
  const drop = undo.add(async () => {
    await Promise.allSettled([creating]);
    await administer(`drop database if exists ${name} with (force)`);
  });
  creating = administer(`create database ${name}${copy}`);
  await creating;
  const url = urlOf(name);
  await migrate(url);
  return { url, drop };
}

export async function isThere(database: string): Promise<boolean> {
  return (await administer('select from pg_database where datname = $1', [database])).length > 0;
}

export async function renameDatabase(url: string, name: string): Promise<void> {
  await administer(`alter database ${new URL(url).pathname.slice(1)} rename to ${name}`);
}

function urlOf(database: string): string {
  const url = new URL(SERVER);
  url.pathname = `/${database}`;
  return url.href;
}

async function migrate(databaseUrl: string): Promise<void> {
  const backend = await openPostgres(databaseUrl);
  try {
    await applyMigrations(backend);
  } finally {
    await backend.close();
  }
}

async function administer(statement: string, params: unknown[] = []): Promise<object[]> {
  const admin = new pg.Client({ connectionString: SERVER });
  await admin.connect();
  try {
    return (await admin.query(statement, params)).rows;
  } finally {
    await admin.end();
  }
}

/** Dropping a database ends its connections; the running statement fails anyway. */
export async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  return client;
}
