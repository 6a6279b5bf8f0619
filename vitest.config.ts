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
        },
      },
    ],
  },
});
