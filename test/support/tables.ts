import { neon } from '@neondatabase/serverless';
// Also for its side effect on import: it configures the driver for a database on this machine.
import '../../src/db/client.ts';
import { world } from './api.ts';

/** Reads the tables directly, for facts that no response shows. */
export async function rowsOf(query: string, params: unknown[]): Promise<Record<string, unknown>[]> {
  return neon(world.connectionString).query(query, params) as Promise<Record<string, unknown>[]>;
}
