import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The API tests run twice, against the bundle in workerd: once over PGlite, once over a real Postgres server. */
const api = ['test/http/**/*.test.ts', 'test/sql/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Tests mostly wait for the Worker and the database; one at a time leaves half of a small machine idle.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
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
          ],
        },
      },
      { extends: true, test: { name: 'clients', include: ['test/clients/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'api on pglite', include: api, globalSetup: ['test/support/setup-pglite.ts'] },
      },
      {
        extends: true,
        test: { name: 'api on postgres', include: api, globalSetup: ['test/support/setup-postgres.ts'] },
      },
    ],
  },
});
