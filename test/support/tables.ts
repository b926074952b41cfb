import { neon } from '@neondatabase/serverless';
// Also for what it does on import: it tells the driver where a database on this machine listens.
import '../../src/db/client.ts';
import { world } from './api.ts';

/** A look into the tables, past the API, for what no answer shows. */
export async function rowsOf(query: string, params: unknown[]): Promise<Record<string, unknown>[]> {
  return neon(world.connectionString).query(query, params) as Promise<Record<string, unknown>[]>;
}
