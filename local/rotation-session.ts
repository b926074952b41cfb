import pg from 'pg';

/** Runs one statement. */
export type Ask = <R extends object>(text: string, params?: unknown[]) => Promise<R[]>;

/** Postgres rolled the transaction back because of others: a deadlock, or a workspace that was deleted meanwhile. */
const AGAIN = ['40001', '40P01', '23503'];
const MAX_ATTEMPTS = 5;

/** Opens a connection, which ends with `use`. */
export async function withSession<T>(databaseUrl: string, use: (ask: Ask) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // The statement that runs then fails too.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(async <R extends object>(text: string, params: unknown[] = []) => {
      const { rows } = await client.query<R>(text, params);
      return rows;
    });
  } finally {
    await client.end();
  }
}

/** One transaction under the role that sees the wrapped keys of all workspaces and nothing else. */
export async function inRole<T>(ask: Ask, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await ask('begin');
    try {
      await ask(`select set_config('role', 'throughline_rotation', true)`);
      const result = await work();
      await ask('commit');
      return result;
    } catch (error) {
      await ask('rollback');
      const code = (error as { code?: string }).code ?? '';
      if (!AGAIN.includes(code) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
