import type { Clock } from '../../base/clock.ts';
import { printDuration } from '../../base/duration.ts';
import type { Log } from '../../base/log.ts';
import type { MasterConfig } from '../../config/master.ts';
import type { Lease } from '../../protocol/bbx/lease.ts';
import type { LogBytes, MasterSession } from '../../protocol/bbx/master-contract.ts';
import type { MessageOf, WorkerMessage } from '../../protocol/bbx/messages.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { markFound, markLost, requestCancel } from '../../store/builds.ts';
import type { LogFiles } from '../../store/log-files.ts';
import { SMALL_LOG_BYTES } from '../../store/small-log.ts';
import { restoredFrom, type Restored } from '../../store/restored.ts';
import { compareInventory } from './adoption.ts';
import type { BuildTimes } from './build-times.ts';
import { codes } from './codes.ts';
import { goOn } from './course.ts';
import type { Ended } from './endings.ts';
import type { Farm } from './events.ts';
import { createLeftLogs } from './left-logs.ts';
import type { LogIntake } from './logs.ts';
import type { Recorder } from './recorder.ts';
import { createRunningBuilds, logKey, nameOf } from './running.ts';
import type { Running, RunningBuilds } from './running.ts';
import type { TroubleList } from './trouble.ts';
import { loadUnfinished } from './unfinished.ts';
import { createRests } from './workers/rest.ts';
import type { Roster, Worker } from './workers/roster.ts';

/** The largest delay that a timer takes, 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The builds that have no result yet: who has them, what comes of them, and what when their worker is lost. */
export interface Builds {
  readonly running: RunningBuilds;
  /** Takes up what a former master left; grace counts from `listening()` on. */
  load(): Promise<void>;
  /** The master listens: workers that still have builds can come back from now on. */
  listening(): void;
  /** A worker has come, with what it still has. Answers each build of it, and gives up those that it does not have. */
  adopt(
    worker: Worker,
    session: MasterSession,
    inventory: MessageOf<WorkerMessage, 'inventory'>,
  ): Promise<void>;
  /** A worker's session has ended. */
  away(worker: Worker, session: MasterSession): Promise<void>;
  /** A worker is asked again at once, whatever it refused. */
  endRest(worker: Worker): void;
  assigned(worker: Worker, answer: Lease & { accepted: boolean; why?: string | undefined }): void;
  progress(session: MasterSession, lease: Lease, sequence: number, event: ProgressEvent): void;
  bytes(session: MasterSession, piece: LogBytes): void | Promise<void>;
  abandoned(session: MasterSession, lease: Lease, why: string): void;
  /** Asks a build to stop, also one whose worker is away. False when it has ended. */
  cancel(buildid: number, reason: string): Promise<boolean>;
  /** The recorder's word that a build has its result. */
  ended(build: Running, ended: Ended): void;
  /** Ends a build by the master's decision. */
  giveUp(build: Running, why: string, again: 'counted' | 'uncounted' | false): void;
  /** Ends a build that can never run, as `exception`. */
  fail(build: Running, why: string): void;
  stop(): Promise<void>;
}

/** The builds that run now, from their assignment to their end. */
export function createBuilds(options: {
  farm: Farm;
  roster: Roster;
  logs: LogIntake;
  files: LogFiles;
  recorder: () => Recorder;
  config: () => MasterConfig;
  times: Pick<BuildTimes, 'place' | 'here'>;
  clock: Clock;
  log: Log;
  trouble: TroubleList;
  onRequeued: (build: Running) => void;
}): Builds {
  const {
    farm,
    roster,
    logs,
    files,
    recorder,
    config,
    times,
    clock,
    log: say,
    trouble,
    onRequeued,
  } = options;
  const running = createRunningBuilds();
  const left = createLeftLogs({ store: farm.store, files, logs, log: say });
  const rests = createRests({ clock, trouble });
  const ending = new AbortController();
  let restored: Restored | undefined;

  function startGrace(build: Running): void {
    clearTimeout(build.graceTimer);
    // One that somebody cancelled is not waited for without end.
    if ((build.patient && build.cancelReason === null) || ending.signal.aborted) return;
    const graceMs = Math.max(build.graceMs, config().lostWorkerGraceMs);
    build.graceTimer = setTimeout(
      () => {
        if (build.ended || build.givenUp || build.session !== undefined) return;
        const { message } = codes['BBX-MAS-WORKER-LOST']({
          worker: build.worker.name,
          build: nameOf(build),
          grace: printDuration(graceMs),
        });
        say.warn(message, { build: nameOf(build) });
        builds.giveUp(build, `worker "${build.worker.name}" was lost`, 'counted');
      },
      Math.min(graceMs, LONGEST_TIMER_MS),
    );
  }

  /** The build of a message, when this session is the one that has it. */
  function heldBy(session: MasterSession, lease: Lease): Running | undefined {
    const build = running.held(lease);
    if (build?.session === session) return build;
    session.drop(lease, 'this try at the build is over');
    return undefined;
  }

  /** What comes cannot be: nothing that this worker says of the build is worth anything, and nobody else is to suffer. */
  function broken(session: MasterSession, build: Running, what: string): void {
    const { worker } = build;
    say.warn(`Worker "${worker.name}" sent ${what}`, { build: nameOf(build), worker: worker.name });
    builds.fail(build, `worker "${worker.name}" sent ${what}`);
    session.close(CLOSE.malformed, what);
  }

  const builds: Builds = {
    running,

    endRest: (worker) => rests.end(worker),

    async load() {
      restored = await farm.store.read((db) => restoredFrom(db));
      const found = await loadUnfinished({ store: farm.store, roster, logs, files });
      for (const build of found) running.add(build);
    },

    listening() {
      for (const build of running.all()) {
        if (build.session !== undefined) continue;
        if (restored !== undefined && build.buildid <= restored.lastBuild) {
          const then = new Date(restored.takenAt * 1000).toISOString();
          const why = restored.rewound
            ? `the store had lost changes, as was found ${then}; what became of this is not known`
            : `the farm was restored from a backup of ${then}, when this ran`;
          builds.giveUp(build, why, 'uncounted');
          continue;
        }
        // A master that was killed while it removed the worker: nobody lets that one in again.
        if (build.worker.state === 'removed')
          builds.giveUp(build, `worker "${build.worker.name}" was removed`, 'uncounted');
        else startGrace(build);
      }
      left.closeFormer();
    },

    async adopt(worker, session, inventory) {
      const { kept, foreign, missing } = compareInventory(inventory.builds, {
        ...{ worker, running },
        epoch: farm.store.epoch,
      });
      for (const { lease, why } of foreign) session.drop(lease, why);
      for (const build of missing) {
        // What it never took has not been tried: the word of it was lost on the way.
        const tried = build.taken ? 'counted' : 'uncounted';
        builds.giveUp(build, `worker "${worker.name}" came back without it`, tried);
      }
      for (const build of kept) {
        // From here on the end of an older session is not the loss of these.
        clearTimeout(build.graceTimer);
        build.session = session;
        build.lostAt = null;
        build.taken = true;
      }
      if (kept.length > 0) {
        await farm.change(async (tx, emit) => {
          await markFound(
            tx,
            kept.map(({ buildid }) => buildid),
          );
          for (const { buildid, builder, number } of kept) {
            emit({ type: 'build.adopted', buildid, builder, number, worker: worker.name });
          }
        });
      }
      const theirs = kept.filter((build) => build.session === session && !build.ended && !build.givenUp);
      await logs.comeAgain(theirs.flatMap((build) => [...build.logs.values()]));
      for (const build of kept) {
        if (build.ended || build.givenUp) {
          session.drop(build.lease, 'it has ended meanwhile');
          continue;
        }
        if (build.session !== session) continue;
        session.resume(build.lease, {
          sequence: build.sequence,
          logs: [...build.logs.values()].map(({ step, name, stored }) => ({
            step,
            log: name,
            bytes: stored,
          })),
        });
        if (build.cancelReason !== null) session.cancel(build.lease, build.cancelReason);
        say.info('Build goes on', { build: nameOf(build), worker: worker.name });
      }
    },

    async away(worker, session) {
      const lost = running.of(worker).filter((build) => build.session === session);
      const at = clock.wall();
      for (const build of lost) {
        build.session = undefined;
        build.lostAt = at;
        startGrace(build);
      }
      if (lost.length === 0 || ending.signal.aborted) return;
      await farm.change(async (tx, emit) => {
        // Its worker may be back already, and its builds with it.
        const gone = lost.filter((build) => build.session === undefined && !build.ended);
        await markLost(
          tx,
          gone.map(({ buildid }) => buildid),
          at,
        );
        for (const { buildid, builder, number } of gone) {
          emit({ type: 'build.lost', buildid, builder, number, worker: worker.name });
        }
      });
    },

    assigned(worker, { accepted, why, ...lease }) {
      const build = running.held(lease);
      if (build === undefined || build.worker !== worker) return;
      if (accepted) {
        build.taken = true;
        return rests.took(worker);
      }
      const reason = why ?? 'no reason given';
      rests.refused(worker, reason);
      say.warn('Worker refused a build', { build: nameOf(build), worker: worker.name, why: reason });
      builds.giveUp(build, `worker "${worker.name}" refused it: ${reason}`, 'uncounted');
    },

    progress(session, lease, sequence, event) {
      const build = heldBy(session, lease);
      if (build === undefined) return;
      build.taken = true;
      const complaint = goOn(build.course, sequence, event, build.stepCount);
      if (complaint !== undefined) return broken(session, build, complaint);
      if (event.type === 'stepFinished') logs.told(build, event);
      recorder().event(build, sequence, { ...event, at: times.place(build, session, event.at) });
    },

    bytes(session, piece) {
      const build = heldBy(session, piece);
      if (build === undefined) return undefined;
      const key = logKey(piece.step, piece.log);
      let open = build.logs.get(key);
      // Of a step whose end has come what was not stored by then comes again with the next session.
      const again = open !== undefined && piece.offset + piece.bytes.length <= open.received;
      if (build.course.steps.get(piece.step) !== 'runs' && !again)
        return broken(session, build, `bytes of step ${piece.step}, which does not run`);
      if (open === undefined) {
        open = logs.open(build, piece.step, piece.log);
        build.logs.set(key, open);
        recorder().log(build, open);
      }
      const held = logs.take(open, { ...piece, at: times.here(session, piece.at) });
      if (open.logid === undefined && open.waitingBytes > SMALL_LOG_BYTES) recorder().hurry(build);
      return held;
    },

    abandoned(session, lease, why) {
      const build = heldBy(session, lease);
      if (build !== undefined)
        builds.giveUp(build, `worker "${build.worker.name}" gave it up: ${why}`, 'counted');
    },

    async cancel(buildid, reason) {
      const build = running.get(buildid);
      if (build === undefined || build.ended) return false;
      const asked = await farm.store.write((tx) => requestCancel(tx, buildid, reason));
      if (!asked) return false;
      build.cancelReason ??= reason;
      build.session?.cancel(build.lease, reason);
      // Nobody knows when its worker comes back, if ever: it is told to stop then.
      if (build.session === undefined) builds.giveUp(build, 'cancelled while its worker was away', 'counted');
      return true;
    },

    giveUp(build, why, again) {
      if (build.ended || build.givenUp) return;
      build.givenUp = true;
      build.session?.drop(build.lease, why);
      recorder().end(build, { result: 'retry', state: why, at: clock.wall(), again });
    },

    fail(build, why) {
      if (build.ended || build.givenUp) return;
      build.givenUp = true;
      recorder().end(build, { result: 'exception', state: why, at: clock.wall(), again: false });
    },

    ended(build, ended) {
      running.remove(build);
      logs.ended(build);
      if (ended.requeued) onRequeued(build);
      say.info('Build ended', { build: nameOf(build), result: ended.result, worker: build.worker.name });
      left.close(build);
    },

    async stop() {
      ending.abort(new Error('the master stops'));
      for (const build of running.all()) clearTimeout(build.graceTimer);
      await left.stop();
    },
  };
  return builds;
}
