import { describe, expect, it } from 'vitest';
import { byReason, chooseFaults, readFaults } from '../../../src/drill/choose.ts';
import { FAULTS } from '../../../src/drill/faults/table.ts';

const named = (start: string) => FAULTS.filter(({ name }) => name.startsWith(start));

describe('faults that were asked for', () => {
  it('tells a reason once, with all that it is for', async () => {
    await expect(readFaults('postgres', { strict: false, store: 'sqlite' })).rejects.toMatchObject({
      code: 'BBX-DRI-NOTHING',
      data: {
        reasons: [expect.stringMatching(/^postgres-restart, .*postgres-failover: .*--store postgres/)],
      },
    });
  });

  it.each([
    ['disk', 'postgres', undefined, ['disk-store']],
    ['disk', 'sqlite', undefined, []],
    ['disk', 'sqlite', 'none', ['disk-store', 'disk-logs', 'disk-spool', 'disk-workspace']],
    ['postgres', 'postgres', 'none', []],
    ['master', 'postgres', 'none', []],
    ['power', 'sqlite', undefined, []],
    ['power', 'postgres', 'none', ['power-loss']],
  ] as const)('%s on %s, disks and strace: %s: leaves out %j', (start, store, none, left) => {
    const { faults, skipped } = chooseFaults(named(start), store, {
      ...{ disks: none, masterDisks: none, strace: none },
    });
    expect(skipped.map(({ name }) => name)).toEqual(left);
    expect([...faults, ...skipped].length).toBe(named(start).length);
  });

  it('leaves out of a soak what would fill with its history, and nothing else', async () => {
    const { faults, skipped } = await readFaults('power,disk,link', {
      ...{ strict: false, store: 'sqlite', soak: true },
    });
    const ofMaster = skipped.filter(({ because }) => /history/.test(because)).map(({ name }) => name);
    // Where no small disks can be made that is the reason for all of them.
    if (!skipped.some(({ name }) => name === 'disk-spool'))
      expect(ofMaster).toEqual(['disk-store', 'disk-logs']);
    expect(faults.map(({ name }) => name)).toContain('link-cut');
  });

  it('groups by reason, in the order of the first', () => {
    const skipped = [
      { name: 'a', because: 'x' },
      { name: 'b', because: 'y' },
      { name: 'c', because: 'x' },
    ];
    expect(byReason(skipped)).toEqual([
      { names: ['a', 'c'], because: 'x' },
      { names: ['b'], because: 'y' },
    ]);
  });
});
