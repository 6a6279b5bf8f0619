import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordedDisk } from '../../../src/drill/power/disk.ts';
import { keepBase, layOut } from '../../../src/drill/power/lay-out.ts';
import type { DiskCall } from '../../../src/drill/power/trace.ts';
import { seeded } from '../../../src/drill/random.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const ROOT = '/farm/master';
const file = `${ROOT}/log`;
const opened = { kind: 'open', fd: 3, path: file, create: true, truncate: false, append: true } as const;
const wrote = (text: string) =>
  ({ kind: 'write', fd: 3, path: file, at: undefined, bytes: Buffer.from(text) }) as const;
const synced = (path: string) => ({ kind: 'sync', path }) as const;
type Call = DiskCall extends infer One ? (One extends DiskCall ? Omit<One, 'start' | 'end'> : never) : never;
const inTurn = (calls: readonly Call[]) =>
  calls.map((call, at) => ({ ...call, start: at, end: at + 0.5 }) as DiskCall);

/** Everything that 200 power losses left of a file. */
async function cuts(base: string, calls: readonly Call[]): Promise<Set<string | undefined>> {
  const disk = await recordedDisk(base, ROOT, inTurn(calls));
  const random = seeded(1);
  return new Set(Array.from({ length: 200 }, () => disk.cut(Infinity, random).get('log')?.toString()));
}

describe('a disk whose power goes', () => {
  it('has what was synced, always, and of the rest sometimes less', async () => {
    await using base = await tempDir();
    await writeFile(join(base.path, 'log'), 'old ');
    const calls = [opened, wrote('synced '), synced(file), wrote('not')];
    expect([...(await cuts(base.path, calls))].sort()).toEqual(['old synced ', 'old synced not']);
  });

  it('loses a new file whose folder was not synced, and no other', async () => {
    await using base = await tempDir();
    const calls = [opened, wrote('synced'), synced(file)];
    expect(await cuts(base.path, calls)).toEqual(new Set([undefined, 'synced']));
    expect(await cuts(base.path, [...calls, synced(ROOT)])).toEqual(new Set(['synced']));
  });

  it('is laid out over the directory as it was: other files stay, what came later goes, and so does shared memory', async () => {
    await using dir = await tempDir();
    const [from, base] = [join(dir.path, 'from'), join(dir.path, 'base')];
    await mkdir(join(from, 'secrets'), { recursive: true });
    for (const name of ['log', 'secrets/key', 'state-shm']) await writeFile(join(from, name), 'old');
    await keepBase(from, base);
    const disk = await recordedDisk(base, ROOT, inTurn([opened, wrote(' new'), synced(file)]));
    await writeFile(join(from, 'later'), 'never synced');
    const left = disk.cut(Infinity, seeded(1));
    for (const target of [from, join(dir.path, 'elsewhere')]) {
      await layOut(left, base, target);
      expect((await readdir(target, { recursive: true })).sort()).toEqual(['log', 'secrets', 'secrets/key']);
      expect(await readFile(join(target, 'log'), 'utf8')).toBe('old new');
      expect(await readFile(join(target, 'secrets/key'), 'utf8')).toBe('old');
    }
  });
});
