import { neon } from '@neondatabase/serverless';
// Also for its side effect on import: it configures the driver for a database on this machine.
import '../../src/db/client.ts';
import { world } from './api.ts';

/** Reads the tables directly, for facts that no response shows. */
export async function rowsOf(query: string, params: unknown[]): Promise<Record<string, unknown>[]> {
  return neon(world.connectionString).query(query, params) as Promise<Record<string, unknown>[]>;
}

/** The result of the last of some statements in one transaction, under a role and a workspace as in requests. */
export async function under(
  reach: { role?: string; workspace_id: string },
  ...statements: [text: string, params?: unknown[]][]
): Promise<Record<string, unknown>[]> {
  const driver = neon(world.connectionString);
  const { role = 'throughline_app', workspace_id } = reach;
  const answers = await driver.transaction([
    driver.query(`select set_config('role', $1, true), set_config('throughline.workspace_id', $2, true)`, [
      role,
      workspace_id,
    ]),
    ...statements.map(([text, params = []]) => driver.query(text, params)),
  ]);
  return answers.at(-1) as Record<string, unknown>[];
}

/** The SQLSTATE that a statement was refused with, or `allowed`. */
export const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'allowed',
    (error: { code?: string }) => error.code,
  );
