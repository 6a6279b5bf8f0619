import type { LogEnd } from '../../build/receipt.ts';
import type { Properties } from '../../build/plan.ts';
import type { Lease } from '../../protocol/bbx/lease.ts';
import type { LogBytes, MasterSession } from '../../protocol/bbx/master-contract.ts';
import type { Course } from './course.ts';
import type { Worker } from './workers/roster.ts';

/** A build that has no result yet, in memory: what its rows say, and who carries it now. */
export interface Running {
  readonly lease: Lease;
  readonly buildid: number;
  readonly builder: string;
  readonly builderid: number;
  readonly number: number;
  readonly requestid: number;
  readonly worker: Worker;
  readonly attempt: number;
  /** `orphan: continue`: the worker goes on without the master for as long as it takes, so the master waits for as long. */
  readonly patient: boolean;
  /** The grace of its assignment, ms: the worker ends it before that is over, whatever the configuration says since. */
  graceMs: number;
  /** The session that carries it; undefined while its worker is away. */
  session: MasterSession | undefined;
  /** The latest time in its rows, epoch seconds: what comes later is never before it. */
  lastAt: number;
  /** When its worker was lost, epoch seconds. */
  lostAt: number | null;
  cancelReason: string | null;
  /** Progress events that are stored. */
  sequence: number;
  properties: Properties;
  /** Steps of its plan. */
  readonly stepCount: number;
  /** How far it has come by the worker's words; `steps` and `sequence` follow when they are stored. */
  readonly course: Course;
  /** Step number → its row. */
  readonly steps: Map<number, { stepid: number; name: string }>;
  /** `step/log` → its file. */
  readonly logs: Map<string, OpenLog>;
  /** The master has decided its end and the rows follow: nobody carries it any more. */
  givenUp: boolean;
  /** Its worker has said that it took it, or told something of it. */
  taken: boolean;
  /** Has its result: what still arrives of it is dropped. */
  ended: boolean;
  /** Gives up waiting for the worker. */
  graceTimer: NodeJS.Timeout | undefined;
}

/** The end of a small log, with its bytes. */
export interface SmallEnd extends LogEnd {
  content: string;
}

/** That the disk does not take a log, or that its row is late behind one that it does not take. */
export interface Stall {
  /** Resolves when it goes on, or when the master has stopped. */
  over: PromiseWithResolvers<void>;
  /** What its session waits for where that is held up as a whole; rejects when the master is about to stop. */
  held: PromiseWithResolvers<void>;
  why: Error;
  /** How many had got through when it began. */
  since: number;
  /** Rounds until it is tried; 0: it is tried in each. */
  rests: number;
}

/** A log that a worker still writes. */
export interface OpenLog {
  readonly build: Running;
  readonly step: number;
  readonly name: string;
  /** Its row; undefined until the row is committed. Bytes that come earlier wait in memory. */
  logid: number | undefined;
  /** Bytes that arrived. */
  received: number;
  /** A file of it was begun, or may have been by a former master, whatever became of its bytes. */
  hasFile: boolean;
  /** Bytes that are written to the file. */
  written: number;
  /** Bytes that survive a power failure, and are acknowledged. */
  stored: number;
  /** Flushes of it that have failed in a row. */
  losses: number;
  /** Pieces that are not written yet, oldest first. */
  readonly waiting: LogBytes[];
  waitingBytes: number;
  /** The write that is under way, or the last one. */
  writing: Promise<void> | undefined;
  /** Set while less waits than is worth a write. */
  gathering: NodeJS.Timeout | undefined;
  /** Set while the disk does not take it, or its row is late behind one that it does not take. */
  stall: Stall | undefined;
  /** Set while a session is held up until the row is there. */
  placing: PromiseWithResolvers<void> | undefined;
  /** Nothing more of it is taken. */
  complete: boolean;
  /** Its end as the files give it, from the moment on in which it is complete; the same for all who ask. */
  closing: Promise<LogEnd> | undefined;
  /** Its end where it is so small that it stands in its row: it has no file. */
  small: SmallEnd | undefined;
  /** Its row says that it is complete. */
  recorded: boolean;
  /** Wakes who waits for more bytes of it. */
  more: (() => void) | undefined;
}

/** A log of which nothing waits; `at`: its row, and the bytes that a former master has stored of it. */
export function newLog(
  build: Running,
  step: number,
  name: string,
  at: { logid: number; stored: number } | undefined,
): OpenLog {
  const { logid, stored = 0 } = at ?? {};
  return {
    ...{ build, step, name, logid, received: stored, written: stored, stored },
    hasFile: at !== undefined,
    waiting: [],
    waitingBytes: 0,
    losses: 0,
    writing: undefined,
    gathering: undefined,
    stall: undefined,
    placing: undefined,
    complete: false,
    closing: undefined,
    small: undefined,
    recorded: false,
    more: undefined,
  };
}

/** `builder/number`, as people name a build. */
export function nameOf(build: { builder: string; number: number }): string {
  return `${build.builder}/${build.number}`;
}

/** Names a log within its build. */
export function logKey(step: number, name: string): string {
  return `${step}/${name}`;
}

/** The unfinished builds by id. */
export interface RunningBuilds {
  get(buildid: number): Running | undefined;
  /** The build of a lease, when the token is the one at work and the build is not at its end. */
  held(lease: Lease): Running | undefined;
  add(build: Running): void;
  remove(build: Running): void;
  all(): Running[];
  of(worker: Worker): Running[];
  readonly size: number;
}

/** The builds that run now, by id and by worker. */
export function createRunningBuilds(): RunningBuilds {
  const byId = new Map<number, Running>();
  return {
    get: (buildid) => byId.get(buildid),
    held(lease) {
      const found = byId.get(lease.build);
      return found?.lease.token === lease.token && !found.ended && !found.givenUp ? found : undefined;
    },
    add(build) {
      byId.set(build.buildid, build);
      build.worker.builds.set(build.buildid, build.builder);
    },
    remove(build) {
      build.ended = true;
      clearTimeout(build.graceTimer);
      byId.delete(build.buildid);
      build.worker.builds.delete(build.buildid);
    },
    all: () => [...byId.values()],
    of: (worker) => [...worker.builds.keys()].flatMap((id) => byId.get(id) ?? []),
    get size() {
      return byId.size;
    },
  };
}
