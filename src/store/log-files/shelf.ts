import { statSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import type { Log } from '../../base/log.ts';
import { codes } from '../codes.ts';
import { syncFolder } from '../sync-folder.ts';
import { createLine } from './slots.ts';
import type { Line } from './slots.ts';
import { placeOf } from './place.ts';
import type { Place } from './place.ts';
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from './record.ts';
import { recover } from './recover.ts';
import { newRunning, runningFrom, writeAdditions } from './running.ts';
import type { Addition, Running } from './running.ts';
import type { Handles } from './handles.ts';
import { readTable, rebuildTable } from './table.ts';
import type { Table } from './table.ts';

/** What is known of a log. `absent`: it has no file (yet, or any more). */
export type State =
  { kind: 'absent' } | { kind: 'running'; running: Running } | { kind: 'finished'; table: Table };

export interface Waiting {
  addition: Addition;
  resolve: (size: number) => void;
  reject: (error: unknown) => void;
}

/** A log in memory. */
export interface Entry {
  logid: number;
  place: Place;
  state: State | undefined;
  /** Everything that changes the file goes through here. */
  line: Line;
  loading: Promise<State> | undefined;
  /** Appends that wait for the write before them. */
  waiting: Waiting[];
  draining: boolean;
  /** Readers under way; they hold this entry. */
  readers: number;
}

/** Logs known in memory at once; one that is not in use and goes out of it is read from its file when it is wanted again. */
const ENTRIES = 4_096;

/** The logs in memory, loaded from their files when they are first wanted. */
export function createShelf(deps: { dir: string; handles: Handles; log: Log }) {
  const { dir, handles, log } = deps;
  const entries = new Map<number, Entry>();

  const shrink = () => {
    for (const [logid, entry] of entries) {
      if (entries.size <= ENTRIES) return;
      const { state } = entry;
      const busy =
        entry.readers > 0 || !entry.line.idle || entry.waiting.length > 0 || entry.loading !== undefined;
      const { running } = state?.kind === 'running' ? state : {};
      const unsynced = running !== undefined && running.synced.size < running.size;
      // Its file does not say that it is complete.
      const sealed = running?.sealed !== undefined;
      if (!busy && !unsynced && !sealed) entries.delete(logid);
    }
  };

  const load = async (entry: Entry): Promise<State> => {
    const { place } = entry;
    if (exists(place.unfinished)) await rm(place.unfinished, { force: true });
    if (exists(place.finished)) {
      // Renamed into place, so it is whole; a crash may have left what it was made of.
      await rm(place.running, { force: true });
      return { kind: 'finished', table: await loadTable(entry) };
    }
    if (!exists(place.running)) return { kind: 'absent' };
    return loadRunning(entry);
  };

  const loadTable = async ({ place }: Entry): Promise<Table> =>
    handles.use(place.finished, 'r', async (handle) => {
      const table = await readTable(handle);
      if (table !== undefined) return table;
      const rebuilt = await rebuildTable(handle);
      if (rebuilt === undefined) {
        throw codes['BBX-STO-LOG-DAMAGED']({ file: place.finished, problem: 'no block of it can be read' });
      }
      log.warn('table of a log file is damaged, its blocks are read instead', { file: place.finished });
      return rebuilt;
    });

  const loadRunning = async ({ logid, place }: Entry): Promise<State> => {
    const found = await handles.use(place.running, 'r+', recover);
    if (found === undefined || found === 'nothing') {
      if (found === undefined) await setAside(place, log);
      else await rm(place.running, { force: true });
      await handles.drop(place.running);
      return { kind: 'absent' };
    }
    const running = runningFrom(found);
    await handles.use(place.running, 'r+', async (handle) => {
      if (found.torn > 0) await handle.truncate(found.position);
      const { lostTo, size } = found;
      if (lostTo !== undefined) {
        const addition = { offset: size, length: lostTo - size, channel: undefined, at: 0, bytes: undefined };
        await writeAdditions(handle, running, [addition]);
      }
      await handle.datasync();
      running.synced = { size: running.size, position: running.position, lines: running.lines };
    });
    await syncFolders(dir, place);
    for (const range of running.damaged) log.warn('log file is damaged', { logid, ...range });
    return { kind: 'running', running };
  };

  const entryOf = (logid: number): Entry => {
    let entry = entries.get(logid);
    if (entry === undefined) {
      entry = {
        logid,
        place: placeOf(dir, logid),
        state: undefined,
        line: createLine(),
        loading: undefined,
        waiting: [],
        draining: false,
        readers: 0,
      };
      entries.set(logid, entry);
      if (entries.size > ENTRIES) shrink();
    } else if (entries.size > ENTRIES / 2) {
      // Used last stands last.
      entries.delete(logid);
      entries.set(logid, entry);
    }
    return entry;
  };

  return {
    entryOf,
    /** The log's state, read from its files at the first call. */
    async stateOf(entry: Entry): Promise<State> {
      if (entry.state !== undefined) return entry.state;
      entry.loading ??= load(entry)
        .then((state) => (entry.state ??= state))
        .finally(() => {
          entry.loading = undefined;
        });
      return entry.loading;
    },
    /** Makes the folder for a new log's file. */
    async begin(entry: Entry): Promise<Running> {
      const { folder } = entry.place;
      if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) lasting.delete(folder);
      return newRunning();
    },
    all: () => [...entries.values()],
  };
}

export type Shelf = ReturnType<typeof createShelf>;

/** Folders whose own names are durable: a thousand logs need that once. */
const lasting = new Set<string>();

/** Makes the names of a log's files durable. */
export async function syncFolders(dir: string, { folder }: Place): Promise<void> {
  await syncFolder(folder);
  if (lasting.has(folder)) return;
  await syncFolder(dir);
  lasting.add(folder);
}

/** A file in which nothing can be read is kept for people to look at, unless it is too short for even one record. */
async function setAside(place: Place, log: Log): Promise<void> {
  const { size } = await stat(place.running);
  if (size <= FILE_HEADER_BYTES + RECORD_HEADER_BYTES) return rm(place.running, { force: true });
  const aside = `${place.running}.damaged`;
  await rename(place.running, aside);
  log.error('log file cannot be read and was set aside', { file: aside, bytes: size });
}

/** Asked at once: for a log that begins, three such questions took 0.18 ms of a processor through other threads, and take 0.01 ms so. */
function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
