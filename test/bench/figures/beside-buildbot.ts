import { execFileSync } from 'node:child_process';
import { findBuildbot, startBuildbot } from '../buildbot/peer.ts';
import { figure, inTurn, spread, type Figure } from '../figure.ts';
import { ended } from '../process.ts';
import { cpuSecondsOf } from '../process-cpu.ts';
import { memoryOf } from '../process-memory.ts';
import { workOff } from '../queue.ts';
import { followRequests } from '../request-follower.ts';
import { farmOf, secondsOf } from './big-log.ts';
import { farmTimes } from './farm-start.ts';
import { slottedFarm } from './queued-builds.ts';

const RUNS = 5;
const SINGLES = 10;
const QUEUED = 100;
const LINES = 1_000_000;
const LOG_MB = (LINES * 80) / 1e6;
const MB = 1e6;
const BRANCHES = ['b1', 'b2', 'b3', 'b4'];

interface Found {
  master: number[];
  worker: number[];
  single: number[];
  perSecond: number;
  masterMs: number;
  log: number;
  /** Most memory of the master, bytes: after the builds, and after the log. */
  small: number;
  big: number;
}

/** What both can do, on the same machine one after the other. Where stock Buildbot is not installed it says so and measures nothing. */
export async function besideBuildbot(bin: string): Promise<Figure[]> {
  const version = findBuildbot();
  if (version === undefined) {
    process.stderr.write(
      'buildbot: skipped, Buildbot is not installed (Debian: buildbot, buildbot-worker)\n',
    );
    return [];
  }
  const { own, peer } = await inTurn(RUNS, {
    own: () => ended([bin, '--version']),
    peer: () => Promise.resolve(execFileSync('buildbot', ['--version'])),
  });
  const theirs = await ofBuildbot();
  const ours = await ofBbx();
  const name = `Buildbot ${version}`;
  const of = (what: string, unit: Figure['unit'], get: (found: Found) => number[]) =>
    figure(what, unit, spread(get(ours)), name, spread(get(theirs)));
  return [
    figure('`--version`, whole process', 'ms', own, name, peer),
    of('master start → worker port open', 's', ({ master }) => master),
    of('worker start → attached', 's', ({ worker }) => worker),
    of('one build of `true`, idle farm', 'ms', ({ single }) => single),
    of(`${QUEUED} queued builds of \`true\`, 4 at a time`, 'builds/s', ({ perSecond }) => [perSecond]),
    of('processor time of the master for each of them', 'ms', ({ masterMs }) => [masterMs]),
    of(`a log of ${LINES} lines, step start → stored`, 'MB/s', ({ log }) => [log]),
    of('most memory of the master with these builds', 'MB', ({ small }) => [small / MB]),
    of('most memory of the master with that log', 'MB', ({ big }) => [big / MB]),
  ];
}

async function ofBuildbot(): Promise<Found> {
  const started: { master: number; worker: number }[] = [];
  for (let run = 1; run < RUNS; run += 1) {
    await using farm = await startBuildbot(LINES);
    started.push(farm.started);
  }
  await using farm = await startBuildbot(LINES);
  started.push(farm.started);
  const single: number[] = [];
  for (let run = 0; run <= SINGLES; run += 1) {
    const { asked, ended } = await farm.build(['b1'], 1);
    // The first warms up and does not count.
    if (run > 0) single.push((ended - asked) * 1_000);
  }
  const cpu = cpuSecondsOf(farm.pid);
  const queue = await farm.build(BRANCHES, QUEUED / BRANCHES.length);
  const masterMs = ((cpuSecondsOf(farm.pid) - cpu) * 1_000) / QUEUED;
  const small = memoryOf(farm.pid).peak;
  const { ended } = await farm.build(['log'], 1);
  return {
    master: started.map(({ master }) => master),
    worker: started.map(({ worker }) => worker),
    single,
    perSecond: QUEUED / (queue.ended - queue.asked),
    masterMs,
    log: LOG_MB / (ended - (await farm.began())),
    small,
    big: memoryOf(farm.pid).peak,
  };
}

async function ofBbx(): Promise<Found> {
  const { master, worker } = await farmTimes(RUNS);
  const found = await builds();
  await using farm = await farmOf(1, LINES);
  await using follower = followRequests(farm);
  const log = LOG_MB / (await secondsOf(farm, follower, [0], 1, LINES));
  return { master, worker, ...found, log, big: memoryOf(farm.master.child.pid!).peak };
}

async function builds(): Promise<Pick<Found, 'single' | 'perSecond' | 'masterMs' | 'small'>> {
  const { farm: starting, builders } = slottedFarm(BRANCHES.length);
  await using farm = await starting;
  await using follower = followRequests(farm);
  const single: number[] = [];
  for (let run = 0; run <= SINGLES; run += 1) {
    const start = performance.now();
    await follower.build('b1');
    if (run > 0) single.push(performance.now() - start);
  }
  const queue = await workOff(farm, follower, { builds: QUEUED, builders, workers: ['w1'] });
  return { single, ...queue, small: memoryOf(farm.master.child.pid!).peak };
}
