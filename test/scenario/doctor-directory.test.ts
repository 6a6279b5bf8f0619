import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk, startBbx, type RunOptions } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** An ordinary user: whoever runs this, or, where that is root, somebody whom modes bind. */
const USER: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};

async function makeFarm(): Promise<{ farm: string; at: RunOptions } & AsyncDisposable> {
  const dir = await tempDir();
  const farm = join(dir.path, 'farm');
  await mkdir(farm);
  for (const path of [dir.path, farm])
    if (USER.uid !== undefined) await chown(path, USER.uid, USER.gid ?? USER.uid);
  const at: RunOptions = { cwd: farm, ...USER, env: { HOME: farm } };
  const [workers, web] = [await freePort('::1'), await freePort('::1')];
  await bbxOk(
    [
      ...['create-master', '--listen', `localhost:${workers}`, '--web-listen', `localhost:${web}`],
      ...['--reach', `localhost:${workers}`, '--builder', 'app', '--run', 'echo built'],
    ],
    at,
  );
  await bbxOk(['create-worker', '--master', `localhost:${workers}`, '--name', 'w1'], at);
  return {
    farm,
    at,
    async [Symbol.asyncDispose]() {
      await chmod(join(farm, 'master'), 0o700);
      await dir[Symbol.asyncDispose]();
    },
  };
}

describe('a file that never comes', () => {
  it.each([[[]], [['config', '--json']], [['--jsonl']], [['clock']]])(
    'is told of in time: bbx doctor %j',
    async (words) => {
      await using dir = await tempDir();
      // Whoever opens a pipe that nobody writes waits, as for a file on a mount whose server is away.
      await promisify(execFile)('mkfifo', [join(dir.path, 'master.yaml')]);
      const ran = await bbx(['doctor', ...words, '--budget', '2s'], { cwd: dir.path });
      expect(ran.stdout).toContain('The files in . were not read in time');
      expect(ran.code).toBe(1);
    },
  );
});

describe('a farm that is switched off', () => {
  it('is told of, in its own directories and beside them, and is at no fault', async () => {
    await using made = await makeFarm();
    const { farm, at } = made;
    const told = async (place: string) => {
      const ran = await bbxOk(['doctor', '--strict', '--json'], { ...at, cwd: join(farm, place) });
      return ran
        .json<DoctorReport>()
        .findings.filter(({ id }) => id === 'RUN-01')
        .map(({ title }) => title);
    };
    expect(await told('.')).toEqual([
      'The master does not run: bbx run master',
      'The worker does not run: bbx run worker',
    ]);
    expect(await told('master')).toEqual(['The master of this directory does not run: bbx run master']);
    expect(await told('worker')).toEqual([
      'The worker of this directory does not run: bbx run worker',
      `The master does not run: bbx run master ${farm}/master`,
    ]);
    await using _master = startBbx(['run', 'master'], at);
    await bbxOk(['status', '--wait', '20s'], at);
    expect(await told('master')).toEqual([]);
    // By another name of the same directory, too.
    await symlink(join(farm, 'master'), join(farm, 'link'));
    expect(await told('link')).toEqual([]);
    const named = await bbxOk(['doctor', '--strict', '--json', '--dir', 'link'], at);
    // Where this machine stands (HST-10) is a fact of the machine.
    expect(named.json<DoctorReport>().findings.filter(({ id }) => id !== 'HST-10')).toEqual([]);

    await using worker = startBbx(['run', 'worker'], at);
    await worker.waitFor(/bbx worker approve w1/);
    await bbxOk(['worker', 'approve', 'w1'], at);
    await bbxOk(['worker', 'show', 'w1', '--wait', 'attached'], at);
    expect(await told('.')).toEqual([]);
  });
});

describe('the directory that bbx doctor is asked about', () => {
  it('must be there, hold a configuration, and be open to this user, when it is named', async () => {
    await using made = await makeFarm();
    const { farm, at } = made;
    const absent = await bbx(['doctor', '--dir', '/nonexist'], at);
    expect(absent).toMatchObject({ code: 6, stdout: '' });
    expect(absent.stderr).toContain('"/nonexist"');

    await chmod(join(farm, 'master'), 0o000);
    const closed = await bbx(['doctor', 'ipv6', '--dir', 'master'], at);
    expect(closed).toMatchObject({ code: 5, stdout: '' });
    // Not named, but there to be seen: what cannot be looked at is not healthy.
    const seen = await bbx(['doctor', '--json'], at);
    expect(seen.code).toBe(1);
    const unread = seen.json<DoctorReport>().findings.find(({ id }) => id === 'CFG-01');
    expect(unread).toMatchObject({ status: 'error', title: expect.stringContaining('permission denied') });
    await chmod(join(farm, 'master'), 0o700);

    await rm(join(farm, 'master', 'master.yaml'));
    expect((await bbx(['doctor', '--dir', 'master'], at)).code).toBe(6);
  });
});

describe('a topic that bbx doctor does not know', () => {
  it.each([
    ['lisen', 'did you mean listen?'],
    ['ci.example:9989', 'bbx doctor reach ci.example:9989'],
  ])('%s is answered with those that there are', async (word, says) => {
    await using dir = await tempDir();
    const ran = await bbx(['doctor', word], { cwd: dir.path });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(`"${word}" is no topic of the doctor`);
    expect(ran.stderr).toContain('ipv6, dns, listen, reach');
    expect(ran.stderr).toContain(says);
  });
});
