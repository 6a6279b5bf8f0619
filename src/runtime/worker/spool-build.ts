import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { aborted } from '../../base/abort.ts';
import type { Journal } from '../../build/journal.ts';
import { buildPlan } from '../../build/plan.ts';
import { progressEvent } from '../../build/progress.ts';
import type { ProgressEvent } from '../../build/progress.ts';
import { logKey } from '../../protocol/bbx/lease.ts';
import { leaseToken } from '../../protocol/bbx/messages.ts';
import { openAppendFile, readRecords } from './spool-file.ts';
import type { AppendFile } from './spool-file.ts';
import { createSpoolLog, recoverSpoolLog } from './spool-log.ts';
import { parseSegmentName } from './spool-piece.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import type { LastEnd } from './keeper/last-end.ts';
import { readLastEnd } from './spool-last-end.ts';
import type { SpoolLog } from './spool-log.ts';
import type { LogPlace, SpoolDeps } from './spool-segment.ts';
import { LEASE, makeDirectory, removeDirectory } from './spool-directory.ts';
import { RECORD_MAX_BYTES, encodeRecord } from './spool-record.ts';

/** What a build attempt is, as it was assigned; `lease.json` of its directory. No secret's value is in it. */
export const spoolLease = z.object({
  build: z.number().int().positive(),
  token: leaseToken,
  epoch: z.string(),
  orphanAfter: z.number().positive().nullable(),
  plan: buildPlan,
});
export type SpoolLease = z.infer<typeof spoolLease>;

/** A line of the journal: an event, or a log's name and number before its first byte. */
const entry = z.union([
  z.object({ event: progressEvent }),
  z.object({ log: z.object({ id: z.number().int(), step: z.number().int(), name: z.string() }) }),
]);

const JOURNAL = 'journal';

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
 * Makes the directory of an attempt; it is on the disk when this resolves, so that an answered assignment is never forgotten. Rejects on a
 * full disk: who waited here would hold up the very acknowledgements that give room.
 */
export async function createSpoolBuild(
  spool: string,
  lease: SpoolLease,
  deps: SpoolDeps,
): Promise<SpoolBuild> {
  const dir = join(spool, spoolDirectoryName(lease));
  const text = JSON.stringify(lease);
  await makeDirectory(dir, text);
  deps.budget.force(Buffer.byteLength(text));
  const gone = new AbortController();
  const own = leavable(deps, gone.signal);
  const journal = await openAppendFile(join(dir, JOURNAL), 0, own.disk);
  return makeBuild(dir, lease, own, journal, [], [], Buffer.byteLength(text), gone);
}

/** An attempt of a former process; undefined when its assignment was never complete, so that nothing of it ran. */
export async function recoverSpoolBuild(
  dir: string,
  deps: SpoolDeps,
  kept?: KeptBuild,
): Promise<SpoolBuild | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, LEASE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const lease = parseLease(text);
  if (lease === undefined) return undefined;
  const events: ProgressEvent[] = [];
  const places: { id: number; step: number; name: string }[] = [];
  const path = join(dir, JOURNAL);
  const file = await open(path, 'a+', 0o600);
  let size = 0;
  try {
    for await (const record of readRecords(file, 0)) {
      const line = entry.safeParse(JSON.parse(record.content.toString('utf8')));
      if (!line.success) break;
      if ('event' in line.data) events.push(line.data.event);
      else places.push(line.data.log);
      size = record.next;
    }
    await file.truncate(size);
  } finally {
    await file.close();
  }
  const bases = new Map<number, number[]>();
  for (const name of await readdir(dir)) {
    const segment = parseSegmentName(name);
    if (segment !== undefined) bases.set(segment.id, [...(bases.get(segment.id) ?? []), segment.base]);
  }
  const gone = new AbortController();
  const own = leavable(deps, gone.signal);
  const logs: SpoolLog[] = [];
  const told: Told = { changed: undefined };
  for (const place of places) {
    const whole = { dir, gone: gone.signal, changed: () => told.changed?.(), ...place };
    logs.push(kept?.openLog(whole, own) ?? (await recoverSpoolLog(whole, bases.get(place.id) ?? [], own)));
  }
  deps.budget.force(size + Buffer.byteLength(text));
  const journal = await openAppendFile(path, size, own.disk);
  const lastEnd = kept === undefined ? await readLastEnd(dir, events) : undefined;
  return makeBuild(
    dir,
    lease,
    own,
    journal,
    events,
    logs,
    Buffer.byteLength(text),
    gone,
    told,
    kept,
    lastEnd,
  );
}

/** Whom a build tells that it has grown. */
interface Told {
  changed: (() => void) | undefined;
}

/** A full disk is waited for only until nobody wants the build any more: its end is what gives room. */
function leavable(deps: SpoolDeps, gone: AbortSignal): SpoolDeps {
  const { disk } = deps;
  return {
    ...deps,
    disk: { wait: (error) => Promise.race([disk.wait(error), aborted(gone)]), over: () => disk.over() },
  };
}

function makeBuild(
  dir: string,
  lease: SpoolLease,
  deps: SpoolDeps,
  file: AppendFile,
  events: ProgressEvent[],
  logs: SpoolLog[],
  leaseBytes: number,
  gone: AbortController,
  told: Told = { changed: undefined },
  keptBefore?: KeptBuild,
  lastEnd?: LastEnd,
): SpoolBuild {
  let kept = keptBefore;
  let last: Promise<unknown> = Promise.resolve();
  let removed = false;
  const changed = () => told.changed?.();
  const append = (line: z.infer<typeof entry>): Promise<void> => {
    const next = last.then(async () => {
      const record = encodeRecord(Buffer.from(JSON.stringify(line)));
      if (record.length > RECORD_MAX_BYTES) throw new Error(`an event of ${record.length} bytes`);
      deps.budget.force(record.length);
      // Not synced: a killed process loses nothing that is written, and after a power cut `lost` says what is missing.
      await file.append(record);
    });
    last = next.catch(() => undefined);
    return next;
  };

  const journal: Journal = {
    async event(event) {
      await append({ event });
      events.push(event);
      changed();
    },
    log(step, name) {
      const known = logs.find((one) => one.step === step && one.name === name);
      const place: LogPlace = { dir, gone: gone.signal, id: logs.length, step, name, changed };
      const log = known ?? kept?.openLog(place, deps) ?? createSpoolLog(place, deps);
      if (known === undefined) logs.push(log);
      const named = known === undefined ? append({ log: { id: log.id, step, name } }) : Promise.resolve();
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
    await last;
    for (const log of logs) await log.close();
    await file.close();
  };
  /** Closes for good and gives its room back; what was being freed just now is freed before it is counted. */
  const release = async () => {
    removed = true;
    await kept?.release();
    await close();
    deps.budget.give(logs.reduce((sum, log) => sum + log.fileBytes, leaseBytes + file.size));
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
      const bytes = logs.reduce((sum, log) => sum + log.size - log.base, leaseBytes + file.size);
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

function parseLease(text: string): SpoolLease | undefined {
  try {
    return spoolLease.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
