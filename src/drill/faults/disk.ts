import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import { BbxError } from '../../base/error.ts';
import type { Fault, Mercy } from '../fault.ts';
import { fillDisk } from '../namespace.ts';
import { lasting, pick, seconds } from '../random.ts';
import type { Sandbox } from '../sandbox.ts';

/** One of the farm's small disks is filled to the last block, and freed again. */
function full(
  name: string,
  what: string,
  weight: number,
  place: { of: 'master' | 'worker'; folder: string; mercy: Mercy },
): Fault {
  return {
    name,
    title: `the disk of ${what} is full for a while`,
    holds:
      'status says so; steps are held up, not cut; it goes on by itself when there is room; nothing is damaged',
    weight,
    needs: 'disks',
    draw(random, { workers, long }) {
      const worker = pick(random, workers);
      const who = place.of === 'master' ? 'the master' : worker;
      const ms = lasting(random, { least: 500, usual: 4_000, seldom: 10_000, most: 60_000 }, long);
      return {
        words: `fill the disk of ${what.replace(/^(?:a|the) \w+'s /, '')} of ${who} for ${seconds(ms)}`,
        mercy: place.mercy,
        hit: place.of === 'master' ? workers : [worker],
        async strike(farm, { signal }) {
          if (!('within' in farm.disks)) return;
          const machine = place.of === 'master' ? farm.master : farm.worker(worker);
          const file = farm.disks.seen(join(machine.dir, place.folder, 'drill-fills-this'));
          const over = performance.now() + ms;
          try {
            await fillDisk(file);
            await askForMore(farm, signal);
            await sleep(Math.max(0, over - performance.now()), signal);
          } finally {
            await rm(file, { force: true });
          }
        },
      };
    },
  };
}

/** Builds that print, and so meet the full disk; a master whose store is full may refuse them. */
async function askForMore(farm: Sandbox, signal: AbortSignal): Promise<void> {
  for (const builder of ['burst', 'burst', 'steady', 'quick']) {
    const body = { builder, reason: 'drill: on a full disk' };
    await farm.client.call('startBuild', { body }, { signal, timeoutMs: 2_000 }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof BbxError)) throw error;
    });
  }
}

export const DISK_FAULTS: readonly Fault[] = [
  full('disk-store', "the master's store", 1, { of: 'master', folder: 'store', mercy: 'untouched' }),
  full('disk-logs', "the master's logs", 1, { of: 'master', folder: 'logs', mercy: 'untouched' }),
  full('disk-spool', "a worker's spool", 1, { of: 'worker', folder: 'spool', mercy: 'untouched' }),
  full('disk-workspace', "a worker's workspaces", 1, {
    of: 'worker',
    folder: 'builds',
    mercy: 'interrupted',
  }),
];
