import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import { EXIT } from '../../base/exit.ts';
import { askForMore } from '../ask.ts';
import type { Fault, Mercy, Striking } from '../fault.ts';
import { fillDisk } from '../namespace.ts';
import { lasting, pick, seconds } from '../random.ts';
import type { Machine } from '../machine.ts';
import type { Sandbox } from '../sandbox.ts';

interface Place {
  of: 'master' | 'worker';
  folder: string;
  mercy: Mercy;
  /** Whoever writes meets it, and status must tell of that. Of others it is doctor's to know: what is written may find room in the files that are there. */
  met: boolean;
  /** What becomes of steps; else they are held up. */
  steps?: string;
}

/** A full disk that is written to is told by status so soon, ms: a machine under load takes a multiple of the usual second. */
const TOLD_MS = 30_000;
/** So often more is asked for until then, ms: the builds may all go to the other worker. */
const MORE_MS = 2_000;
const LOOK_MS = 150;
const REASON = 'drill: on a full disk';
/** `bbx doctor` with one check, ms. */
const DOCTOR_MS = 60_000;
/** The farm itself gives room back, of pieces that the master has: then the disk is filled anew before doctor is asked again, so often at most. */
const REFILLS = 5;
const NEARLY = /"The disk of [^"]* is nearly full/;

/** One of the farm's small disks is filled to the last block, and freed again when the farm has told of it, and not before its time. */
function full(name: string, what: string, weight: number, place: Place): Fault {
  return {
    name,
    title: `the disk of ${what} is full for a while`,
    holds: `${place.met ? 'status and ' : ''}doctor ${place.met ? 'say' : 'says'} so; ${place.steps ?? 'steps are held up, not cut'}; it goes on by itself when there is room; nothing is damaged`,
    weight,
    needs: place.of === 'master' ? 'masterDisks' : 'disks',
    ...(place.folder === 'store' ? { only: 'sqlite' as const } : {}),
    ...(place.folder === 'builds' ? { turnsCheckoutsRed: true as const } : {}),
    draw(random, { workers, long }) {
      const worker = pick(random, workers);
      const who = place.of === 'master' ? 'the master' : worker;
      const ms = lasting(random, { least: 500, usual: 4_000, seldom: 10_000, most: 60_000 }, long);
      return {
        words: `fill the disk of ${what.replace(/^(?:a|the) \w+'s /, '')} of ${who} for ${seconds(ms)}`,
        mercy: place.mercy,
        hit: place.of === 'master' ? workers : [worker],
        async strike(farm, striking) {
          const { signal, wrong } = striking;
          if (!('within' in farm.disks)) return;
          const machine = place.of === 'master' ? farm.master : farm.worker(worker);
          const file = farm.disks.seen(join(machine.dir, place.folder, 'drill-fills-this'));
          const over = performance.now() + ms;
          try {
            await fillDisk(file);
            await askForMore(farm, REASON, signal);
            let told = await doctorTells(farm, machine);
            for (let times = 0; told !== undefined && NEARLY.test(told) && times < REFILLS; times += 1) {
              await fillDisk(file);
              told = await doctorTells(farm, machine);
            }
            if (told !== undefined) wrong(`doctor does not tell of the full disk of ${what}: ${told}`);
            if (place.met && !(await statusTells(farm, striking)))
              wrong(`status does not tell of the full disk of ${what}`);
            await sleep(Math.max(0, over - performance.now()), signal);
          } finally {
            await rm(file, { force: true });
          }
        },
      };
    },
  };
}

/** What doctor says instead of what it must; undefined when all is right. */
async function doctorTells(farm: Sandbox, { dir }: Machine): Promise<string | undefined> {
  const { code, stdout, stderr } = await farm.run(
    ['doctor', '--dir', dir, '--only', 'DSK-01', '--json'],
    DOCTOR_MS,
  );
  return code === EXIT.failed && /"The disk of [^"]* is full/.test(stdout)
    ? undefined
    : `exit ${code}, ${stdout}${stderr}`;
}

/** Waits until status says that there is no room, and goes on asking for builds meanwhile. */
async function statusTells(farm: Sandbox, { signal, noticed }: Striking): Promise<boolean> {
  const end = performance.now() + TOLD_MS;
  let more = performance.now() + MORE_MS;
  while (performance.now() < end) {
    const state = await farm.client.call('status', {}, { signal, timeoutMs: 5_000 }).catch(() => undefined);
    const told = [
      ...(state?.trouble ?? []).map(({ message }) => message),
      ...(state?.workers ?? []).flatMap(({ notes }) => notes),
    ];
    if (told.some((sentence) => /is full|no space/i.test(sentence))) {
      noticed();
      return true;
    }
    await sleep(LOOK_MS, signal);
    if (performance.now() < more) continue;
    more = performance.now() + MORE_MS;
    await askForMore(farm, REASON, signal);
  }
  return false;
}

export const DISK_FAULTS: readonly Fault[] = [
  full('disk-store', "the master's store", 1, {
    of: 'master',
    folder: 'store',
    mercy: 'untouched',
    met: false,
  }),
  full('disk-logs', "the master's logs", 1, { of: 'master', folder: 'logs', mercy: 'untouched', met: true }),
  full('disk-spool', "a worker's spool", 1, {
    of: 'worker',
    folder: 'spool',
    mercy: 'untouched',
    met: true,
  }),
  full('disk-workspace', "a worker's workspaces", 1, {
    of: 'worker',
    folder: 'builds',
    mercy: 'interrupted',
    met: false,
    steps: 'no build begins there, and what a running command writes there the system refuses',
  }),
];
