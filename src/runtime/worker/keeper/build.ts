import { within } from '../../../base/abort.ts';
import { sentences } from '../../../base/error.ts';
import { Secret } from '../../../base/secret.ts';
import { createMask } from '../../../build/mask.ts';
import { describeEnd } from '../../../build/step-words.ts';
import { createStepOutput } from '../../../build/step-output.ts';
import { endLeftovers } from '../../../exec/end-processes.ts';
import type { PipeSource } from '../../../exec/output-pipes.ts';
import { runTree } from '../../../exec/run-tree.ts';
import { machineElapsed } from '../elapsed.ts';
import { retried } from '../spool-file.ts';
import { createSpoolLog, type SpoolLog } from '../spool-log.ts';
import { leavable, type SpoolDeps } from '../spool-segment.ts';
import { treeWords } from '../tree-words.ts';
import { writeLastEnd } from './last-end.ts';
import { writeBehind } from './write-behind.ts';
import type { HeldBuild, KeptState, LogEnd, LogState, RunEnd, RunOrder } from './messages.ts';

/** A log as the keeper writes it. */
export interface BuildLog {
  readonly log: SpoolLog;
  /** How many writes of the worker are in it. */
  turns: number;
  /** How far it is, for the worker; `whole`: for one that knows nothing of it yet. */
  state(whole: boolean): LogState;
}

/** One build attempt in the keeper: its commands, its logs, and how they ended. */
export interface KeeperBuild {
  readonly held: HeldBuild;
  /** The master was away for too long: nothing more of it may run. */
  readonly orphaned: boolean;
  /** Commands that are not over, or whose output waits for room. */
  readonly running: number;
  readonly logs: ReadonlyMap<number, BuildLog>;
  /** The log of a step; made when it is new. */
  log(step: number, place: { id: number; name: string }): BuildLog;
  /** Runs a step's command once; whoever asks again waits for the same end. Rejects when its log cannot be written. */
  run(order: RunOrder): Promise<RunEnd>;
  cancel(step: number): void;
  /** Says a line in the logs of commands that are not over. */
  say(words: string): void;
  state(): KeptState;
  /** Leaves the end of its last command on the disk: no worker is there to be told, and this process can die, too. */
  leaveEnd(): void;
  /** Resolves when what it leaves is on the disk, or cannot be. */
  readonly left: Promise<void>;
  orphan(): void;
  /** Output that waits for room fails, now and later. */
  giveUp(reason: Error): void;
  /** Ends its commands. */
  stop(): Promise<void>;
  /** Ends its commands and all that they left running. */
  end(): Promise<void>;
  /** Closes its logs, whose room is free then. */
  close(): Promise<void>;
}

export interface KeeperBuildDeps {
  spool: SpoolDeps;
  pipes: PipeSource;
  /** Resolves when a command may be started. */
  startTurn(): Promise<void>;
  /** Whether no worker is there. */
  isAlone(): boolean;
  /** A log has bytes that the worker has not heard of. */
  onGrown(log: BuildLog): void;
  /** A command is over. */
  onOver(): void;
}

interface Run {
  stop: AbortController;
  log: BuildLog;
  end: Promise<RunEnd>;
  /** The end, once it is there, and when it came by the two clocks. */
  known: { end: RunEnd; at: number; seconds: number } | undefined;
  /** The command has ended; its log may still wait for the disk. */
  over: boolean;
  /** Resolves then. */
  ended: PromiseWithResolvers<void>;
  /** Its log is written, or was given up. */
  written: boolean;
  /** So long it may take from its abort, ms, unless its output is held up. */
  limitMs: number;
}

/** From a command's KILL to its end, with what it left running. */
const END_MS = 2_000;

/** Takes a build that the worker leaves with the keeper. */
export function createKeeperBuild(held: HeldBuild, deps: KeeperBuildDeps): KeeperBuild {
  const { clock, budget } = deps.spool;
  const { key, dir } = held;
  const mask = createMask(
    new Map(Object.entries(held.secrets).map(([name, value]) => [name, new Secret(value)])),
  );
  const logs = new Map<number, BuildLog>();
  const runs = new Map<number, Run>();
  const gone = new AbortController();
  const spool = leavable(deps.spool, gone.signal);
  let orphaned = false;
  let left: Promise<void> = Promise.resolve();

  function makeLog(step: number, { id, name }: { id: number; name: string }): BuildLog {
    const changed = () => deps.onGrown(made);
    const log = createSpoolLog({ dir, id, step, name, gone: gone.signal, changed }, spool);
    /** The last file that the worker knows. */
    let toldFile = -1;
    const made: BuildLog = {
      log,
      turns: 0,
      state(whole) {
        const { size, base, files } = log;
        const news = whole ? files : files.filter((file) => file > toldFile);
        toldFile = Math.max(toldFile, ...news);
        return { key, id, step, name, size, base, files: news, turns: made.turns };
      },
    };
    logs.set(id, made);
    return made;
  }
  const logOf: KeeperBuild['log'] = (step, place) => logs.get(place.id) ?? makeLog(step, place);

  async function walk(order: RunOrder, run: Omit<Run, 'end'>): Promise<RunEnd> {
    const behind = writeBehind(run.log.log);
    const output = createStepOutput(behind, mask, order.logMax ?? null);
    try {
      await deps.startTurn();
      const began = clock.monotonic();
      const end = await runTree({
        ...order,
        pipes: deps.pipes,
        signal: run.stop.signal,
        clock,
        onOutput: output.onOutput,
      });
      const at = clock.monotonic();
      const tookMs = at - began;
      const seconds = machineElapsed().seconds();
      // From here on nothing is said in its log but its last words.
      setOver(run);
      await output.settle();
      const told = order.tellsEnd === true;
      const words = told
        ? [...treeWords(end).map((line) => `${line}\n`), describeEnd(end, order, tookMs)]
        : [];
      for (const line of words) await output.header(line);
      await behind.settle();
      const { ended, rc, signal, leftovers, alive } = end;
      const error = end.error === undefined ? undefined : sentences(end.error).join(': ');
      const known = { ended, rc, signal, leftovers, alive, error, tookMs, cut: output.cut, told };
      run.known = { end: known, at, seconds };
      if (deps.isAlone()) leaveEnd();
      return told ? { ...known, log: await finish(run.log) } : known;
    } finally {
      setOver(run);
      run.written = true;
      deps.onOver();
    }
  }

  function setOver(run: Pick<Run, 'over' | 'ended'>): void {
    run.over = true;
    run.ended.resolve();
  }

  /** The whole of a log that has its last words; nobody need ask for it, and its file is closed. */
  async function finish({ log }: BuildLog): Promise<LogEnd> {
    const end = await log.finish();
    await log.close();
    return end;
  }

  function leaveEnd(): void {
    const [step, last] = [...runs].at(-1) ?? [];
    if (step === undefined || last?.known === undefined) return;
    const { end, seconds } = last.known;
    const word = { step, turns: last.log.turns, end, boot: machineElapsed().host, seconds };
    // One behind the other: an older word that waited for a full disk must not stand in place of a newer one.
    left = left.then(() => retried(spool.disk, () => writeLastEnd(dir, word))).catch(() => undefined);
  }

  function abort(): void {
    // An abort makes an error of its own, and of most builds nothing runs any more.
    for (const run of runs.values()) if (!run.over) run.stop.abort();
  }

  async function stop(): Promise<void> {
    abort();
    await Promise.allSettled([...runs.values()].map(({ end }) => end));
  }

  return {
    held,
    get orphaned() {
      return orphaned;
    },
    get running() {
      // Nobody wants the rest of an orphan's log.
      return [...runs.values()].filter(({ over, written }) => !(orphaned ? over : written)).length;
    },
    logs,
    log: logOf,
    run(order) {
      const met = runs.get(order.step);
      if (met !== undefined)
        return met.end.then((end) => ({ ...end, agoMs: clock.monotonic() - (met.known?.at ?? 0) }));
      const begun = {
        ...{ stop: new AbortController(), log: logOf(order.step, order.log) },
        ...{ known: undefined, over: false, written: false, ended: Promise.withResolvers<void>() },
        limitMs: order.sigtermTimeMs + END_MS,
      };
      if (orphaned || gone.signal.aborted) begun.stop.abort();
      const run: Run = Object.assign(begun, { end: walk(order, begun) });
      runs.set(order.step, run);
      // Whoever asks for it handles it; a worker may never come back to ask.
      run.end.catch(() => undefined);
      return run.end;
    },
    cancel: (step) => runs.get(step)?.stop.abort(),
    say(words) {
      for (const { over, log } of runs.values()) if (!over) log.log.say(words).catch(() => undefined);
    },
    state: () => ({
      build: held,
      logs: [...logs.values()].map((log) => log.state(true)),
      runs: [...runs.keys()],
      orphaned,
    }),
    leaveEnd,
    get left() {
      return left;
    },
    orphan: () => void (orphaned = true),
    giveUp: (reason) => gone.abort(reason),
    stop,
    async end() {
      abort();
      // Not for their output and last words: a disk may have no room for those for long.
      await Promise.all([...runs.values()].map(({ ended, limitMs }) => within(ended.promise, limitMs)));
      await endLeftovers(held.marker, { uids: held.uids });
    },
    async close() {
      for (const { log } of logs.values()) {
        await log.close();
        budget.give(log.fileBytes);
      }
    },
  };
}
