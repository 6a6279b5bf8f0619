import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bornAfter, fewBornAfter, momentNow } from '../../../src/exec/births.ts';
import { skipAloud, wantOfLinux } from '../../rigs/skip-aloud.ts';

describe.skipIf(skipAloud('births', wantOfLinux))('who is younger than a moment', () => {
  it('tells a process that was begun later from those that were there', async () => {
    const older = spawn('sleep', ['60']);
    const moment = momentNow();
    const younger = spawn('sleep', ['60']);
    try {
      await Promise.all([once(older, 'spawn'), once(younger, 'spawn')]);
      const isYounger = bornAfter(moment);
      expect(isYounger(younger.pid ?? 0)).toBe(true);
      expect(isYounger(older.pid ?? 0)).toBe(false);
      expect(isYounger(process.pid)).toBe(false);
      // One that was born before the numbers began anew.
      expect(isYounger((younger.pid ?? 0) + 5_000)).toBe(false);
    } finally {
      for (const child of [older, younger]) child.kill('SIGKILL');
    }
  });

  it('tells it also when pids have begun anew since', () => {
    const now = momentNow();
    expect(now).toBeDefined();
    if (now === undefined) return;
    const isYounger = bornAfter({ lastPid: now.lastPid + 5_000, forks: now.forks });
    expect(isYounger(now.lastPid + 5_001)).toBe(true);
    expect(isYounger(now.lastPid)).toBe(true);
    expect(isYounger(now.lastPid + 5_000)).toBe(false);
  });

  it('calls all young when too many were begun since, or when there is no moment', () => {
    expect(bornAfter(undefined)(1)).toBe(true);
    expect(bornAfter({ lastPid: 10, forks: -10_000_000 })(1)).toBe(true);
  });

  it('names the few that were begun since, one by one', async () => {
    const moment = momentNow();
    const younger = spawn('sleep', ['60']);
    try {
      await once(younger, 'spawn');
      const few = fewBornAfter(moment);
      // On a machine that begins hundreds at this moment there is no short list.
      if (few !== undefined) expect(few).toContain(younger.pid);
      expect(fewBornAfter(momentNow())?.includes(younger.pid ?? 0) ?? false).toBe(false);
    } finally {
      younger.kill('SIGKILL');
    }
  });

  it('has no short list for many, for pids that have begun anew, and without a moment', () => {
    const now = momentNow();
    if (now === undefined) return;
    expect(fewBornAfter(undefined)).toBeUndefined();
    expect(fewBornAfter({ ...now, lastPid: now.lastPid - 5_000 })).toBeUndefined();
    expect(fewBornAfter({ ...now, lastPid: now.lastPid + 5_000 })).toBeUndefined();
  });
});
