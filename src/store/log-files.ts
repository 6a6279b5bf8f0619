import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock, type Clock } from '../base/clock.ts';
import { errnoOf } from '../base/error.ts';
import { silentLog, type Log } from '../base/log.ts';
import type { Channel } from '../build/command-port.ts';
import { codes } from './codes.ts';
import { createAppender } from './log-files/appender.ts';
import { fileError } from './log-files/error.ts';
import { createFinisher } from './log-files/finisher.ts';
import { createHandles } from './log-files/handles.ts';
import type { LogPiece } from './log-files/piece.ts';
import { logOfFile } from './log-files/place.ts';
import { createReader } from './log-files/reader.ts';
import type { Range } from './log-files/recover.ts';
import { createSealer } from './log-files/sealer.ts';
import type { Running } from './log-files/running.ts';
import { createShelf, type Entry, type State } from './log-files/shelf.ts';
import { createSyncer } from './log-files/syncer.ts';
import type { Table } from './log-files/table.ts';
import { syncFolder } from './sync-folder.ts';

export interface LogIndex {
  bytes: number;
  /** Newlines in it. */
  lines: number;
  complete: boolean;
  /** Ascending; `lines` are the newlines before `offset`. About one for each MiB of a long log, at most 512 while it runs. */
  points: { offset: number; lines: number; at: number }[];
  damaged: Range[];
}

export interface FinishedLog {
  bytes: number;
  /** In hex, of the bytes as they are stored (lost ones as zeros); null when damage made it unknown. */
  sha256: string | null;
  lines: number;
  damaged: Range[];
}

/** The farm's logs, a file each. One process at a time: the master's lock on its directory sees to that. */
export interface LogFiles {
  /**
   * Adds bytes at `offset`; they must not be changed until the promise settles. What the log holds already is dropped; an offset
   * above its size is BBX-STO-LOG-HOLE. Resolves with the log's size when they are written (`sync` makes them durable).
   * BBX-STO-FULL is retryable and leaves the log as it was.
   */
  append(
    logid: number,
    piece: { offset: number; channel: Channel; at: number; bytes: Uint8Array },
  ): Promise<number>;
  /**
   * Makes durable what was appended so far; gives the sizes that now survive a power failure. When it fails, what was not durable is
   * given up: the log's size is that of the last `sync`, and the sender goes on from there.
   */
  sync(logids: Iterable<number>): Promise<Map<number, number>>;
  /** Bytes that the log holds; 0 for one that was never begun. */
  size(logid: number): Promise<number>;
  /** Declares the bytes up to `to` lost for good (their sender has freed them), so that the log can go on behind them. */
  skip(logid: number, to: number): Promise<void>;
  /**
   * Verifies size and hash (SHA-256 in hex) and makes all of it durable; the log is complete afterwards, and only not compressed yet. Called
   * again it gives the same answer. A log with damaged parts is sealed without its hash being compared. Errors: BBX-STO-LOG-SIZE, -LOG-HASH;
   * after them the log is as it was. After a failed flush it has the size of the last `sync`, as after that.
   */
  seal(logid: number, expected?: { bytes?: number; sha256?: string }): Promise<FinishedLog>;
  /**
   * What `seal` does, and compresses; what is read for that is verified once more. `rest` is waited for after each MiB, and is told how many
   * milliseconds that took: whoever has time gives others the machine.
   */
  finish(
    logid: number,
    expected?: { bytes?: number; sha256?: string },
    rest?: (tookMs: number) => Promise<void> | undefined,
  ): Promise<FinishedLog>;
  /** The logs whose files are not compressed: those that run, and those that a former process sealed. Reads the folders. */
  uncompressed(): AsyncGenerator<number, void, undefined>;
  /**
   * Pieces from offset `from` up to `to` (default: its size now), only of `channels` when given; goes on reading when the log is
   * finished meanwhile. Damaged parts come as zeros, marked. Errors: BBX-STO-LOG-GONE.
   */
  read(
    logid: number,
    options?: { from?: number; to?: number; channels?: readonly Channel[]; signal?: AbortSignal },
  ): AsyncGenerator<LogPiece, void, undefined>;
  /** Where its lines stand. */
  index(logid: number): Promise<LogIndex>;
  /** Frees the disk; nothing happens when there is no such log. Gives the bytes of disk that were freed. */
  remove(logid: number): Promise<number>;
  /** Waits for what is under way; afterwards every call is BBX-STO-CLOSED. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens the folder of a farm's logs and makes it when it is new. Errors: BBX-STO-IO, BBX-STO-FULL. */
export async function openLogFiles(dir: string, deps: { clock?: Clock; log?: Log } = {}): Promise<LogFiles> {
  const { clock = systemClock, log = silentLog } = deps;
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    // Also when it was there: who made it may not have come so far.
    await syncFolder(dirname(dir));
  } catch (error) {
    throw fileError(dir, error);
  }
  const handles = createHandles();
  const shelf = createShelf({ dir, handles, log });
  const appender = createAppender({ handles, shelf, clock });
  const onDamage = ({ logid }: Entry, range: Range) => log.warn('log file is damaged', { logid, ...range });
  const syncer = createSyncer({ dir, handles, shelf, appender });
  const finisher = createFinisher({ dir, handles, onDamage });
  const sealer = createSealer({ dir, handles, onDamage });
  const reader = createReader({ handles, shelf, onDamage });
  let closed = false;

  const entryOf = (logid: number): Entry => {
    if (closed) throw codes['BBX-STO-CLOSED']({ what: `log ${logid}` });
    return shelf.entryOf(logid);
  };
  const stateOf = async (entry: Entry): Promise<State> => {
    try {
      return await shelf.stateOf(entry);
    } catch (error) {
      throw fileError(entry.place.folder, error);
    }
  };

  /** Ends a log in its line. What its size is not, and what is complete or empty, has its answer here. */
  const end = async (
    logid: number,
    expected: { bytes?: number; sha256?: string },
    act: (entry: Entry, running: Running) => Promise<FinishedLog>,
  ): Promise<FinishedLog> => {
    const entry = entryOf(logid);
    return entry.line.run(async () => {
      try {
        const state = await shelf.stateOf(entry);
        const size = sizeOf(state);
        if (expected.bytes !== undefined && expected.bytes !== size) {
          throw codes['BBX-STO-LOG-SIZE']({ logid, size, expected: expected.bytes });
        }
        if (state.kind === 'finished') return summaryOf(state.table, logid, expected.sha256);
        if (state.kind === 'absent') return EMPTY;
        return await act(entry, state.running);
      } catch (error) {
        throw fileError(entry.place.unfinished, error);
      }
    });
  };

  const files: LogFiles = {
    async append(logid, piece) {
      return appender.append(entryOf(logid), piece);
    },

    async sync(logids) {
      return syncer.sync([...new Set(logids)].map(entryOf));
    },

    async size(logid) {
      return sizeOf(await stateOf(entryOf(logid)));
    },

    async skip(logid, to) {
      await appender.skip(entryOf(logid), to);
    },

    async seal(logid, expected = {}) {
      return end(logid, expected, (entry, running) => sealer.seal(entry, running, expected.sha256));
    },

    async finish(logid, expected = {}, rest) {
      return end(logid, expected, async (entry, running) => {
        const sha256 = expected.sha256 ?? running.sealed?.sha256;
        return summaryOf(await finisher.finish(entry, running, sha256, rest), logid, undefined);
      });
    },

    async *uncompressed() {
      for (const folder of await readdir(dir)) {
        for (const name of await readdir(join(dir, folder)).catch(() => [])) {
          const log = logOfFile(name);
          if (log?.kind === 'running') yield log.logid;
        }
      }
    },

    async *read(logid, options = {}) {
      const { from = 0, channels, signal } = options;
      const entry = entryOf(logid);
      entry.readers += 1;
      try {
        const size = await files.size(logid);
        const range = { from, to: Math.min(options.to ?? size, size) };
        for await (const piece of reader.pieces(entry, range)) {
          signal?.throwIfAborted();
          if (channels === undefined || channels.includes(piece.channel)) yield piece;
        }
      } finally {
        entry.readers -= 1;
      }
    },

    async index(logid) {
      const state = await stateOf(entryOf(logid));
      if (state.kind === 'absent') return { bytes: 0, lines: 0, complete: false, points: [], damaged: [] };
      const { kind } = state;
      const source = kind === 'running' ? state.running.points.list() : state.table.blocks;
      const points = source.map(({ offset, lines, at }) => ({ offset, lines, at }));
      const { lines, damaged } = kind === 'running' ? state.running : state.table;
      const complete = kind === 'finished' || state.running.sealed !== undefined;
      return { bytes: sizeOf(state), lines, complete, points, damaged: [...damaged] };
    },

    async remove(logid) {
      const entry = entryOf(logid);
      return entry.line.run(async () => {
        const { running, finished, unfinished } = entry.place;
        let freed = 0;
        try {
          for (const path of [running, finished, unfinished]) {
            freed += await diskBytes(path);
            await handles.drop(path);
            await rm(path, { force: true });
          }
        } catch (error) {
          throw fileError(entry.place.folder, error);
        }
        entry.state = { kind: 'absent' };
        return freed;
      });
    },

    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(shelf.all().map((entry) => entry.line.run(() => Promise.resolve())));
      await handles.close();
    },

    [Symbol.asyncDispose]: () => files.close(),
  };
  return files;
}

/** SHA-256 of nothing. */
const EMPTY: FinishedLog = {
  bytes: 0,
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  lines: 0,
  damaged: [],
};

function sizeOf(state: State): number {
  if (state.kind === 'absent') return 0;
  return state.kind === 'running' ? state.running.size : state.table.bytes;
}

function summaryOf(table: Table, logid: number, expected: string | undefined): FinishedLog {
  const { bytes, sha256, lines, damaged } = table;
  if (expected !== undefined && sha256 !== null && sha256 !== expected && damaged.length === 0) {
    throw codes['BBX-STO-LOG-HASH']({ logid, found: sha256, expected });
  }
  return { bytes, sha256, lines, damaged: [...damaged] };
}

/** `blocks` of stat(2) are of this size, whatever the file system's own. */
const STAT_BLOCK_BYTES = 512;

/** Bytes that a file takes on the disk; 0 when there is none. */
async function diskBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * STAT_BLOCK_BYTES;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return 0;
    throw error;
  }
}
