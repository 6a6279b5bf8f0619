import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { CommandPort } from '../../../../src/build/command-port.ts';
import { resultNumber } from '../../../../src/build/results.ts';
import { createJobs, type JobsOptions } from '../../../../src/runtime/worker/jobs.ts';
import type { KeptBuild } from '../../../../src/runtime/worker/keeper/kept-builds.ts';
import { createSpoolLog } from '../../../../src/runtime/worker/spool-log.ts';
import { openSpool, type Spool } from '../../../../src/runtime/worker/spool.ts';
import { planOf } from '../../../rigs/link-worker.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';
import { until } from '../../../rigs/wait.ts';

const lease = { build: 7, token: '1-00000000000000aa' };

const spoolIn = (dir: string, limitBytes = 1_000_000) =>
  openSpool({ dir, limitBytes, clock: systemClock, log: silentLog });
const placeOf = (port: CommandPort) => ({
  ...{ port, workdir: '/build' },
  [Symbol.asyncDispose]: async () => undefined,
});
/** A worker's jobs, one at a time. */
const jobsOver = (spool: Spool, more: Pick<JobsOptions, 'openPlace'> & Partial<JobsOptions>) =>
  createJobs({ spool, maxBuilds: 1, clock: systemClock, log: silentLog, ...more });

async function jobsOf(dir: string, port: CommandPort, limitBytes = 64 * 1024 * 1024, log = silentLog) {
  const spool = await spoolIn(dir, limitBytes);
  const jobs = jobsOver(spool, { log, openPlace: async () => placeOf(port) });
  const assignment = { ...lease, plan: planOf(['a']), secrets: {}, orphanAfter: null };
  expect(await jobs.assign(assignment, 'e')).toMatchObject({ accepted: true });
  return { spool, jobs };
}

/** Prints for ever, and looks at its signal between two lines. */
const flood: CommandPort = {
  async run(_, { signal, onOutput }) {
    while (!signal.aborted) await onOutput('stdout', Buffer.alloc(10_000, 'x'));
    return { ended: 'cancelled', rc: null, signal: null };
  },
};

it('a build that is dropped while it waits for room in a full spool ends, and gives all of it back', async () => {
  await using dir = await tempDir();
  const { spool, jobs } = await jobsOf(dir.path, flood, 200_000);
  await until('the spool to be full', () => spool.notes().length > 0, 5_000);
  await jobs.drop(lease, 'over');
  expect(spool.used).toBe(0);
  expect(jobs.all).toEqual([]);
  await spool.close();
});

it('a build of another life of the store is set aside also when the spool is full', async () => {
  await using dir = await tempDir();
  const { spool, jobs } = await jobsOf(dir.path, flood, 200_000);
  await until('the spool to be full', () => spool.notes().length > 0, 5_000);
  expect(await jobs.adoptEpoch('other')).toHaveLength(1);
  await spool.close();
});

it('the log names a build as people do, whatever happens to it', async () => {
  await using dir = await tempDir();
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const { spool, jobs } = await jobsOf(dir.path, flood, 1_000_000, { ...silentLog, info: say, warn: say });
  const { builder, number } = planOf(['a']);
  jobs.cancel(lease, 'enough');
  await jobs.idle();
  await jobs.drop(lease, 'over');
  expect(said).toEqual([
    `build ${builder}/${number} starts`,
    `build ${builder}/${number} is cancelled: enough`,
    `build ${builder}/${number} ended: cancelled`,
    `build ${builder}/${number} is dropped: over`,
  ]);
  await spool.close();
});

it('stopping waits for the commands of a build that was dropped just before', async () => {
  await using dir = await tempDir();
  const over = Promise.withResolvers<void>();
  const running = Promise.withResolvers<void>();
  let ended = false;
  const port: CommandPort = {
    async run() {
      running.resolve();
      await over.promise;
      ended = true;
      return { ended: 'cancelled', rc: null, signal: null };
    },
  };
  const { spool, jobs } = await jobsOf(dir.path, port);
  await running.promise;
  const dropped = jobs.drop(lease, 'over');
  const stopped = jobs.stop('the end');
  setTimeout(() => over.resolve(), 50);
  await stopped;
  expect(ended).toBe(true);
  await dropped;
  await spool.close();
});

it('refuses a build that it has no place for, keeps nothing of it, and takes the next one', async () => {
  await using dir = await tempDir();
  const spool = await spoolIn(dir.path);
  let broken = true;
  const port: CommandPort = { run: async () => ({ ended: 'exit', rc: 0, signal: null }) };
  const jobs = jobsOver(spool, {
    async openPlace() {
      if (broken) throw new Error('permission denied');
      return placeOf(port);
    },
  });
  const assignment = { ...lease, plan: planOf(['a']), secrets: {}, orphanAfter: null };
  expect(await jobs.assign(assignment, 'e')).toEqual({
    accepted: false,
    why: 'it has no place to work in: permission denied',
  });
  expect(jobs.all).toEqual([]);
  expect(spool.used).toBe(0);
  broken = false;
  expect(await jobs.assign(assignment, 'e')).toMatchObject({ accepted: true });
  await jobs.idle();
  expect(jobs.all[0]?.build.finished).toBe(true);
  await spool.close();
});

it('a build that the keeper ends as an orphan is built again, and does not count as cancelled', async () => {
  await using dir = await tempDir();
  const spool = await spoolIn(dir.path);
  const over = Promise.withResolvers<void>();
  const port: CommandPort = {
    async run() {
      await over.promise;
      return { ended: 'cancelled', rc: null, signal: null };
    },
  };
  const kept: KeptBuild = {
    former: undefined,
    lost: false,
    orphaned: false,
    onOrphaned: undefined,
    openLog: createSpoolLog,
    knows: () => false,
    run: () => Promise.reject(new Error('its commands run in the port')),
    goOnBehind: () => false,
    giveUp: () => undefined,
    release: async () => undefined,
  };
  const jobs = jobsOver(spool, {
    hold: async () => kept,
    openPlace: async () => placeOf(port),
  });
  await jobs.assign({ ...lease, plan: planOf(['a']), secrets: {}, orphanAfter: 300 }, 'e');
  await until('the keeper to be heeded', () => kept.onOrphaned !== undefined, 5_000);
  kept.onOrphaned?.();
  over.resolve();
  await jobs.idle();
  expect(jobs.all[0]?.build.events.at(-1)).toMatchObject({
    type: 'buildFinished',
    results: resultNumber('retry'),
  });
  await spool.close();
});

it('stopping waits for a build that is just being taken, which is refused and never begins', async () => {
  await using dir = await tempDir();
  const spool = await spoolIn(dir.path);
  const open = Promise.withResolvers<void>();
  const port: CommandPort = { run: () => Promise.reject(new Error('it must not begin')) };
  let left = 0;
  const jobs = jobsOver(spool, {
    async openPlace() {
      await open.promise;
      return { port, workdir: '/build', [Symbol.asyncDispose]: async () => void (left += 1) };
    },
  });
  const assigned = jobs.assign({ ...lease, plan: planOf(['a']), secrets: {}, orphanAfter: null }, 'e');
  jobs.draining = true;
  await jobs.idle();
  const stopped = jobs.stop('the end');
  setTimeout(() => open.resolve(), 20);
  await stopped;
  expect(await assigned).toEqual({ accepted: false, why: 'the worker is draining' });
  expect(jobs.all).toEqual([]);
  expect(spool.builds).toEqual([]);
  expect(left).toBe(1);
  await spool.close();
});

/** A build of which no step had begun when its worker's process ended, keeper too, in the hands of the next process. */
async function leftOver(dir: string, { isTold = false } = {}) {
  const former = await spoolIn(dir);
  const build = await former.create({
    ...lease,
    epoch: 'e',
    orphanAfter: null,
    plan: planOf(['a']),
    boot: undefined,
  });
  if (isTold) await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/w' });
  await former.close();
  const spool = await spoolIn(dir);
  const opened = Promise.withResolvers<void>();
  let runs = 0;
  const port: CommandPort = {
    async run() {
      runs += 1;
      return { ended: 'exit', rc: 0, signal: null };
    },
  };
  const jobs = jobsOver(spool, {
    async openPlace() {
      opened.resolve();
      return placeOf(port);
    },
  });
  await opened.promise;
  // Many times what a build that may begin needs until it does.
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return { spool, jobs, runs: () => runs };
}

it.each([
  ['that nobody had begun', false],
  ['of which no step had begun', true],
])(
  'a build %s waits for word of the master, who may have given it to another worker meanwhile',
  async (_, isTold) => {
    await using dir = await tempDir();
    const { spool, jobs, runs } = await leftOver(dir.path, { isTold });
    expect(runs()).toBe(0);
    expect(jobs.lost(jobs.find(lease)!, { sequence: 0, logs: [] })).toBeUndefined();
    await jobs.idle();
    expect(runs()).toBe(1);
    expect(jobs.all[0]?.build.events.at(-1)).toMatchObject({ results: resultNumber('success') });
    await spool.close();
  },
);

it.each(['dropped', 'stopped', 'cancelled', 'lost'] as const)(
  'a build that nobody had begun never does when it is %s before the master has said that it wants it',
  async (what) => {
    await using dir = await tempDir();
    const { spool, jobs, runs } = await leftOver(dir.path);
    if (what === 'dropped') await jobs.drop(lease, 'this try at the build is over');
    if (what === 'stopped') await jobs.stop('the end');
    if (what === 'cancelled') jobs.cancel(lease, 'enough');
    if (what === 'lost') {
      expect(jobs.lost(jobs.find(lease)!, { sequence: 2, logs: [] })).toMatch(/has lost the end/);
      await jobs.drop(lease, 'lost');
    }
    await jobs.idle();
    expect(runs()).toBe(0);
    await spool.close();
  },
);
