import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { WorkerObject } from '../../src/api/objects.ts';
import { DUAL, firstLine, labHost, labHostsAllowed, type LabHost } from '../lab/lab-host.ts';
import { bbx, bbxOk, startBbx, type RunOptions } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const NAMESERVER = fileURLToPath(new URL('../lab/lab-servers.ts', import.meta.url));
// Port 9989 may be taken on this machine, and who knows what "host" is here: a host of its own has neither trouble.
const allowed = labHostsAllowed("the owner's lines");

/** A host with a nameserver that knows no name at all. */
async function hostWith(hosts: string): Promise<LabHost> {
  const host = await labHost({ setup: DUAL, hosts });
  await firstLine(host.start(process.execPath, NAMESERVER, JSON.stringify({ names: {}, listeners: [] })));
  return host;
}

const words = (line: string) => line.split(' ').slice(1);

describe.skipIf(!allowed)(
  "the owner's lines, verbatim and in order, in one empty directory without a terminal",
  () => {
    it('where "host" is no name: the doctor says that, and the master runs all the same', async () => {
      await using host = await hostWith('');
      await using dir = await tempDir();
      const at: RunOptions = { cwd: dir.path, within: host.within };
      await bbxOk(words('bbx create-master'), at);
      await bbxOk(words('bbx create-worker --master host:9989'), at);
      const doctor = await bbx(words('bbx doctor ipv6'), at);
      expect(doctor.stdout).toMatch(/^ x UNREACHABLE {2}The name "host" does not exist +DNS-01$/m);
      expect(doctor.stdout).toMatch(/^ {5}Fix: Check the spelling; add A and AAAA records/m);
      expect(doctor.stdout).toContain('1 failed');
      expect(doctor.code).toBe(1);
      await using master = startBbx(words('bbx run master'), at);
      await master.waitFor(/Workers connect to \[::\]:9989/);
      expect((await bbxOk(['status', '--wait', '20s'], at)).stdout).toContain('listen-workers\t[::]:9989\n');
      expect(await master.end()).toBe(0);
    });

    it('where "host" is this host: the doctor has no complaint, and the worker is approved and builds', async () => {
      await using host = await hostWith('2a00:1::2 host\n11.0.0.2 host');
      await using dir = await tempDir();
      const at: RunOptions = { cwd: dir.path, within: host.within };
      await bbxOk(words('bbx create-master'), at);
      await bbxOk(words('bbx create-worker --master host:9989'), at);
      const doctor = await bbxOk(words('bbx doctor ipv6'), at);
      expect(doctor.stdout).not.toMatch(/^ [x!?] /m);
      await using master = startBbx(words('bbx run master'), at);
      await bbxOk(['status', '--wait', '20s'], at);
      expect((await bbxOk(words('bbx doctor ipv6'), at)).stdout).toMatch(/host:9989: reachable/);

      // What the output of the lines said comes next.
      const name = hostname();
      await using worker = startBbx(words('bbx run worker'), at);
      const [, told] = await worker.waitFor(/[Oo]n the master: (bbx worker approve \S+),/);
      expect(told).toBe(`bbx worker approve ${name}`);
      const pending = await bbxOk(words('bbx doctor ipv6'), at);
      expect(pending.stdout).toContain(`The master knows worker "${name}" and waits for its approval`);
      expect(pending.stdout).not.toContain('unreachable');
      await bbxOk(words(told ?? ''), at);
      await bbxOk(['worker', 'show', name, '--wait', 'attached'], at);
      await bbxOk(['builder', 'add', 'app', '--run', 'echo built'], at);
      await bbxOk(['config', 'apply'], at);
      await bbxOk(['build', 'start', 'app', '--wait'], at);
      expect((await bbxOk(['build', 'log', 'app', '--raw'], at)).stdout).toBe('built\n');
      const { peer } = (await bbxOk(['worker', 'show', name, '--json'], at)).json<WorkerObject>();
      expect(peer).toMatch(/^\[2a00:1::2\]:/);
      await until(
        'the doctor to be content',
        async () => (await bbx(['doctor', 'ipv6', '--strict'], at)).code === 0,
      );
      expect(await worker.end()).toBe(0);
      expect(await master.end()).toBe(0);
    });
  },
);
