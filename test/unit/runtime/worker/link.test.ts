import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../../src/base/error.ts';
import type { CommandPort } from '../../../../src/build/command-port.ts';
import type { Log } from '../../../../src/base/log.ts';
import { CLOSE } from '../../../../src/protocol/bbx/wire.ts';
import { createLinkMaster, isOver, logOf } from '../../../rigs/link-master.ts';
import { planOf, startLinkWorker } from '../../../rigs/link-worker.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

/** Runs until it is told to stop, printing once at the beginning. */
function waitingPort() {
  const started: string[] = [];
  const release = Promise.withResolvers<void>();
  const port: CommandPort = {
    async run(command, { signal, onOutput }) {
      started.push(command.kind === 'shell' ? String(command.command) : 'git');
      await onOutput('stdout', Buffer.from('begun\n'));
      const cancelled = new Promise<'cancelled'>((resolve) => {
        if (signal.aborted) resolve('cancelled');
        signal.addEventListener('abort', () => resolve('cancelled'));
      });
      const ended = await Promise.race([release.promise.then(() => 'exit' as const), cancelled]);
      return { ended, rc: ended === 'exit' ? 0 : null, signal: null };
    },
  };
  return { port, started, release: release.resolve };
}

function recorder() {
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  return { lines, log: { debug() {}, info: say, warn: say, error: say } satisfies Log };
}

describe('the link of a worker', () => {
  it('pins the first key that it meets, says so, and refuses another one from then on', async () => {
    await using dir = await tempDir();
    const { lines, log } = recorder();
    const first = createLinkMaster();
    const second = createLinkMaster();
    let dials = 0;
    const dial = () => {
      dials += 1;
      return dials === 1 ? first.dial() : second.dial();
    };
    await using worker = await startLinkWorker({ dir: dir.path, dial, port: waitingPort().port, log });
    await first.until(() => first.session !== undefined, 'a session');
    expect(lines.join('\n')).toContain(
      `Trusting the master at "master" from now on: its key is ${first.pin}`,
    );
    first.session!.close(1001, 'gone');
    await expect
      .poll(() => lines.join('\n'))
      .toContain(`its key is ${second.pin}, and this worker only trusts ${first.pin}`);
    // It was in before: it keeps trying, the right master may come back.
    expect(worker.link.state).not.toBe('stopped');
    expect(second.sessions).toBe(0);
  });

  it('waits while it is pending, says so once, and is in when it is approved', async () => {
    await using dir = await tempDir();
    const { lines, log } = recorder();
    let approved = false;
    const master = createLinkMaster({
      limits: { refusalMs: 1 } as never,
      decide: () =>
        approved
          ? { let: 'in', session: 's', reach: [], pins: [] }
          : { let: 'out', reason: 'pending', retryAfter: 0 },
    });
    await using worker = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waitingPort().port,
      log,
    });
    await expect.poll(() => worker.link.state).toBe('pending');
    await expect.poll(() => master.wires.length, { timeout: 5_000 }).toBeGreaterThan(2);
    approved = true;
    await master.until(() => master.session !== undefined, 'a session');
    await expect.poll(() => worker.link.state).toBe('connected');
    expect(lines.filter((line) => line.includes('as pending'))).toHaveLength(1);
    expect(lines.find((line) => line.includes('bbx worker approve w1'))).toBeDefined();
  });

  it.each([
    ['replaced', 8, 'BBX-PRO-REPLACED'],
    ['removed', 5, 'BBX-PRO-REMOVED'],
  ] as const)('ends the worker when it is %s', async (reason, exit, code) => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    await using worker = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waitingPort().port,
    });
    await master.until(() => master.session !== undefined, 'a session');
    master.session!.bye(reason, 'from [::1]:4');
    expect(await worker.link.ended).toMatchObject({ code, exit });
  });

  it.each([...Object.entries(CLOSE), ['unknown', 4999], ['abnormal', 1011]] as [string, number][])(
    'comes back after a session that the master closed with %s (%d)',
    async (_, code) => {
      await using dir = await tempDir();
      const master = createLinkMaster();
      const { port } = waitingPort();
      await using worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
      for (let times = 1; times <= 3; times += 1) {
        await master.until(() => master.sessions === times && worker.link.state === 'connected', 'a session');
        master.session!.close(code, 'closed');
        await expect.poll(() => master.sessions).toBeGreaterThan(times);
      }
      expect(worker.link.state).not.toBe('stopped');
    },
  );

  it('comes back after a fault of its own while it handled a message', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port } = waitingPort();
    const { log, lines } = recorder();
    let faults = 0;
    const onLearned = () => {
      faults += 1;
      throw new TypeError('a fault of bbx');
    };
    await using worker = await startLinkWorker({
      ...{ dir: dir.path, dial: () => master.dial(), port, log, link: { onLearned } },
    });
    for (let times = 1; times <= 3; times += 1) {
      await master.until(() => master.sessions === times && worker.link.state === 'connected', 'a session');
      master.session!.settings({ paused: false, reach: [], pins: [] });
      await expect.poll(() => master.sessions).toBeGreaterThan(times);
    }
    expect(faults).toBeGreaterThanOrEqual(3);
    expect(lines.join('\n')).toContain('this side failed while handling a message');
  });

  it('gives up at once when it was never in and is refused for good, but not when nobody answers', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster({
      limits: { refusalMs: 1 } as never,
      decide: () => ({ let: 'out', reason: 'unknown' }),
    });
    await using worker = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waitingPort().port,
    });
    expect(await worker.link.ended).toMatchObject({ code: 'BBX-PRO-REFUSED', exit: 4 });
    await using other = await tempDir();
    let dials = 0;
    const dial = () => {
      dials += 1;
      return Promise.reject(
        new BbxError({ code: 'BBX-NET-REFUSED', message: 'Cannot reach "m": refused', exit: 3 }),
      );
    };
    const { lines, log } = recorder();
    const asked: string[] = [];
    const diagnose = ({ target }: { target: string }) => {
      asked.push(target);
      return Promise.resolve([
        {
          id: 'LSN-02',
          title: 'Nothing listens there',
          fix: [{ text: 'start it', commands: ['bbx run master'] }],
        },
      ]);
    };
    await using _patient = await startLinkWorker({
      dir: other.path,
      dial,
      port: waitingPort().port,
      log,
      link: { diagnose },
    });
    await expect.poll(() => dials).toBeGreaterThan(4);
    expect(lines).toEqual([
      'Cannot reach "m": refused',
      'LSN-02: Nothing listens there',
      'start it:',
      '  bbx run master',
    ]);
    expect(asked).toEqual(['master']);
  });
});

describe('the jobs of a worker', () => {
  it('ends an orphan before its grace is over, and tells it as retry', { retry: 3 }, async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    master.orphanAfter = 0.4;
    const { port, started } = waitingPort();
    let reachable = true;
    const dial = () => (reachable ? master.dial() : Promise.reject(new Error('unplugged')));
    await using worker = await startLinkWorker({ dir: dir.path, dial, port });
    const build = master.want(1, planOf(['wait']));
    await expect.poll(() => started).toEqual(['wait']);
    reachable = false;
    master.wires[0]![0].destroy();
    const lostAt = performance.now();
    await expect.poll(() => worker.jobs.running).toBe(0);
    expect(performance.now() - lostAt).toBeLessThan(400);
    reachable = true;
    await master.until(() => isOver(build), 'the end of the orphan');
    expect(build.events.at(-1)).toMatchObject({
      results: 5,
      state: expect.stringContaining('no contact with the master') as string,
    });
  });

  it('goes on without its master when nothing says otherwise', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started, release } = waitingPort();
    let reachable = true;
    const dial = () => (reachable ? master.dial() : Promise.reject(new Error('unplugged')));
    await using worker = await startLinkWorker({ dir: dir.path, dial, port });
    const build = master.want(1, planOf(['wait']));
    await expect.poll(() => started.length).toBe(1);
    reachable = false;
    master.wires[0]![0].destroy();
    release();
    await expect.poll(() => worker.jobs.running).toBe(0);
    expect(isOver(build)).toBe(false);
    reachable = true;
    await master.until(() => isOver(build), 'the end');
    expect(build.events.at(-1)).toMatchObject({ results: 0 });
    expect(logOf(build, 0).toString()).toContain('begun\n');
  });

  it('refuses more builds than it has places, and any while it drains; the same lease again is the same build', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started, release } = waitingPort();
    await using worker = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port,
      maxBuilds: 1,
    });
    const first = master.want(1, planOf(['a']));
    await expect.poll(() => started.length).toBe(1);
    const second = master.want(2, planOf(['b']));
    await master.until(() => second.answers.length === 1, 'an answer');
    expect(second.answers[0]).toMatchObject({ accepted: false, why: 'all 1 places are taken' });
    master.session!.assign(first.lease, { plan: first.plan, secrets: {}, orphanAfter: null });
    await master.until(() => first.answers.length === 2, 'a second answer');
    expect(first.answers[1]).toMatchObject({ accepted: true });
    expect(started).toEqual(['a']);
    worker.jobs.draining = true;
    worker.link.tellState();
    await master.until(() => master.states.some(({ draining }) => draining), 'the news');
    const third = master.want(3, planOf(['c']));
    await master.until(() => third.answers.length === 1, 'an answer');
    expect(third.answers[0]).toMatchObject({ accepted: false, why: 'the worker is draining' });
    release();
  });

  it('ends a dropped build, forgets it, and leaves nothing on the disk', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started } = waitingPort();
    await using worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    const build = master.want(1, planOf(['a']));
    await expect.poll(() => started.length).toBe(1);
    master.session!.drop(build.lease, 'given to another worker');
    await expect.poll(() => readdir(dir.path)).toEqual([]);
    expect(worker.jobs.all).toEqual([]);
    expect(isOver(build)).toBe(false);
  });

  it('ends the older try when a newer one of the same build is assigned', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started, release } = waitingPort();
    await using _worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    const old = master.want(1, planOf(['a']), 1);
    await expect.poll(() => started.length).toBe(1);
    const young = master.want(1, planOf(['b']), 2);
    await expect.poll(() => started).toEqual(['a', 'b']);
    release();
    await master.until(() => isOver(young), 'the end of the newer try');
    expect(young.events.at(-1)).toMatchObject({ results: 0 });
    expect(isOver(old)).toBe(false);
    const again = master.want(1, planOf(['c']), 1);
    await master.until(() => isOver(again) || again.answers.length > 0, 'an answer');
  });

  it('sets a build of another epoch aside and ends it', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started } = waitingPort();
    await using worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    master.want(1, planOf(['a']));
    await expect.poll(() => started.length).toBe(1);
    master.epoch = 'epoch-2';
    master.builds.clear();
    master.wires[0]![0].destroy();
    await master.until(() => master.sessions === 2, 'a second session');
    expect(worker.jobs.all).toEqual([]);
    expect(await readdir(dir.path)).toEqual(['old-epoch-1']);
    await master.until(() => master.states.length > 0, 'the note about it');
    expect(master.states[0]!.notes[0]).toContain('spool/old-epoch-1');
  });

  it('cancels in good order', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started } = waitingPort();
    await using _worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    const build = master.want(1, planOf(['a', 'b']));
    await expect.poll(() => started.length).toBe(1);
    master.session!.cancel(build.lease, 'somebody asked');
    await master.until(() => isOver(build), 'the end');
    expect(started).toEqual(['a']);
    expect(build.events.at(-1)).toMatchObject({ results: 6 });
  });

  it('takes what a killed process left, and delivers its end', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started } = waitingPort();
    const build = master.want(1, planOf(['a']));
    const first = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    await expect.poll(() => started.length).toBe(1);
    await master.until(() => logOf(build, 0).includes('begun'), 'the first bytes');
    // As after kill -9: nothing of the old process speaks any more, its files are as they are.
    await first.link.stop();
    await using _second = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waitingPort().port,
    });
    await master.until(() => isOver(build), 'the end');
    expect(build.events.at(-1)).toMatchObject({ type: 'buildFinished', results: 4 });
    expect(logOf(build, 0).toString()).toContain('the worker’s process ended while the build ran');
    await expect.poll(() => readdir(dir.path)).toEqual([]);
  });

  it('abandons a build of which the master has more than this disk has kept', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const { port, started } = waitingPort();
    const build = master.want(1, planOf(['a']));
    const first = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    await expect.poll(() => started.length).toBe(1);
    await master.until(() => logOf(build, 0).includes('begun'), 'the first bytes');
    await first.link.stop();
    for (const log of build.logs.values()) log.bytes += 10;
    await using _second = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waitingPort().port,
    });
    await master.until(() => build.abandoned !== undefined, 'the word');
    expect(build.abandoned).toBe('this machine has lost the end of what it had sent');
    await expect.poll(() => readdir(dir.path)).toEqual([]);
  });
});
