import { z } from '@hono/zod-openapi';
import { sql } from 'drizzle-orm';
import journal from '../../migrations/meta/_journal.json' with { type: 'json' };
import { DatabaseRefusal } from '../db/client.ts';
import { ApiError } from '../http/errors.ts';
import { openOperation } from '../http/operation.ts';

/** When the newest migration that this build knows was written; the migrator records the same number. */
const NEWEST_MIGRATION = Math.max(...journal.entries.map((entry) => entry.when));

/** SQLSTATE of a table that does not exist. */
const UNDEFINED_TABLE = '42P01';

export const getReady = openOperation({
  method: 'get',
  path: '/ready',
  id: 'getReady',
  tag: 'Health',
  summary: 'Can requests be served?',
  description: 'Asks the database whether it is there and has every migration of this build.',
  access: 'public',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'They can.',
    schema: z.object({ status: z.literal('ready') }),
    example: { status: 'ready' },
  },
  errors: ['not_migrated'],
  handle: async ({ database }) => {
    const newest = sql`select max(created_at)::float8 as newest from drizzle.__drizzle_migrations`;
    const [row] = await database.query<{ newest: number | null }>(newest).catch((error: unknown) => {
      if (error instanceof DatabaseRefusal && error.sqlstate === UNDEFINED_TABLE) return [];
      throw error;
    });
    if ((row?.newest ?? 0) < NEWEST_MIGRATION)
      throw new ApiError('not_migrated', 'Run `npm run migrate` against this database.');
    return { body: { status: 'ready' as const } };
  },
});
