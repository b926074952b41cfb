import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import journal from '../../migrations/meta/_journal.json' with { type: 'json' };
import { type Database, DatabaseRefusal, REFUSE_UNSAFE_ROLE, type Row } from '../db/client.ts';
import { ApiError } from '../http/errors.ts';
import { areKeysForeign, NOT_OPENED } from '../http/identity-keys.ts';
import { ringOf, type SecretRing } from '../http/key-material.ts';
import { openOperation } from '../http/operation.ts';

/** The time of the newest migration of this build. The migrator records the same number. */
const NEWEST_MIGRATION = Math.max(...journal.entries.map((entry) => entry.when));

/** SQLSTATEs of a role, schema, table or function that does not exist, and of one without privileges on it. */
const NOT_MIGRATED = ['22023', '3F000', '42P01', '42883', '42501'];

/** A workspace that does not exist. */
const NO_WORKSPACE = '00000000-0000-0000-0000-000000000000';

interface Schema {
  /** Times of migrations: of the newest one, and of the newest one of the oldest release that the schema supports. */
  newest: number | null;
  oldest_supported: number;
  /** Whether there are keys of workspaces, and no secret of the deployment opens any. */
  are_foreign: boolean;
}

interface Server {
  is_read_only: boolean;
  is_standby: boolean;
}

const schemaOf = (ring: SecretRing) => sql`
  select max(created_at)::float8 as newest, oldest_supported_migration()::float8 as oldest_supported,
    (${areKeysForeign(ring)}) as are_foreign
  from drizzle.__drizzle_migrations`;
const SERVER = sql`select current_setting('transaction_read_only')::boolean as is_read_only, pg_is_in_recovery() as is_standby`;

/**
 * The row of a statement, run after the check of the role that requests run under. Null if the database lacks the role
 * or something that the statement names.
 */
async function checked<R extends object>(database: Database, statement: SQL): Promise<R | null> {
  try {
    const [, [row]] = await database.atomic<[Row, R]>([REFUSE_UNSAFE_ROLE, statement]);
    return row ?? null;
  } catch (error) {
    if (error instanceof DatabaseRefusal && NOT_MIGRATED.includes(error.sqlstate)) return null;
    throw error;
  }
}

export const getReady = openOperation({
  method: 'get',
  path: '/ready',
  id: 'getReady',
  tag: 'Health',
  summary: 'Check that requests can be served',
  description:
    'Checks that the database is reachable and writable, has every migration of this build, still supports it, confines requests to the rows of their workspace, and has keys of workspaces that a secret of the deployment opens. During a deploy `schema` is `newer`: the database has been migrated for the next release, and this one works on it.',
  access: 'public',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'Requests can be served.',
    schema: z.object({ status: z.literal('ready'), schema: z.enum(['current', 'newer']) }),
    example: { status: 'ready', schema: 'current' },
  },
  errors: ['not_migrated', 'misconfigured', 'schema_too_new', 'database_read_only'],
  handle: async ({ databases, config }) => {
    const ring = await ringOf(config);
    // Both roles that requests run under.
    const [schema, server] = await Promise.all([
      checked<Schema>(databases.lookup(), schemaOf(ring)),
      checked<Server>(databases.inWorkspace(NO_WORKSPACE), SERVER),
    ]);
    if (server?.is_read_only) throw readOnly(server);
    const newest = schema?.newest ?? 0;
    if (!schema || !server || newest < NEWEST_MIGRATION)
      throw new ApiError('not_migrated', 'Run `npm run migrate` against this database.');
    if (schema.oldest_supported > NEWEST_MIGRATION)
      throw new ApiError(
        'schema_too_new',
        'The database was migrated for a newer release, and lacks what this one needs. Deploy the newer release.',
      );
    if (schema.are_foreign) throw new ApiError('misconfigured', NOT_OPENED);
    const relation = newest > NEWEST_MIGRATION ? ('newer' as const) : ('current' as const);
    return { body: { status: 'ready' as const, schema: relation } };
  },
});

function readOnly({ is_standby }: Server): ApiError {
  return new ApiError(
    'database_read_only',
    is_standby
      ? 'The server is a standby. Set DATABASE_URL to the primary.'
      : 'Switch `default_transaction_read_only` off for the database and for the role of DATABASE_URL.',
  );
}
