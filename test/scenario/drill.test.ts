import { expect, it } from 'vitest';
import { drill } from '../rigs/drill.ts';

// The long form, with other seeds, killed workers and short graces: CONTRIBUTING.md.
it('builds on a hammered farm: nothing is lost, doubled, stuck or left', async () => {
  const { wrong, builds, output } = await drill({ seed: 7, seconds: 15, killWorkers: true });
  expect(wrong, output).toEqual([]);
  expect(builds).toBeGreaterThan(5);
});
