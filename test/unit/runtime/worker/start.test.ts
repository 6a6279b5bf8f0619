import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { WorkerConfig } from '../../../../src/config/worker.ts';
import { printJoin } from '../../../../src/protocol/bbx/join.ts';
import type { WorkerClaim } from '../../../../src/protocol/bbx/master-contract.ts';
import { startWorker } from '../../../../src/runtime/worker/start.ts';
import { createLinkMaster, isOver, logOf } from '../../../rigs/link-master.ts';
import { planOf } from '../../../rigs/link-worker.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

const config: WorkerConfig = {
  name: 'w1',
  master: [{ kind: 'tcp', host: 'farm.example', port: 9989 }],
  pins: [],
  via: [],
  maxBuilds: 2,
  tags: ['linux', 'x64'],
  drainTimeoutMs: 10_000,
  runAs: null,
  spoolLimitBytes: 1 << 26,
};

function setUp(dir: string) {
  const claims: WorkerClaim[] = [];
  const dialled: { target: string; pins: readonly string[] }[] = [];
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  const master = createLinkMaster({
    decide: (claim) => {
      claims.push(claim);
      return { let: 'in', session: 's', reach: ['[2001:db8::2]:9989'], pins: [master.pin] };
    },
  });
  const start = (own: Partial<WorkerConfig> = {}) =>
    startWorker(
      { ...config, ...own },
      {
        dir,
        software: 'bbx test',
        clock: systemClock,
        log: { debug() {}, info: say, warn: say, error: say },
        env: process.env,
        keeper: false,
        dial: (target, { pins }) => {
          dialled.push({ target, pins });
          return master.dial();
        },
      },
    );
  return { claims, dialled, lines, master, start };
}

describe('a started worker', () => {
  it('makes its key, enrols with the join string once, deletes that, and remembers what it learned', async () => {
    await using dir = await tempDir();
    const { claims, dialled, master, start } = setUp(dir.path);
    const join1 = printJoin({
      pins: [master.pin],
      reach: ['other.example:9989'],
      secret: new Secret('s'.repeat(32)),
      uses: 1,
      expires: null,
      names: 'w1',
    });
    await writeFile(join(dir.path, 'join'), join1, { mode: 0o600 });
    {
      await using worker = await start();
      await master.until(() => master.session !== undefined, 'a session');
      expect(claims[0]).toMatchObject({
        name: 'w1',
        secret: 's'.repeat(32),
        fingerprint: worker.fingerprint,
      });
      expect(dialled[0]).toEqual({ target: 'farm.example:9989', pins: [master.pin] });
      expect((await stat(join(dir.path, 'key.pem'))).mode & 0o777).toBe(0o600);
      expect(existsSync(join(dir.path, 'join'))).toBe(false);
    }
    const learned = await readFile(join(dir.path, '.bbx', 'learned.json'), 'utf8');
    expect(JSON.parse(learned)).toEqual({
      pins: [master.pin],
      reach: ['[2001:db8::2]:9989', 'other.example:9989'],
    });
    await using again = await start();
    await master.until(() => master.sessions === 2, 'a second session');
    expect(claims[1]).toMatchObject({ fingerprint: again.fingerprint, secret: undefined });
    expect(claims[1]!.fingerprint).toBe(claims[0]!.fingerprint);
    expect(claims[1]!.boot).not.toBe(claims[0]!.boot);
  });

  it('refuses a directory that another worker has, and a join string with a typing error', async () => {
    await using dir = await tempDir();
    const { start } = setUp(dir.path);
    await using first = await start();
    await expect(start()).rejects.toMatchObject({ code: 'BBX-EXE-LOCKED', exit: 8 });
    await first.stop({ drain: false });
    await writeFile(join(dir.path, 'join'), 'bbx1.AAAAAAAA');
    await expect(start()).rejects.toMatchObject({ code: 'BBX-PRO-JOIN', exit: 2 });
    // The failed start has left the lock free.
    await writeFile(join(dir.path, 'join'), 'bbx1.AAAAAAAB');
    await expect(start()).rejects.toMatchObject({ code: 'BBX-PRO-JOIN' });
  });

  it('drains: runs what it has, takes nothing more, delivers, and is gone', async () => {
    await using dir = await tempDir();
    const { master, start } = setUp(dir.path);
    const worker = await start();
    await master.until(() => master.session !== undefined, 'a session');
    const build = master.want(1, planOf(['sleep 0.4; echo done']));
    await expect.poll(() => worker.state.running).toBe(1);
    const stopped = worker.stop({ drain: true });
    await master.until(() => master.states.some(({ draining }) => draining), 'the news of the drain');
    await stopped;
    expect(isOver(build)).toBe(true);
    expect(logOf(build, 0).toString()).toContain('done\n');
    expect(build.events.at(-1)).toMatchObject({ results: 0 });
    expect(await worker.ended).toBeUndefined();
    expect(worker.state).toMatchObject({ link: 'stopped', running: 0, waiting: 0 });
  });

  it.each([
    ['a second stop', { drainTimeoutMs: 60_000 }, true],
    ['the end of drainTimeout', { drainTimeoutMs: 200 }, false],
  ])('ends its builds by %s, tells them as retry, and leaves nothing running', async (_, own, second) => {
    await using dir = await tempDir();
    const { master, start } = setUp(dir.path);
    const worker = await start(own);
    await master.until(() => master.session !== undefined, 'a session');
    const build = master.want(1, planOf(['echo $$; exec sleep 1000']));
    await master.until(() => /^\d+$/m.test(logOf(build, 0).toString()), 'the process');
    const pid = Number(/^\d+$/m.exec(logOf(build, 0).toString())?.[0]);
    const stopped = worker.stop({ drain: true });
    if (second) void worker.stop({ drain: false });
    await stopped;
    expect(build.events.at(-1)).toMatchObject({
      type: 'buildFinished',
      results: 5,
      state: 'the worker was stopped',
    });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.runIf(process.geteuid?.() === 0)('says at every start what running as root means', async () => {
    await using dir = await tempDir();
    const { lines, start } = setUp(dir.path);
    for (const _ of [1, 2]) await (await start()).stop({ drain: false });
    expect(lines.filter((line) => line.startsWith('This worker runs as root: every build can'))).toHaveLength(
      2,
    );
  });
});
