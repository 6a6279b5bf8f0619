import { rm, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildObject, RequestObject, StatusObject } from '../../src/api/objects.ts';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { fillDisk } from '../../src/drill/namespace.ts';
import { SAID, startSandbox, type Sandbox } from '../../src/drill/sandbox.ts';
import { BIN } from '../rigs/bbx.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { wantOfSmallDisks } from '../rigs/small-disks.ts';
import { until } from '../rigs/wait.ts';

const skipped = skipAloud('full disks', await wantOfSmallDisks());

interface Disk {
  of: 'master' | 'w1';
  folder: string;
  /** What `status` says, one of these. */
  codes: RegExp;
  /** What stands in the program's log. */
  log: RegExp;
}

const DISKS: [string, Disk][] = [
  [
    "the master's store",
    { of: 'master', folder: 'store', codes: /^BBX-STO-FULL$/, log: /no space is left on its disk/ },
  ],
  [
    "the master's logs",
    { of: 'master', folder: 'logs', codes: /^BBX-MAS-LOG-STORE$/, log: /no space is left on its disk/ },
  ],
  [
    "the worker's spool",
    { of: 'w1', folder: 'spool', codes: /^BBX-MAS-WORKER-/, log: /the disk of (?:the|its) spool is full/ },
  ],
  [
    "the worker's workspaces",
    { of: 'w1', folder: 'builds', codes: /^BBX-MAS-WORKER-REFUSES$/, log: /is refused: .*ENOSPC/ },
  ],
];

describe.skipIf(skipped)('a farm whose disks are full for a while', () => {
  it.each(DISKS)(
    'tells of %s, holds builds up, and goes on by itself',
    { timeout: 150_000 },
    async (_what, disk) => {
      await using farm = await startSandbox({
        bbx: { node: process.execPath, bin: BIN },
        env: process.env,
        workers: 1,
        store: 'sqlite',
        signal: new AbortController().signal,
      });
      const machine = disk.of === 'master' ? farm.master : farm.worker('w1');
      const requests: number[] = [];
      const start = async (builder: string) => {
        const ran = await inMaster(farm, 'build', 'start', builder, '--json');
        // A store that is full takes no request, and says so.
        if (disk.folder === 'store' && ran.code === 8) return expect(ran.stderr).toContain('BBX-STO-FULL');
        expect(ran.code, ran.stderr).toBe(0);
        requests.push((JSON.parse(ran.stdout) as RequestObject).buildrequestid);
      };
      await start('long');
      await until('the build runs', async () =>
        (await statusOf(farm)).running.some(({ state_string }) => state_string === 'running'),
      );

      const file = seen(farm, join(machine.dir, disk.folder, 'fills-the-disk'));
      await fillDisk(file);
      await start('burst');
      await start('quick');
      await until('status tells of it', async () =>
        (await statusOf(farm)).trouble.find(({ code }) => disk.codes.test(code)),
      );
      await until('the log tells of it', async () =>
        disk.log.test(await readFile(join(farm.dir, SAID, `${machine.name}.txt`), 'utf8')),
      );
      if (disk.folder === 'logs') {
        // Its log is small: no file is needed for it, and the logs that wait for room do not hold the session up.
        await until('the small build ends', async () =>
          ((await farm.client.call('builds', {})) as BuildObject[]).some(
            ({ builder, complete, result }) => builder === 'quick' && complete && result === 'success',
          ),
        );
        expect((await statusOf(farm)).trouble.some(({ code }) => disk.codes.test(code))).toBe(true);
      }
      const doctor = await farm.run(['doctor', '--dir', machine.dir, '--json'], 60_000);
      const findings = (JSON.parse(doctor.stdout) as DoctorReport).findings;
      expect(findings.find(({ id }) => id === 'DSK-01')).toMatchObject({ status: 'error' });
      expect(findings.find(({ id }) => id === 'DSK-01')?.title).toContain(disk.folder);

      // Whatever is asked for meanwhile is done, or refused in words.
      for (const words of [
        ['worker', 'add', 'w9'],
        ['worker', 'pause', 'w1'],
        ['worker', 'resume', 'w1'],
      ]) {
        const { code, stderr } = await inMaster(farm, ...words);
        expect([0, ...(disk.folder === 'store' ? [8] : [])], stderr).toContain(code);
      }
      const backup = await farm.run(['backup', join(farm.dir, 'backup'), '--dir', farm.master.dir], 60_000);
      expect(backup.code, backup.stderr).toBe(0);
      if (disk.of === 'w1') {
        const own = await farm.run(['status', '--dir', machine.dir], 60_000);
        expect(own.stdout).toMatch(/^disk\tfull: /m);
      }
      for (const build of (await statusOf(farm)).running) {
        if (disk.of !== 'master') continue;
        // Which of several logs is named is another one at another time.
        await until('why tells of what status tells of', async () => {
          const why = await inMaster(farm, 'why', String(build.buildid));
          const { trouble } = await statusOf(farm);
          return trouble.some(({ code, message }) => disk.codes.test(code) && why.stdout.includes(message));
        });
      }

      await rm(file);
      await until('the trouble is over', async () => (await statusOf(farm)).trouble.length === 0, 60_000);
      for (const request of requests) {
        const [build] = await until(
          `r${request} ends`,
          async () => {
            const builds = (await farm.client.call('builds', {})) as BuildObject[];
            const of = builds.filter(
              (one) => one.buildrequestid === request && one.complete && one.result !== 'retry',
            );
            return of.length > 0 && of;
          },
          60_000,
        );
        expect(build).toMatchObject({ result: 'success' });
        expect((await inMaster(farm, 'build', 'log', String(build!.buildid), '--verify')).code).toBe(0);
      }
      const check = await inMaster(farm, 'db', 'check');
      expect(check.code, check.stdout).toBe(0);
      expect(await farm.stop()).toEqual([]);
    },
  );
});

const inMaster = (farm: Sandbox, ...words: string[]) =>
  farm.run([...words, '--dir', farm.master.dir], 60_000);
const statusOf = (farm: Sandbox): Promise<StatusObject> => farm.client.call('status', {});

function seen(farm: Sandbox, path: string): string {
  if (!('within' in farm.disks)) throw new Error(farm.disks.because);
  return farm.disks.seen(path);
}
