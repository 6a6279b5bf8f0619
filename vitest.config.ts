import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/rigs/longest-first.ts';

/** Farms are several processes each, but they wait for one another half of the time: two cores carry four files. */
const BESIDE = { maxWorkers: 4, sequence: { groupOrder: 1 } };

/**
 * `unit` is pure or nearly so and runs in `npm run check`. `contract` uses real files, sockets and child processes; `farm` starts whole
 * programs and other people's servers, and gets the time for it. What is waited for (`expect.poll`) may take long on a busy machine: that is
 * no failure of what is tested.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
          // Pure modules may be shared by the files of one process: half the time goes into loading them otherwise.
          isolate: false,
          pool: 'forks',
          // A third of the time is waiting; one at a time would be the default for two cores.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
          globalSetup: ['test/rigs/leftovers.ts', 'test/rigs/debian.ts', 'test/rigs/postgres.ts'],
          // Beside the farms, which wait for most of their time.
          ...BESIDE,
        },
      },
      {
        test: {
          name: 'farm',
          include: ['test/scenario/**/*.test.ts', 'test/interop/**/*.test.ts', 'test/lab/**/*.test.ts'],
          testTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
          hookTimeout: 60_000,
          globalSetup: [
            'test/rigs/leftovers.ts',
            'test/rigs/debian.ts',
            'test/rigs/built.ts',
            'test/rigs/postgres.ts',
          ],
          ...BESIDE,
        },
      },
    ],
  },
});
