import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endLeftovers } from '../../src/exec/end-processes.ts';
import { MARKER_VARIABLE } from '../../src/exec/marker.ts';
import { skipAloud, wantOfLinux } from '../rigs/skip-aloud.ts';

/** So far is the pid that was given away last behind what is said here: as if pids had come round, without forks that were counted. */
const AHEAD = 5_000;
vi.mock('../../src/exec/births.ts', async (original) => {
  const births = await original<typeof import('../../src/exec/births.ts')>();
  const momentNow = () => {
    const now = births.momentNow();
    return now === undefined ? undefined : { ...now, lastPid: now.lastPid + AHEAD };
  };
  // A look that was not sure, as of a process that is in exec, is followed by one that asks for the moment itself.
  const bornAfter: typeof births.bornAfter = (moment, now = momentNow()) => births.bornAfter(moment, now);
  const fewBornAfter: typeof births.fewBornAfter = (moment, now = momentNow()) =>
    births.fewBornAfter(moment, now);
  return { ...births, momentNow, bornAfter, fewBornAfter };
});
afterEach(() => void vi.restoreAllMocks());

describe.skipIf(skipAloud('leftovers', wantOfLinux))('what a build has left running', () => {
  it('is found within a minute also where its pid looks older than it is', async () => {
    const marker = `test-${process.pid}-leftovers`;
    expect((await endLeftovers(marker)).found).toBe(0);
    const left = spawn('sleep', ['60'], {
      env: { ...process.env, [MARKER_VARIABLE]: marker },
      detached: true,
    });
    await once(left, 'spawn');
    const ended = once(left, 'exit');
    try {
      expect((await endLeftovers(marker)).found).toBe(0);
      const now = performance.now.bind(performance);
      vi.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
      expect(await endLeftovers(marker)).toEqual({ found: 1, alive: [] });
      await ended;
    } finally {
      left.kill('SIGKILL');
    }
  });
});
