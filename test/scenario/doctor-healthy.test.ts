import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, bbxOk, startBbx, type RunOptions } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** An ordinary user: whoever runs this, or, where that is root, somebody without a name, a home or any right. */
const USER = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};

async function placeOf(user: { uid?: number; gid?: number }): Promise<{ path: string } & AsyncDisposable> {
  const dir = await tempDir();
  for (const path of [dir.path, join(dir.path, 'farm'), join(dir.path, 'elsewhere')]) {
    await mkdir(path, { recursive: true });
    if (user.uid !== undefined) await chown(path, user.uid, user.gid ?? user.uid);
  }
  return dir;
}

describe('bbx doctor --strict of an ordinary user on a fresh healthy farm', () => {
  it('ends with 0 while it is stopped and while it runs, wherever it is asked', async () => {
    await using dir = await placeOf(USER);
    const farm = join(dir.path, 'farm');
    const at: RunOptions = { cwd: farm, ...USER, env: { HOME: farm } };
    const [workers, web] = [await freePort('::1'), await freePort('::1')];
    await bbxOk(
      [
        ...['create-master', '--listen', `[::]:${workers}`, '--web-listen', `localhost:${web}`],
        ...['--reach', `localhost:${workers}`, '--builder', 'app', '--run', 'echo built'],
      ],
      at,
    );
    await bbxOk(['create-worker', '--master', `localhost:${workers}`, '--name', 'w1'], at);

    const expectHealthy = async () => {
      for (const place of ['master', 'worker', '.', '../elsewhere']) {
        const options = { ...at, cwd: join(farm, place) };
        const ran = await bbx(['doctor', '--strict', '--json'], options);
        const { findings, checks } = ran.json<DoctorReport>();
        expect(findings.filter(({ status }) => status !== 'info')).toEqual([]);
        expect(checks.filter(({ status }) => status === 'unknown')).toEqual([]);
        expect(ran.code).toBe(0);
      }
    };
    await expectHealthy();

    await using master = startBbx(['run', 'master'], at);
    await bbxOk(['status', '--wait', '20s'], at);
    await using worker = startBbx(['run', 'worker'], at);
    await worker.waitFor(/bbx worker approve w1/);
    await bbxOk(['worker', 'approve', 'w1'], at);
    await bbxOk(['worker', 'show', 'w1', '--wait', 'attached'], at);
    await bbxOk(['build', 'start', 'app', '--wait'], at);
    await expectHealthy();

    expect(await worker.end()).toBe(0);
    expect(await master.end()).toBe(0);
    await expectHealthy();
  });
});
