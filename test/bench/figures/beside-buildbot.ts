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

/** How much of each; stock Buildbot takes minutes for the whole of it. */
interface Amounts {
  runs: number;
  singles: number;
  queued: number;
  lines: number;
}
const QUICK: Amounts = { runs: 3, singles: 5, queued: 20, lines: 100_000 };
const FULL: Amounts = { runs: 5, singles: 10, queued: 100, lines: 1_000_000 };
const MB = 1e6;
const LINE_BYTES = 80;
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
export async function besideBuildbot(full: boolean, bin: string): Promise<Figure[]> {
  const version = findBuildbot();
  if (version === undefined) {
    process.stderr.write(
      'buildbot: skipped, Buildbot is not installed (Debian: buildbot, buildbot-worker)\n',
    );
    return [];
  }
  const amounts = full ? FULL : QUICK;
  const { own, peer } = await inTurn(amounts.runs, {
    own: () => ended([bin, '--version']),
    peer: () => Promise.resolve(execFileSync('buildbot', ['--version'])),
  });
  const theirs = await ofBuildbot(amounts);
  const ours = await ofBbx(amounts);
  const name = `Buildbot ${version}`;
  const of = (what: string, unit: Figure['unit'], get: (found: Found) => number[]) =>
    figure(what, unit, spread(get(ours)), name, spread(get(theirs)));
  return [
    figure('`--version`, whole process', 'ms', own, name, peer),
    of('master start → worker port open', 's', ({ master }) => master),
    of('worker start → attached', 's', ({ worker }) => worker),
    of('one build of `true`, idle farm', 'ms', ({ single }) => single),
    of(`${amounts.queued} queued builds of \`true\`, 4 at a time`, 'builds/s', ({ perSecond }) => [
      perSecond,
    ]),
    of('processor time of the master for each of them', 'ms', ({ masterMs }) => [masterMs]),
    of(`a log of ${amounts.lines} lines of ${LINE_BYTES} bytes, step start → stored`, 'MB/s', ({ log }) => [
      log,
    ]),
    of('most memory of the master with these builds', 'MB', ({ small }) => [small / MB]),
    of('most memory of the master with that log', 'MB', ({ big }) => [big / MB]),
  ];
}

async function ofBuildbot({ runs, singles, queued, lines }: Amounts): Promise<Found> {
  const started: { master: number; worker: number }[] = [];
  for (let run = 1; run < runs; run += 1) {
    await using farm = await startBuildbot(lines);
    started.push(farm.started);
  }
  await using farm = await startBuildbot(lines);
  started.push(farm.started);
  const single: number[] = [];
  for (let run = 0; run <= singles; run += 1) {
    const { asked, ended } = await farm.build(['b1'], 1);
    // The first warms up and does not count.
    if (run > 0) single.push((ended - asked) * 1_000);
  }
  const cpu = cpuSecondsOf(farm.pid);
  const queue = await farm.build(BRANCHES, queued / BRANCHES.length);
  const masterMs = ((cpuSecondsOf(farm.pid) - cpu) * 1_000) / queued;
  const small = memoryOf(farm.pid).peak;
  const { ended } = await farm.build(['log'], 1);
  return {
    master: started.map(({ master }) => master),
    worker: started.map(({ worker }) => worker),
    single,
    perSecond: queued / (queue.ended - queue.asked),
    masterMs,
    log: megabytes(lines) / (ended - (await farm.began())),
    small,
    big: memoryOf(farm.pid).peak,
  };
}

async function ofBbx({ runs, singles, queued, lines }: Amounts): Promise<Found> {
  const { master, worker } = await farmTimes(runs);
  const found = await builds(singles, queued);
  await using farm = await farmOf(1, lines);
  await using follower = followRequests(farm);
  const log = megabytes(lines) / (await secondsOf(farm, follower, [0], 1, lines));
  return { master, worker, ...found, log, big: memoryOf(farm.master.child.pid!).peak };
}

async function builds(singles: number, queued: number) {
  const { farm: starting, builders } = slottedFarm(BRANCHES.length);
  await using farm = await starting;
  await using follower = followRequests(farm);
  const single: number[] = [];
  for (let run = 0; run <= singles; run += 1) {
    const start = performance.now();
    await follower.build('b1');
    if (run > 0) single.push(performance.now() - start);
  }
  const queue = await workOff(farm, follower, { builds: queued, builders, workers: ['w1'] });
  return { single, ...queue, small: memoryOf(farm.master.child.pid!).peak };
}

function megabytes(lines: number): number {
  return (lines * LINE_BYTES) / MB;
}
