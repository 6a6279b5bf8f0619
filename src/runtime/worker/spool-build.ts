import { join } from 'node:path';
import type { Journal } from '../../build/journal.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { logKey } from '../../protocol/bbx/lease.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import type { LastEnd } from './keeper/last-end.ts';
import { makeDirectory, removeDirectory } from './spool-directory.ts';
import { createSpoolJournal, recoverSpoolJournal, type SpoolJournal } from './spool-journal.ts';
import { readLastEnd } from './spool-last-end.ts';
import { readLease, type SpoolLease } from './spool-lease.ts';
import { createSpoolLog, recoverSpoolLog } from './spool-log.ts';
import type { SpoolLog } from './spool-log.ts';
import { findSegments, leavable, type LogPlace, type SpoolDeps } from './spool-segment.ts';

/** One build attempt on the worker's disk: its plan, its events, its logs. Goes when the master has stored its end, or drops it. */
export interface SpoolBuild {
  readonly lease: SpoolLease;
  readonly dir: string;
  /** Number of the last event; events count from 1. */
  readonly sequence: number;
  readonly finished: boolean;
  /** For `runPlan`: everything is in a file before the promise resolves. */
  readonly journal: Journal;
  readonly logs: readonly SpoolLog[];
  /** All events so far. */
  readonly events: readonly ProgressEvent[];
  /** What a power cut has taken of it, in words; undefined when all that its events promise is here. */
  readonly lost: string | undefined;
  /** The keeper that writes its logs, if one does. */
  readonly kept: KeptBuild | undefined;
  /** How its open step ended under a keeper that is gone; undefined: nobody knows. */
  readonly lastEnd: LastEnd | undefined;
  /** From now on the keeper writes its logs; said before the first of them. */
  keepBy(kept: KeptBuild): void;
  /** The event of a number up to `sequence`. */
  event(sequence: number): ProgressEvent;
  /** The master has stored so much. */
  acknowledge(stored: { sequence?: number; logs?: readonly { id: number; bytes: number }[] }): Promise<void>;
  /** Frees what can be freed now that somebody waits for room. */
  squeeze(): void;
  /** Called after every write; one listener at a time. */
  watch(listener: (() => void) | undefined): void;
  /** Nobody wants it any more: output that waits for room fails, now and later, so that the build can end. */
  giveUp(reason: Error): void;
  close(): Promise<void>;
  /** Closes and counts no more as a part of the spool; its files stay. */
  release(): Promise<void>;
  /** Closes and deletes. */
  remove(): Promise<void>;
}

/** Name of the directory that holds the spool of a lease. */
export function spoolDirectoryName(lease: { build: number; token: string }): string {
  return `${lease.build}-${lease.token}`;
}

/**
 * Makes the directory of an attempt; it is in files when this resolves, so that a killed process does not forget an answered assignment. Rejects on a
 * full disk: who waited here would hold up the very acknowledgements that give room.
 */
export async function createSpoolBuild(
  spool: string,
  lease: SpoolLease,
  deps: SpoolDeps,
): Promise<SpoolBuild> {
  const dir = join(spool, spoolDirectoryName(lease));
  const text = JSON.stringify(lease);
  makeDirectory(dir, text);
  const leaseBytes = Buffer.byteLength(text);
  deps.budget.force(leaseBytes);
  const gone = new AbortController();
  const own = leavable(deps, gone.signal);
  const journal = await createSpoolJournal(dir, own);
  return makeBuild({ dir, lease, leaseBytes, journal, logs: [], gone, told: { changed: undefined } }, own);
}

/** An attempt of a former process; undefined when its assignment was never complete, so that nothing of it ran. */
export async function recoverSpoolBuild(
  dir: string,
  deps: SpoolDeps,
  kept?: KeptBuild,
): Promise<SpoolBuild | undefined> {
  const read = await readLease(dir);
  if (read === undefined) return undefined;
  const { lease, bytes: leaseBytes } = read;
  const gone = new AbortController();
  const own = leavable(deps, gone.signal);
  const journal = await recoverSpoolJournal(dir, own);
  const bases = await findSegments(dir);
  const logs: SpoolLog[] = [];
  const told: Told = { changed: undefined };
  for (const place of journal.formerLogs) {
    const whole = { dir, gone: gone.signal, changed: () => told.changed?.(), ...place };
    logs.push(kept?.openLog(whole, own) ?? (await recoverSpoolLog(whole, bases.get(place.id) ?? [], own)));
  }
  deps.budget.force(leaseBytes);
  const lastEnd = kept === undefined ? await readLastEnd(dir, journal.events) : undefined;
  return makeBuild({ dir, lease, leaseBytes, journal, logs, gone, told, kept, lastEnd }, own);
}

/** Whom a build tells that it has grown. */
interface Told {
  changed: (() => void) | undefined;
}

/** What a build is made of. */
interface Parts {
  dir: string;
  lease: SpoolLease;
  leaseBytes: number;
  journal: SpoolJournal;
  logs: SpoolLog[];
  /** Aborted when nobody wants it any more. */
  gone: AbortController;
  told: Told;
  kept?: KeptBuild | undefined;
  lastEnd?: LastEnd | undefined;
}

function makeBuild(parts: Parts, deps: SpoolDeps): SpoolBuild {
  const { dir, lease, leaseBytes, journal: book, logs, gone, told, lastEnd } = parts;
  const { events } = book;
  let { kept } = parts;
  let removed = false;
  const changed = () => told.changed?.();

  const journal: Journal = {
    async event(event) {
      await book.event(event);
      changed();
    },
    log(step, name) {
      const known = logs.find((one) => one.step === step && one.name === name);
      const place: LogPlace = { dir, gone: gone.signal, id: logs.length, step, name, changed };
      const log = known ?? kept?.openLog(place, deps) ?? createSpoolLog(place, deps);
      if (known === undefined) logs.push(log);
      const named = known === undefined ? book.log({ id: log.id, step, name }) : Promise.resolve();
      named.catch(() => undefined);
      // What the former worker wrote is said again by the walk, and is there already.
      let there = known !== undefined && lastEnd?.step === step ? lastEnd.turns : 0;
      return {
        place: { step, log: { id: log.id, name } },
        async write(channel, bytes) {
          await named;
          there -= 1;
          if (there >= 0) return;
          await log.write(channel, bytes);
        },
        async finish() {
          await named;
          return log.finish();
        },
      };
    },
  };

  const close = async () => {
    await book.settle();
    for (const log of logs) await log.close();
    await book.close();
  };
  /** Closes for good and gives its room back; what was being freed just now is freed before it is counted. */
  const release = async () => {
    removed = true;
    await kept?.release();
    await close();
    deps.budget.give(logs.reduce((sum, log) => sum + log.fileBytes, leaseBytes + book.bytes));
  };
  return {
    lease,
    dir,
    get sequence() {
      return events.length;
    },
    get finished() {
      return events.at(-1)?.type === 'buildFinished';
    },
    journal,
    logs,
    events,
    lost: lostOf(events, logs),
    get kept() {
      return kept;
    },
    lastEnd,
    keepBy: (keeper) => void (kept = keeper),
    event(sequence) {
      const event = events[sequence - 1];
      if (event === undefined)
        throw new Error(`event ${sequence} of build ${lease.build} is not in the spool`);
      return event;
    },
    async acknowledge({ sequence, logs: stored }) {
      if (removed) return;
      for (const { id, bytes } of stored ?? []) if (!removed) await logs[id]?.free(bytes);
      if (sequence === undefined) return;
      // A stored end of a step says that its logs are stored.
      const sizes = new Map<string, number>();
      for (const event of events.slice(0, sequence)) {
        if (event.type !== 'stepFinished') continue;
        for (const { name, bytes } of event.logs) sizes.set(logKey(event.step, name), bytes);
      }
      for (const log of logs) {
        const bytes = sizes.get(logKey(log.step, log.name));
        if (!removed && bytes !== undefined && log.base < bytes) await log.free(bytes);
      }
    },
    squeeze() {
      if (removed) return;
      for (const log of logs) log.free(0).catch(() => undefined);
    },
    watch: (given) => void (told.changed = given),
    giveUp(reason) {
      gone.abort(reason);
      kept?.giveUp(reason.message);
    },
    close,
    release,
    async remove() {
      if (removed) return;
      await release();
      const bytes = logs.reduce((sum, log) => sum + log.size - log.base, leaseBytes + book.bytes);
      await removeDirectory(dir, bytes);
    },
  };
}

/** The end of a step promises bytes; nothing was synced, so after a power cut they may be missing. */
function lostOf(events: readonly ProgressEvent[], logs: readonly SpoolLog[]): string | undefined {
  for (const event of events) {
    if (event.type !== 'stepFinished') continue;
    for (const { name, bytes } of event.logs) {
      const size = logs.find((log) => log.step === event.step && log.name === name)?.size ?? 0;
      if (size < bytes)
        return `this machine has lost a part of log "${name}" of step ${event.step}: ${size} of ${bytes} bytes are here`;
    }
  }
  return undefined;
}
