import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openSpool } from '../../src/runtime/worker/spool.ts';
import { planOf } from '../rigs/link-worker.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { smallDisks, wantOfSmallDisks } from '../rigs/small-disks.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const lease = { build: 7, token: '1-00000000000000aa', epoch: 'e1', orphanAfter: null, plan: planOf(['a']) };
const test = skipAloud('a disk without inodes', await wantOfSmallDisks()) ? it.skip : it;

/** Makes empty files until there is no inode; gives how many. */
async function takeInodes(dir: string): Promise<number> {
  for (let made = 0; ; made += 1) {
    try {
      await writeFile(join(dir, `taken-${made}`), '');
    } catch {
      return made;
    }
  }
}

test('a build that does not fit on the disk is refused at once, wherever it runs out, and leaves nothing', async () => {
  await using machine = await smallDisks();
  await using dir = await tempDir();
  const disk = join(dir.path, 'disk');
  await mkdir(disk);
  await machine.mount(disk, 4 * 1024 * 1024);
  const [nsenter = '', ...words] = machine.within;
  await promisify(execFile)(nsenter, [...words, 'mount', '-o', 'remount,nr_inodes=20', disk]);
  const seen = machine.seen(disk);
  const spool = await openSpool({
    ...{ dir: join(seen, 'spool'), limitBytes: 1 << 24, clock: systemClock, log: silentLog },
  });
  const taken = await takeInodes(seen);
  let refused = 0;
  for (let free = 0; ; free += 1) {
    // Whoever waited here would hold up the session, whose acknowledgements alone make room.
    const build = await spool.create(lease).catch((error: unknown) => error as Error);
    if (!(build instanceof Error)) {
      await spool.remove(build);
      break;
    }
    refused += 1;
    expect(build).toMatchObject({ code: 'ENOSPC' });
    expect(await readdir(join(seen, 'spool'))).toEqual([]);
    await rm(join(seen, `taken-${taken - 1 - free}`));
  }
  expect(refused).toBeGreaterThan(2);
  await spool.close();
}, 30_000);
