import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CommandPort } from '../../src/build/command-port.ts';
import type { Lease } from '../../src/protocol/bbx/lease.ts';
import { LIMITS } from '../../src/protocol/bbx/limits.ts';
import { createLinkMaster, isOver, logOf } from '../rigs/link-master.ts';
import { planOf, startLinkWorker } from '../rigs/link-worker.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const MIB = 1024 * 1024;

/** Commands that print until they are cancelled, as fast as they may. */
const floods: CommandPort = {
  async run(_command, { signal, onOutput }) {
    const bytes = Buffer.alloc(64 * 1024, 'x');
    while (!signal.aborted) {
      await onOutput('stdout', bytes);
      await delay(0);
    }
    return { ended: 'cancelled', rc: null, signal: null };
  },
};
/** Commands that wait until they are cancelled. */
const waits: CommandPort = {
  async run(_command, { signal, onOutput }) {
    await onOutput('stdout', Buffer.from('hello\n'));
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { ended: 'cancelled', rc: null, signal: null };
  },
};

describe('a master that means no good', () => {
  it('cannot put more on a worker’s disk than it has places, however many builds it gives', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    await using worker = await startLinkWorker({
      dir: dir.path,
      dial: () => master.dial(),
      port: waits,
      maxBuilds: 2,
    });
    await master.until(() => master.session !== undefined, 'the session');
    const steps = Array.from({ length: 100 }, (_, n) => `step ${n}`);
    const builds = Array.from({ length: 60 }, (_, n) =>
      master.want(n + 1, { ...planOf(steps), builddir: `b${n}` }),
    );
    await master.until(() => builds.every(({ answers }) => answers.length > 0), 'all answers');
    const taken = builds.filter(({ answers }) => answers[0]?.accepted);
    expect(taken).toHaveLength(2);
    expect(builds.at(-1)?.answers[0]?.why).toContain('all 2 places are taken');
    expect(await readdir(dir.path)).toHaveLength(2);
    expect(worker.spool.used).toBeLessThan(4 * MIB);
    expect(master.sessions).toBe(1);
  });

  it('that acknowledges what was never sent loses it nothing but its own', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    await using worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port: waits });
    const build = master.want(1, planOf(['a', 'b']));
    await master.until(() => build.logs.size > 0, 'some output');
    const far = [{ step: 0, log: 'stdio', bytes: Number.MAX_SAFE_INTEGER }];
    const ghost = { build: 99, token: '1-00000000000000ff' };
    for (const lease of [build.lease, ghost]) {
      master.session?.acknowledge(lease, { sequence: Number.MAX_SAFE_INTEGER, logs: far });
      master.session?.resume(ghost, { sequence: 2, logs: [] });
      master.session?.cancel(ghost, 'nobody knows it');
      master.session?.drop(ghost, 'nobody knows it');
    }
    await delay(200);
    expect(worker.jobs.running).toBe(1);
    expect(worker.link.state).toBe('connected');
    master.session?.cancel(build.lease, 'enough');
    await until('the end of the build', () => worker.jobs.running === 0);
  });

  it('that does not read makes the spool full and nothing else: the step is held up', async () => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    let unsent = () => 0;
    master.onWire = (theirs) => void (unsent = () => theirs.unsent);
    await using worker = await startLinkWorker({
      ...{ dir: dir.path, dial: () => master.dial(), port: floods, spoolLimit: 4 * MIB },
    });
    await master.until(() => master.session !== undefined, 'the session');
    const build = master.want(1, planOf(['a']));
    await master.until(() => build.logs.size > 0, 'some output');
    const ours = master.wires.at(-1)?.[1];
    ours?.pause();
    await until('the spool to be full', () =>
      worker.spool.notes().some((note) => note.includes('the spool is full')),
    );
    const full = worker.spool.used;
    await delay(500);
    expect(worker.spool.used).toBeLessThan(full + 256 * 1024);
    expect(worker.spool.used).toBeLessThan(5 * MIB);
    expect(unsent()).toBeLessThan(LIMITS.backlogBytes);
    expect(await readdir(dir.path)).toHaveLength(1);
    ours?.resume();
    master.session?.drop(build.lease, 'enough');
    await until('the room to be given back', () => worker.spool.used === 0);
  });

  const FAR = Number.MAX_SAFE_INTEGER;
  const proceed = (lease: Lease, offset: number) => ({ type: 'proceed', ...lease, stream: 1, offset });
  const pause = (lease: Lease, stream = 1) => ({ type: 'pause', ...lease, stream });
  const ack = (lease: Lease, sequence: number, offset: number) => ({
    ...{ type: 'ack', ...lease, sequence, streams: [{ stream: 1, offset }] },
  });
  it.each<[string, sessions: 1 | 2, (lease: Lease) => object[]]>([
    ['lets a log go on that does not rest', 2, (lease) => [proceed(lease, 0)]],
    ['lets a log go on beyond what it was sent', 2, (lease) => [pause(lease), proceed(lease, FAR)]],
    [
      'lets a log go on before what it has stored',
      2,
      (lease) => [ack(lease, 1, 3), pause(lease), proceed(lease, 0)],
    ],
    ['lets a log go on twice', 2, (lease) => [pause(lease), proceed(lease, 6), proceed(lease, 6)]],
    [
      'lets logs rest that are not there',
      1,
      (lease) => [pause(lease, 9), { ...pause(lease), token: `9-${'0'.repeat(16)}` }],
    ],
    ['lets logs go on that are not there', 1, (lease) => [{ ...proceed(lease, 5), stream: 9 }]],
    ['gives credit that is negative', 1, (lease) => [ack(lease, 0, -FAR), ack(lease, 0, -1)]],
    ['gives credit that is negative as a number of events', 2, (lease) => [ack(lease, -1, 0)]],
    ['gives credit that is no whole number', 2, (lease) => [ack(lease, 0.5, 0)]],
    [
      'gives credit without end',
      1,
      (lease) => [{ ...ack(lease, 0, FAR), streams: [{ stream: 77, offset: FAR }] }],
    ],
    [
      'assigns the build again and again, with another plan',
      1,
      (lease) =>
        Array.from({ length: 50 }, () => ({
          type: 'assign',
          ...lease,
          plan: planOf(['x', 'y']),
          secrets: {},
          orphanAfter: null,
        })),
    ],
    ['answers what nobody asked', 2, () => [{ type: 'echoed', id: 1, payload: '' }]],
    ['says that it keeps history which it was never told', 1, () => [{ type: 'historyStored', number: FAR }]],
    ['greets again', 2, () => [{ type: 'accepted', session: 's', peer: 'p', reach: [], pins: [] }]],
  ])('that %s costs at most the session, and no byte of a build', async (_, sessions, words) => {
    await using dir = await tempDir();
    const master = createLinkMaster();
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const port: CommandPort = {
      async run(_command, { onOutput }) {
        runs += 1;
        await onOutput('stdout', Buffer.from('before\n'));
        await gate.promise;
        await onOutput('stdout', Buffer.alloc(200_000, 'x'));
        return { ended: 'exit', rc: 0, signal: null };
      },
    };
    await using worker = await startLinkWorker({ dir: dir.path, dial: () => master.dial(), port });
    const build = master.want(1, planOf(['a']));
    await master.until(() => logOf(build, 0).includes('before'), 'some output');
    for (const word of words(build.lease)) master.wires.at(-1)?.[1].sendText(JSON.stringify(word));
    await master.until(() => (sessions === 1 ? true : master.sessions === sessions), 'the next session');
    gate.resolve();
    await master.until(() => isOver(build), 'the end of the build');
    expect(build.events.at(-1)).toMatchObject({ type: 'buildFinished', results: 0 });
    const log = logOf(build, 0);
    const sha256 = createHash('sha256').update(log).digest('hex');
    const logs = [{ name: 'stdio', bytes: log.length, sha256 }];
    expect(build.events.find(({ type }) => type === 'stepFinished')).toMatchObject({ logs });
    expect([runs, master.sessions]).toEqual([1, sessions]);
    expect(worker.link.state).toBe('connected');
  });
});
