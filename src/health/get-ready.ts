import { sql } from 'drizzle-orm';
import * as z from 'zod';
import journal from '../../migrations/meta/_journal.json' with { type: 'json' };
import { DatabaseRefusal, REFUSE_UNSAFE_ROLE, type Row } from '../db/client.ts';
import { ApiError } from '../http/errors.ts';
import { areKeysForeign, NOT_OPENED } from '../http/identity-keys.ts';
import { ringOf } from '../http/key-material.ts';
import { openOperation } from '../http/operation.ts';

/** The time of the newest migration of this build. The migrator records the same number. */
const NEWEST_MIGRATION = Math.max(...journal.entries.map((entry) => entry.when));

/** SQLSTATEs of a role, schema, table or function that does not exist, and of one without privileges on it. */
const NOT_MIGRATED = ['22023', '3F000', '42P01', '42883', '42501'];

/** A workspace that does not exist. */
const NO_WORKSPACE = '00000000-0000-0000-0000-000000000000';

export const getReady = openOperation({
  method: 'get',
  path: '/ready',
  id: 'getReady',
  tag: 'Health',
  summary: 'Check that requests can be served',
  description:
    'Checks that the database is reachable, has every migration of this build, confines requests to the rows of their workspace, and has keys of workspaces that a secret of the deployment opens.',
  access: 'public',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'Requests can be served.',
    schema: z.object({ status: z.literal('ready') }),
    example: { status: 'ready' },
  },
  errors: ['not_migrated', 'misconfigured'],
  handle: async ({ databases, config }) => {
    const newest = sql`select max(created_at)::float8 as newest from drizzle.__drizzle_migrations`;
    const foreign = areKeysForeign(await ringOf(config));
    // Both roles that requests run under, each checked after the first statement of its transaction, which sets it.
    const [[, rows = [], keys = []]] = await Promise.all([
      databases
        .lookup()
        .atomic<[Row, { newest: number | null }, { are_foreign: boolean }]>([
          REFUSE_UNSAFE_ROLE,
          newest,
          foreign,
        ]),
      databases.inWorkspace(NO_WORKSPACE).query(REFUSE_UNSAFE_ROLE),
    ]).catch((error: unknown) => {
      if (error instanceof DatabaseRefusal && NOT_MIGRATED.includes(error.sqlstate)) return [[]];
      throw error;
    });
    const [row] = rows;
    if ((row?.newest ?? 0) < NEWEST_MIGRATION)
      throw new ApiError('not_migrated', 'Run `npm run migrate` against this database.');
    if (keys[0]?.are_foreign) throw new ApiError('misconfigured', NOT_OPENED);
    return { body: { status: 'ready' as const } };
  },
});
