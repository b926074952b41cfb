import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The API tests run twice, with the bundle in workerd: once over PGlite, once over a real Postgres server. */
const api = ['test/http/**/*.test.ts', 'test/sql/**/*.test.ts'];

/**
 * If a real server is available, the embedded database, which is much slower, runs the SQL tests but a few and these API
 * tests.
 * `EMBEDDED=all` gives it all tests, as without a server.
 */
const HTTP_OF_EMBEDDED = [
  'attribution-report',
  'batches',
  'conversation-report',
  'conversations',
  'funnel-report',
  'keys',
  'overview',
  'people-erasure',
  'publishable-items',
  'read-tokens',
  'request-log',
  'roi',
  'spend',
];
const embedded = [
  'test/sql/!(pending-links|reference-log|credit-by-day-*).test.ts',
  ...HTTP_OF_EMBEDDED.map((name) => `test/http/${name}.test.ts`),
];

function answers(server: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.hostname, port: Number(server.port || 5432), timeout: 2000 });
    const end = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

const server = new URL(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres');
const isAlone = process.env.EMBEDDED === 'all' || !(await answers(server));

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // The files of a worker share their modules, so that the document's schemas are compiled once.
    isolate: false,
    // Tests mostly wait for the Worker, the database and time-outs; two workers leave half of a small machine idle.
    maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'test/domain/**/*.test.ts',
            'test/contract/**/*.test.ts',
            'test/tidy/**/*.test.ts',
            'test/local/**/*.test.ts',
            'test/db/**/*.test.ts',
            'test/bench/**/*.test.ts',
          ],
        },
      },
      { extends: true, test: { name: 'clients', include: ['test/clients/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'api on pglite',
          include: isAlone ? api : embedded,
          globalSetup: ['test/support/setup-pglite.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'api on postgres', include: api, globalSetup: ['test/support/setup-postgres.ts'] },
      },
    ],
  },
});
