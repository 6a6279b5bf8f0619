import { existsSync, statSync } from 'node:fs';
import { appendFile, chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildObject } from '../../src/api/objects.ts';
import { findUser } from '../../src/exec/identity.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { workerMarker } from '../../src/runtime/worker/workspace.ts';
import { startBbx } from '../rigs/bbx.ts';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { skipAloud, wantOfRoot } from '../rigs/skip-aloud.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const USER = 'nobody';
const SECRET = 'correct-horse-battery';

/** Prints until the gate is there, and leaves something running that only the build's end ends. */
const config = (dir: string) => `
workers: { w1: {} }
secrets: { token: { file: secrets/token } }
builders:
  app:
    workers: { names: [w1] }
    steps:
      - { name: who, run: "id -un; umask; cat ../../../key.pem" , flunkOnFailure: false, haltOnFailure: false }
      - name: talk
        env: { TOKEN: { secret: token } }
        run: |
          setsid sleep 600 & n=0
          while [ ! -e ${dir}/gate ]; do
            n=$((n+1)); printf 'line %d %0200d\\n' "$n" 0 | tee -a ${dir}/copy; echo "error $n $TOKEN" >&2
            sleep 0.01
          done
          touch made
      - { name: after, env: { TOKEN: { secret: token } }, run: "test -O made && id -un && echo $TOKEN" }
  lost:
    workers: { names: [w1] }
    steps:
      - { name: s, run: "touch ${dir}/begun; setsid sleep 600 & sleep 600" }
`;

describe.skipIf(skipAloud('builds of another user', wantOfRoot))(
  'a worker whose builds run as another user',
  () => {
    it('adopts them after kill -9 as that user, and ends what they left where the keeper is gone too', async () => {
      const { uid } = (await findUser(USER))!;
      await using dir = await tempDir();
      await chmod(dir.path, 0o777);
      await using farm = await startFarm({
        workers: ['w1'],
        config: config(dir.path),
        secrets: { token: SECRET },
      });
      const home = join(farm.dir, 'w1');
      const left = () => findProcesses({ marker: workerMarker(join(home, 'builds')), uids: [0, uid] });
      // The way to the workspaces must be open to whom the builds run as.
      for (const path of [farm.dir, home]) await chmod(path, 0o711);
      await appendFile(join(home, 'worker.yaml'), `\nrunAs: ${USER}\n`);
      await restart(farm);
      await farm.run('worker', 'show', 'w1', '--wait', 'attached');

      await farm.ask('build', 'start', 'app');
      await until('some output', async () =>
        (await readFile(join(dir.path, 'copy'), 'utf8').catch(() => '')).includes('line 20 '),
      );
      await restart(farm);
      await farm.run('worker', 'show', 'w1', '--wait', 'attached');
      expect(left()).not.toEqual([]);
      await writeFile(join(dir.path, 'gate'), '');
      const build = await ended(farm, 'app/1');
      expect(build).toMatchObject({ result: 'success', attempt: 1 });
      const raw = (await farm.run('build', 'log', 'app/1', '--raw')).stdout;
      expect(raw).toMatch(/^nobody\n.*\ncat: .*Permission denied\n/);
      expect(raw).toMatch(/\nnobody\n\*\*\*\n$/);
      const of = (kind: RegExp) => raw.split('\n').filter((line) => kind.test(line));
      const said = of(/^line /);
      expect(`${said.join('\n')}\n`).toBe(await readFile(join(dir.path, 'copy'), 'utf8'));
      expect(of(/^error \d+ \*\*\*$/)).toHaveLength(said.length);
      expect(raw).not.toContain(SECRET);
      expect(statSync(join(home, 'builds', 'app', 'build', 'made')).uid).toBe(uid);
      expect((await farm.run('build', 'log', 'app/1', '--verify')).code).toBe(0);
      // What the step left running went on while its build did.
      await until('nothing is left of the build', () => left().length === 0, 10_000);

      await farm.ask('build', 'start', 'lost');
      await until('it to begin', () => existsSync(join(dir.path, 'begun')));
      const keeper = Number(await readFile(join(home, '.bbx', 'keeper.lock.pid'), 'utf8'));
      const killed = farm.workers.get('w1')?.end('SIGKILL');
      process.kill(keeper, 'SIGKILL');
      await killed;
      await restart(farm);
      expect((await ended(farm, 'lost/1')).result).toBe('exception');
      expect(left()).toEqual([]);
      await until('the spool is empty', async () => (await readdir(join(home, 'spool'))).length === 0);
    });
  },
);

async function restart(farm: Farm): Promise<void> {
  await farm.workers.get('w1')?.end('SIGKILL');
  farm.workers.set('w1', startBbx(['run', 'worker', join(farm.dir, 'w1')], { cwd: farm.dir }));
}

async function ended(farm: Farm, build: string): Promise<BuildObject> {
  return until(
    'the build to end',
    async () => {
      const shown = await farm.ask<BuildObject>('build', 'show', build);
      return shown.complete && shown;
    },
    40_000,
  );
}
