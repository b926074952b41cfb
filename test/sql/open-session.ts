import type { SQL } from 'drizzle-orm';
import pg from 'pg';
import { underReach } from '../../src/db/client.ts';
import { compile } from '../../src/db/dialect.ts';
import { REPORT_SETTINGS } from '../../src/db/report-call.ts';
import { rowsOf } from '../support/tables.ts';

/** A transaction that stays open, on a connection of its own: `api on postgres` only. */
export interface OpenSession {
  run(statement: SQL | string, ...params: unknown[]): Promise<Record<string, unknown>[]>;
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/** As in `test/support/world.ts`. */
const SERVER = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** Begins a transaction as the Worker does, under the role of the application. */
export async function openSession(workspace: { id: string }): Promise<OpenSession> {
  const [row] = await rowsOf('select current_database() as name', []);
  const url = new URL(SERVER);
  url.pathname = `/${row?.name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const run: OpenSession['run'] = async (statement, ...params) => {
    const query = typeof statement === 'string' ? { sql: statement, params } : compile(statement);
    return (await client.query(query.sql, query.params)).rows;
  };
  const end = async (command: string) => {
    await client.query(command);
    await client.end();
  };
  await run('begin');
  await run(underReach({ role: 'throughline_app', workspace_id: workspace.id }, 60_000));
  await run(REPORT_SETTINGS);
  return { run, commit: () => end('commit'), rollBack: () => end('rollback') };
}
