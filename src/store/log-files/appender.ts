import { constants } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Channel } from '../../build/command-port.ts';
import { codes } from '../codes.ts';
import { fileError } from './error.ts';
import type { Handles } from './handles.ts';
import { cutToSynced, writeAdditions } from './running.ts';
import type { Addition, Running } from './running.ts';
import type { Entry, Shelf, Waiting } from './shelf.ts';

/** Bytes written in one call: what gathers while the disk is slow goes out together. */
const BATCH_BYTES = 1024 * 1024;

/** Times are kept as microseconds in 53 bits; a sender's clock may be anything. */
const LATEST_S = 4_000_000_000;

/** Creates when missing, never cuts off what is there. */
const APPEND_FLAGS = constants.O_RDWR | constants.O_CREAT;

/** Adds to running logs, in order for each, side by side for different ones. */
export function createAppender(deps: { handles: Handles; shelf: Shelf; clock: Clock }) {
  const { handles, shelf, clock } = deps;

  const put = (entry: Entry, addition: Addition): Promise<number> =>
    new Promise((resolve, reject) => {
      entry.waiting.push({ addition, resolve, reject });
      if (entry.draining) return;
      entry.draining = true;
      void entry.line.run(() => drain(entry));
    });

  const drain = async (entry: Entry): Promise<void> => {
    while (entry.waiting.length > 0) {
      const batch = takeBatch(entry.waiting);
      try {
        await writeBatch(entry, batch);
      } catch (error) {
        const failure = fileError(entry.place.running, error);
        for (const waiting of batch) waiting.reject(failure);
      }
    }
    entry.draining = false;
  };

  const writeBatch = async (entry: Entry, batch: readonly Waiting[]): Promise<void> => {
    const { logid } = entry;
    const state = await shelf.stateOf(entry);
    if (state.kind === 'finished' || (state.kind === 'running' && state.running.sealed !== undefined)) {
      // What comes twice is dropped also here: its sender has only not heard the answer.
      const size = state.kind === 'finished' ? state.table.bytes : state.running.size;
      for (const { addition, resolve, reject } of batch) {
        if (addition.offset + addition.length <= size) resolve(size);
        else reject(codes['BBX-STO-LOG-COMPLETE']({ logid, size }));
      }
      return;
    }
    const running = state.kind === 'running' ? state.running : await shelf.begin(entry);
    const additions: Addition[] = [];
    const written: Waiting[] = [];
    let size = running.size;
    for (const waiting of batch) {
      const { addition } = waiting;
      const { offset, length } = addition;
      if (offset > size) {
        waiting.reject(codes['BBX-STO-LOG-HOLE']({ logid, offset, size }));
        continue;
      }
      const fresh = behind(addition, size);
      if (fresh !== undefined) additions.push(fresh);
      size = Math.max(size, offset + length);
      written.push(waiting);
    }
    try {
      if (additions.length > 0) {
        await handles.use(entry.place.running, APPEND_FLAGS, (handle) =>
          writeAdditions(handle, running, additions),
        );
        entry.state = { kind: 'running', running };
      }
    } catch (error) {
      const failure = fileError(entry.place.running, error);
      for (const waiting of written) waiting.reject(failure);
      return;
    }
    for (const waiting of written) waiting.resolve(running.size);
  };

  return {
    append(
      entry: Entry,
      piece: { offset: number; channel: Channel; at: number; bytes: Uint8Array },
    ): Promise<number> {
      const { offset, channel, bytes } = piece;
      const at = Number.isFinite(piece.at) ? Math.min(Math.max(piece.at, 0), LATEST_S) : clock.wall();
      return put(entry, { offset, channel, at, bytes, length: bytes.length });
    },

    /** Declares lost what is missing up to `to`. */
    async skip(entry: Entry, to: number): Promise<void> {
      const at = clock.wall();
      await put(entry, { offset: 0, channel: undefined, at, bytes: undefined, length: to });
    },

    /** After a failed sync: back to what is durable. */
    async giveUp(entry: Entry, running: Running): Promise<void> {
      if (entry.state?.kind !== 'running') return;
      if (running.synced.size === running.size) return void (running.unflushed = undefined);
      await handles.use(entry.place.running, 'r+', (handle) => cutToSynced(handle, running));
    },
  };
}

/** What of an addition lies behind `size`; undefined when nothing does. */
function behind(addition: Addition, size: number): Addition | undefined {
  const known = size - addition.offset;
  if (addition.length <= known || addition.length === 0) return undefined;
  if (known === 0) return addition;
  return {
    ...addition,
    offset: size,
    length: addition.length - known,
    bytes: addition.bytes?.subarray(known),
  };
}

/** Takes the first of what waits, up to a batch. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && (count === 0 || bytes < BATCH_BYTES)) {
    bytes += waiting[count]?.addition.bytes?.length ?? 0;
    count += 1;
  }
  return waiting.splice(0, count);
}
