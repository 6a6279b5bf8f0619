import { defineConfig } from 'vitest/config';

/** Unit and contract tests are pure or nearly so; the others start real processes and get the time for it. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts'],
          testTimeout: 15_000,
        },
      },
      {
        test: {
          name: 'farm',
          include: ['test/scenario/**/*.test.ts', 'test/interop/**/*.test.ts', 'test/lab/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          globalSetup: ['test/rigs/debian.ts'],
          // Farms are several processes each; two cores carry two files at a time.
          maxWorkers: 2,
        },
      },
    ],
  },
});
