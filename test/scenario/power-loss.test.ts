import { describe, expect, it } from 'vitest';
import { cutPower } from '../rigs/power/cuts.ts';
import { recordSession } from '../rigs/power/session.ts';
import { has } from '../rigs/debian.ts';
import { tempDir } from '../rigs/temp-dir.ts';

describe.skipIf(!has('strace'))('a master whose power goes', () => {
  it('has everything that it had told anybody of, wherever it was cut, and starts', async () => {
    await using dir = await tempDir();
    const session = await recordSession(dir.path);
    // Enough was told for the cuts to mean something.
    expect(session.told.filter(({ kind }) => kind === 'bytes').length).toBeGreaterThan(5);
    const report = await cutPower(session, { dir: dir.path, cuts: 14, seed: 11 });
    expect(report.wrong).toEqual([]);
    expect(report.cuts).toBe(14);
  });
});
