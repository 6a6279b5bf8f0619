import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { MasterConfig } from '../../../../src/config/master.ts';
import type { MasterSession } from '../../../../src/protocol/bbx/master-contract.ts';
import { createBuilds } from '../../../../src/runtime/master/builds.ts';
import type { Ending } from '../../../../src/runtime/master/endings.ts';
import type { Farm } from '../../../../src/runtime/master/events.ts';
import type { LogIntake } from '../../../../src/runtime/master/logs.ts';
import type { Recorder } from '../../../../src/runtime/master/recorder.ts';
import type { Running } from '../../../../src/runtime/master/running.ts';
import { createTroubleList } from '../../../../src/runtime/master/trouble.ts';
import type { Roster, Worker } from '../../../../src/runtime/master/workers/roster.ts';
import type { LogFiles } from '../../../../src/store/log-files.ts';
import { until } from '../../../rigs/wait.ts';

/** Builds whose recorder has not come to write anything yet. */
function buildsOf(worker: Worker, clock: Clock = systemClock) {
  const endings: Ending[] = [];
  const events: number[] = [];
  const recorder = {
    end: (_: Running, ending: Ending) => void endings.push(ending),
    event: (_: Running, sequence: number) => void events.push(sequence),
  } as unknown as Recorder;
  const trouble = createTroubleList({ clock, log: silentLog });
  const builds = createBuilds({
    farm: { store: { epoch: 'e', read: async () => [] }, change: async () => undefined } as unknown as Farm,
    roster: { byId: () => worker } as unknown as Roster,
    logs: { comeAgain: async () => undefined } as unknown as LogIntake,
    files: {} as LogFiles,
    recorder: () => recorder,
    config: () => ({ lostWorkerGraceMs: 10 }) as MasterConfig,
    times: { place: (_build, _session, at) => at, here: (_session, at) => at },
    clock,
    log: silentLog,
    trouble,
    onRequeued: () => undefined,
  });
  return { builds, endings, events, trouble };
}

const token = '1-0123456789abcdef';

function running(worker: Worker, taken: boolean): Running {
  return {
    lease: { build: 7, token },
    buildid: 7,
    builder: 'app',
    builderid: 1,
    number: 1,
    requestid: 1,
    worker,
    attempt: 1,
    patient: false,
    graceMs: 10,
    session: undefined,
    lostAt: null,
    cancelReason: null,
    sequence: 0,
    properties: {},
    stepCount: 1,
    course: { sequence: 0, steps: new Map() },
    steps: new Map(),
    logs: new Map(),
    givenUp: false,
    taken,
    ended: false,
    lastAt: 0,
    graceTimer: undefined,
  };
}

function sessionOf() {
  const said: string[] = [];
  const session = {
    drop: () => void said.push('drop'),
    resume: () => void said.push('resume'),
    cancel: () => void said.push('cancel'),
  } as unknown as MasterSession;
  return { said, session };
}

const inventory = (builds: { build: number; token: string; epoch: string; state: 'running' }[]) => ({
  type: 'inventory' as const,
  maxBuilds: 1,
  facts: {},
  draining: false,
  builds,
});
const whole = { build: 7, token, epoch: 'e', state: 'running' as const };
const workerOf = (): Worker => ({ name: 'w1', builds: new Map(), refusals: 0 }) as unknown as Worker;

describe('a build that the master has given up', () => {
  it('is not resumed by a worker that comes before the rows say so', async () => {
    const worker = workerOf();
    const { builds, endings } = buildsOf(worker);
    const build = running(worker, true);
    builds.running.add(build);
    builds.giveUp(build, 'worker "w1" was lost', 'counted');
    const { said, session } = sessionOf();
    await builds.adopt(worker, session, inventory([whole]));
    expect(said).toEqual(['drop']);
    expect(build.session).toBeUndefined();
    expect(endings).toHaveLength(1);
  });

  it('takes nothing more of its worker, and is given up once', () => {
    const worker = workerOf();
    const { builds, endings, events } = buildsOf(worker);
    const build = running(worker, true);
    const { said, session } = sessionOf();
    build.session = session;
    builds.running.add(build);
    builds.giveUp(build, 'worker "w1" was removed', 'uncounted');
    builds.giveUp(build, 'worker "w1" was lost', 'counted');
    builds.fail(build, 'no such secret');
    builds.progress(session, build.lease, 1, { type: 'buildStarted', at: 1, workdir: '/w' });
    expect(events).toEqual([]);
    expect(endings.map(({ again }) => again)).toEqual(['uncounted']);
    expect(said).toEqual(['drop', 'drop']);
  });
});

describe('builds that a former master left', () => {
  it('are waited for as long as their assignment said, also when the grace was made shorter since', async () => {
    const worker = workerOf();
    const { builds, endings } = buildsOf(worker);
    const build = { ...running(worker, true), graceMs: 300 };
    builds.running.add(build);
    const before = performance.now();
    builds.listening();
    await until('the end', () => endings.length > 0, 2_000);
    expect(performance.now() - before).toBeGreaterThan(290);
    await builds.stop();
  });

  it.each([
    ['of a worker that was removed are tried elsewhere, also patient ones', 'removed', null, 'uncounted'],
    ['that were cancelled are not waited for without end', 'approved', 'enough', 'counted'],
  ] as const)('%s', async (_, state, cancelReason, again) => {
    const worker = { ...workerOf(), state };
    const { builds, endings } = buildsOf(worker);
    const build = { ...running(worker, true), patient: true, cancelReason };
    builds.running.add(build);
    builds.listening();
    await until('the end', () => endings.length > 0, 2_000);
    expect(endings).toMatchObject([{ again }]);
    await builds.stop();
  });
});

it('a worker that refuses again and again is asked less and less often, until it takes something', () => {
  const worker = workerOf();
  const { builds } = buildsOf(worker);
  const answer = (accepted: boolean) => {
    const build = running(worker, false);
    builds.running.add(build);
    builds.assigned(worker, { ...build.lease, accepted });
    return Math.round((worker.restsUntil - systemClock.monotonic()) / 1_000);
  };
  expect([1, 2, 3, 4].map(() => answer(false))).toEqual([10, 20, 40, 80]);
  for (let more = 0; more < 20; more += 1) answer(false);
  expect(answer(false)).toBe(600);
  answer(true);
  expect(answer(false)).toBe(10);
});

it('that a worker refused a build is told while it rests, and is no trouble of one that nobody asks since', () => {
  let now = 0;
  const worker = workerOf();
  const { builds, trouble } = buildsOf(worker, { wall: () => now / 1_000, monotonic: () => now });
  const refuse = () => {
    const build = running(worker, false);
    builds.running.add(build);
    builds.assigned(worker, { ...build.lease, accepted: false, why: 'no space left' });
  };
  const told = () => trouble.list().map(({ code, since }) => [code, since]);
  refuse();
  now = 12_000;
  refuse();
  expect(told()).toEqual([['BBX-MAS-WORKER-REFUSES', 0]]);
  now += 20_000;
  expect(told()).toEqual([['BBX-MAS-WORKER-REFUSES', 0]]);
  now += 5_000;
  expect(told()).toEqual([]);
});

describe('a worker that comes back without a build', () => {
  it.each([
    ['that it had taken: that was a try', true, 'counted'],
    ['that it never took: nothing was tried', false, 'uncounted'],
  ])('%s', async (_, taken, again) => {
    const worker = workerOf();
    const { builds, endings } = buildsOf(worker);
    const build = running(worker, taken);
    builds.running.add(build);
    await builds.adopt(worker, sessionOf().session, inventory([]));
    expect(endings).toMatchObject([{ result: 'retry', again }]);
  });

  it('after it had said yes to it', async () => {
    const worker = workerOf();
    const { builds, endings } = buildsOf(worker);
    const build = running(worker, false);
    builds.running.add(build);
    builds.assigned(worker, { ...build.lease, accepted: true });
    await builds.adopt(worker, sessionOf().session, inventory([]));
    expect(endings).toMatchObject([{ again: 'counted' }]);
  });
});
