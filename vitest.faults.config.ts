import { defineConfig } from 'vitest/config';

/** Separate from `npm test`: these tests keep the whole machine busy and kill servers. They run one file at a time. */
export default defineConfig({
  test: {
    name: 'faults',
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/faults/setup.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
});
