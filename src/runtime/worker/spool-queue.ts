import type { Channel } from '../../build/command-port.ts';
import { takeBatch, type WaitingPiece } from './spool-batch.ts';
import { isDiskFull } from './spool-file.ts';
import { OVERHEAD_BYTES, type SpoolDeps } from './spool-segment.ts';

/** Runs acts one at a time, in order; one that fails does not stop the next. */
export type Turns = <Result>(act: () => Promise<Result>) => Promise<Result>;

/** What is put into a log waits here for its turn to be written, with all that has gathered meanwhile. */
export interface WriteQueue {
  /** Resolves when the bytes are in the file, behind all that were put before; where they cannot be written, their room is given back. */
  put(channel: Channel, bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was put is written, or cannot be. */
  settled(): Promise<void>;
}

/** `append` writes pieces behind all that is in the file. One that finds the disk full is called again with them when there may be room. */
export function createWriteQueue(
  { budget, clock, disk }: Pick<SpoolDeps, 'budget' | 'clock' | 'disk'>,
  inTurn: Turns,
  append: (pieces: readonly WaitingPiece[]) => Promise<void>,
): WriteQueue {
  const waiting: WaitingPiece[] = [];
  /** Of the newest piece: when it is written, all are. */
  let newest: Promise<unknown> = Promise.resolve();
  /** The disk is full: the next try has its time. */
  let rests = false;
  let wasFull = false;

  const refuse = (pieces: readonly WaitingPiece[], error: unknown) => {
    for (const { bytes, reject } of pieces) {
      budget.give(bytes.length + OVERHEAD_BYTES);
      reject(error);
    }
  };
  /** Writes the first of what waits; the rest has its next turn, so that files can be freed in between. */
  const writeBatch = async () => {
    if (rests) return;
    const batch = takeBatch(waiting);
    // Written already in an earlier turn.
    if (batch.length === 0) return;
    try {
      await append(batch);
      if (wasFull) disk.over();
      wasFull = false;
    } catch (error) {
      if (isDiskFull(error)) {
        waiting.unshift(...batch);
        return void rest(error);
      }
      refuse(batch, error);
    }
    for (const { resolve } of batch) resolve();
    if (waiting.length > 0) void inTurn(writeBatch);
  };
  /** Waits for room on the disk outside of the turns: what is acknowledged meanwhile is freed, and may be the room. */
  const rest = async (error: Error) => {
    rests = true;
    wasFull = true;
    try {
      await disk.wait(error);
    } catch (reason) {
      refuse(waiting.splice(0), reason);
    }
    rests = false;
    if (waiting.length > 0) void inTurn(writeBatch);
  };

  return {
    put(channel, bytes) {
      const done = new Promise<void>((resolve, reject) => {
        waiting.push({ channel, bytes, at: clock.wall(), resolve, reject });
        if (waiting.length === 1) void inTurn(writeBatch);
      });
      // A writer that fails while it waits for room does not come to wait for this.
      done.catch(() => undefined);
      newest = done;
      return done;
    },
    settled: async () => {
      await newest.catch(() => undefined);
    },
  };
}
