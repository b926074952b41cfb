import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { openPglite, openPostgres, type SqlBackend } from '../../local/sql-backend.ts';

export const ADMIN_URL = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A backend over a database of its own, and a function that removes both. */
export interface TestBackend {
  backend: SqlBackend;
  /** The connection string; null for the embedded database. */
  url: string | null;
  remove(): Promise<void>;
}

/** A database for a test; if it is not available, `reason` is set and belongs in the name of the test. */
export interface BackendCase {
  name: string;
  reason: string | undefined;
  open(): Promise<TestBackend>;
}

async function admin<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: ADMIN_URL, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function whyUnreachable(): Promise<string | undefined> {
  try {
    await admin((client) => client.query('select 1'));
    return undefined;
  } catch (error) {
    const reason = `NOT RUN: no PostgreSQL at ${new URL(ADMIN_URL).host} (${String(error)}); set TEST_DATABASE_URL`;
    console.warn(reason);
    return reason;
  }
}

async function openOwnDatabase(): Promise<TestBackend> {
  const name = `throughline_local_${randomBytes(6).toString('hex')}`;
  await admin((client) => client.query(`create database ${name}`));
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  const backend = await openPostgres(url.href);
  const remove = async () => {
    await backend.close();
    await admin((client) => client.query(`drop database ${name} with (force)`));
  };
  return { backend, url: url.href, remove };
}

/** The embedded database, and a real PostgreSQL if there is one. */
export async function backendCases(): Promise<BackendCase[]> {
  const reason = await whyUnreachable();
  return [
    {
      name: 'pglite',
      reason: undefined,
      open: async () => {
        const backend = await openPglite();
        return { backend, url: null, remove: () => backend.close() };
      },
    },
    { name: reason ? `postgres ${reason}` : 'postgres', reason, open: openOwnDatabase },
  ];
}
