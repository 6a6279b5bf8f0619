import type { Channel } from '../build/command-port.ts';

/** One piece of a log: at most 64 KiB of one channel. */
export interface LogPiece {
  /** Where its first byte stands in the log. */
  offset: number;
  channel: Channel;
  /** When it was written at the worker, epoch seconds; pieces of a finished log carry the time of the first byte of their run. */
  at: number;
  bytes: Uint8Array;
  /** Set when these bytes were lost by damage on the disk: they are zeros, only their number is true. */
  damaged?: true;
}

export interface LogIndex {
  bytes: number;
  /** Newlines in it. */
  lines: number;
  complete: boolean;
  /** Ascending; `lines` are the newlines before `offset`. At most a few thousand whatever the log's size. */
  points: { offset: number; lines: number; at: number }[];
  damaged: { from: number; to: number }[];
}

/** The farm's logs, a file each. */
export interface LogFiles {
  /**
   * Adds bytes at `offset`. What the log holds already is dropped; an offset above its size is BBX-STO-LOG-HOLE. Resolves with the
   * log's size when they are written (`sync` makes them durable). BBX-STO-FULL is retryable and leaves the log as it was.
   */
  append(
    logid: number,
    piece: { offset: number; channel: Channel; at: number; bytes: Uint8Array },
  ): Promise<number>;
  /** Makes what was appended so far durable; gives the sizes that now survive a power failure. */
  sync(logids: Iterable<number>): Promise<Map<number, number>>;
  /** Bytes that the log holds; 0 for one that was never begun. */
  size(logid: number): Promise<number>;
  /** Declares bytes up to `to` lost for good, so that the log can go on behind them. */
  skip(logid: number, to: number): Promise<void>;
  /** Verifies and compresses; the log is complete afterwards. Again: the same answer. Errors: BBX-STO-LOG-SIZE, -LOG-HASH. */
  finish(logid: number, expected?: { bytes?: number; sha256?: string }): Promise<FinishedLog>;
  /** Pieces from offset `from` up to `to` (default: its size now), only of `channels` when given. */
  read(
    logid: number,
    options?: { from?: number; to?: number; channels?: readonly Channel[]; signal?: AbortSignal },
  ): AsyncGenerator<LogPiece, void, undefined>;
  index(logid: number): Promise<LogIndex>;
  /** Frees the disk; nothing happens when there is no such log. Gives the bytes of disk that were freed. */
  remove(logid: number): Promise<number>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FinishedLog {
  bytes: number;
  /** In hex; of the bytes as they are stored, lost ones as zeros. */
  sha256: string;
  lines: number;
  damaged: { from: number; to: number }[];
}
