import { LONGEST_TIMER_MS, type Clock } from '../../base/clock.ts';
import { sentences } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { Journal } from '../../build/journal.ts';
import { resultNumber } from '../../build/results.ts';
import type { Result } from '../../build/results.ts';
import { runPlan } from '../../build/run.ts';
import { buildTitle } from '../../build/title.ts';
import { orphanLeftMs } from './keeper/deadline.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { endInterrupted } from './jobs-interrupted.ts';
import { knownEndPort } from './known-end-port.ts';
import type { BuildPlace } from './places.ts';
import type { SpoolBuild } from './spool-build.ts';

/** One build attempt at this worker: it runs, or it has ended and waits until the master has stored it. */
export interface Job {
  readonly build: SpoolBuild;
  readonly running: boolean;
  /** The master cannot get the rest of this build: why. */
  readonly unfit: string | undefined;
}

/** How far the master has a build. */
export interface Stored {
  sequence: number;
  logs: readonly { step: number; log: string; bytes: number }[];
}

/** A job as `Jobs` holds it. */
export interface OwnJob extends Job {
  /** Resolves when nothing of it runs. */
  readonly done: Promise<void>;
  /** Walks its plan, from where its journal ends. `holding`: the keeper is being asked to take its commands. */
  begin(walk: {
    place: Promise<BuildPlace>;
    secrets: ReadonlyMap<string, Secret>;
    holding?: Promise<void> | undefined;
  }): void;
  /** Ends it in its journal alone, without a walk. */
  interrupt(as: 'exception' | 'retry', why?: string): void;
  /** From now on the keeper runs its commands. */
  keepBy(kept: KeptBuild): void;
  /** Later steps run only with alwaysRun. */
  cancel(why: string): void;
  /** Ends it at once, as `retry` for the first reason that is given. */
  retry(state: string): void;
  /** Ends it at once; nobody wants to know of it any more. */
  giveUp(reason: Error): void;
  /** The master has been out of reach since (monotonic ms); undefined: it is there. */
  masterLost(since: number | undefined): void;
  /** Resolves with true when the master says that a build of a former process is to go on, with false when it ends without that. */
  readonly wanted: Promise<boolean>;
  /** What the master has of a build that a former process left; gives why the rest cannot be delivered, or undefined when it can. */
  compare(stored: Stored): string | undefined;
}

export interface JobDeps {
  clock: Clock;
  log: Log;
  /** Called when it runs no more. */
  onEnd(): void;
}

/** A build that is in the spool; `former`: a former process put it there. */
export function createJob(build: SpoolBuild, deps: JobDeps, former = false): OwnJob {
  const { clock, log, onEnd } = deps;
  const { lease } = build;
  const cancel = new AbortController();
  const stop = new AbortController();
  let running = false;
  let unfit = build.lost;
  /** Log sizes and events as a former process left them: a master that has more saw what this disk has lost. */
  let left = former
    ? { sequence: build.sequence, sizes: new Map(build.logs.map(({ id, size }) => [id, size])) }
    : undefined;
  /** How it ends instead of what the plan's walk found. */
  let verdict: { result: Result; state: string } | undefined;
  const wanted = Promise.withResolvers<boolean>();
  for (const { signal } of [cancel, stop])
    signal.addEventListener('abort', () => wanted.resolve(false), { once: true });
  let done: Promise<void> = Promise.resolve();
  let deadline: NodeJS.Timeout | undefined;

  async function walk({ place: given, secrets, holding }: Parameters<OwnJob['begin']>[0]): Promise<void> {
    const { plan } = lease;
    const past = [...build.events];
    try {
      await using place = await given;
      await holding;
      const { kept } = build;
      const port = kept === undefined ? place.port : (place.keptPort?.(kept) ?? place.port);
      const result = await runPlan(plan, {
        port: build.lastEnd === undefined ? port : knownEndPort(port, build.lastEnd),
        past,
        journal: withVerdict(build.journal, () => verdict),
        secrets,
        workdir: place.workdir,
        clock,
        signal: AbortSignal.any([cancel.signal, stop.signal]),
        stop: stop.signal,
      });
      log.info(`build ${buildTitle(plan)} ended: ${verdict?.result ?? result}`);
    } catch (error) {
      await endBroken(error);
    } finally {
      clearTimeout(deadline);
      running = false;
      onEnd();
    }
  }

  /** The walk itself failed: no place to work in, or a spool that cannot be written. */
  async function endBroken(error: unknown): Promise<void> {
    const why = sentences(error).join(': ');
    const isDropped = stop.signal.aborted && verdict === undefined;
    // Nobody wants to know of a build that is dropped; one that has its end only failed in cleaning up.
    if (build.finished || isDropped) return void log.debug(`build ${buildTitle(lease.plan)}: ${why}`);
    const as = verdict?.result === 'retry' ? 'retry' : 'exception';
    log.error(`build ${buildTitle(lease.plan)} ended as ${as}: ${why}`);
    try {
      await endInterrupted(build, clock, verdict?.state ?? `the worker could not go on: ${why}`, as);
    } catch (second) {
      unfit = `its spool cannot be written: ${sentences(second).join(': ')}`.slice(0, 1_000);
    }
  }

  function masterLost(since: number | undefined): void {
    clearTimeout(deadline);
    const { orphanAfter } = lease;
    if (!running || since === undefined || orphanAfter === null) return;
    const leftMs = orphanLeftMs(orphanAfter, clock.monotonic() - since);
    deadline = setTimeout(
      () => {
        if (leftMs > LONGEST_TIMER_MS) return masterLost(since);
        endOrphan('the master is out of reach and will give it to another worker');
      },
      Math.max(0, Math.min(leftMs, LONGEST_TIMER_MS)),
    );
  }

  function endOrphan(why: string): void {
    log.warn(`build ${buildTitle(lease.plan)} ends: ${why}`);
    retry(`ended by the worker: no contact with the master for ${Math.round(lease.orphanAfter ?? 0)} s`);
  }

  function retry(state: string): void {
    verdict ??= { result: 'retry', state };
    stop.abort(new Error(state));
  }

  /** What the keeper ends by its own count ends as an orphan, not as if somebody had cancelled it. */
  function heedKeeper(): void {
    const { kept } = build;
    if (kept === undefined) return;
    const end = () => endOrphan('the keeper ended it, since the master was out of reach for too long');
    kept.onOrphaned = end;
    if (kept.orphaned) end();
  }

  return {
    build,
    get running() {
      return running;
    },
    get unfit() {
      return unfit;
    },
    get done() {
      return done;
    },
    wanted: wanted.promise,
    begin(given) {
      heedKeeper();
      running = true;
      done = walk(given);
    },
    interrupt(as, why) {
      done = endInterrupted(build, clock, why, as).catch(endBroken);
    },
    keepBy(kept) {
      build.keepBy(kept);
      heedKeeper();
    },
    cancel: (why) => cancel.abort(new Error(why)),
    retry,
    giveUp(reason) {
      stop.abort(reason);
      build.giveUp(reason);
    },
    masterLost,
    compare(stored) {
      const before = left;
      if (before === undefined) return unfit;
      // Only the first answer after a start is compared: later ones count what this process wrote.
      left = undefined;
      const behind = stored.logs.some(({ step, log: name, bytes }) => {
        const mine = build.logs.find((one) => one.step === step && one.name === name);
        return bytes > (mine === undefined ? 0 : (before.sizes.get(mine.id) ?? 0));
      });
      if (behind || stored.sequence > before.sequence)
        return 'this machine has lost the end of what it had sent';
      if (unfit === undefined) wanted.resolve(true);
      return unfit;
    },
  };
}

/** The journal, but the build's last event says what the worker knows better than the plan's walk. */
function withVerdict(
  journal: Journal,
  verdict: () => { result: Result; state: string } | undefined,
): Journal {
  return {
    log: (step, name) => journal.log(step, name),
    event(event) {
      const known = event.type === 'buildFinished' ? verdict() : undefined;
      if (known === undefined || event.type !== 'buildFinished') return journal.event(event);
      return journal.event({ ...event, results: resultNumber(known.result), state: known.state });
    },
  };
}
