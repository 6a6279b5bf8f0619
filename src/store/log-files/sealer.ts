import { createHash } from 'node:crypto';
import { codes } from '../codes.ts';
import type { Handles } from './handles.ts';
import type { Range } from './recover.ts';
import { cutToSynced, readRunning, syncRunning, writeEnd, type Running } from './running.ts';
import { syncFolders, type Entry } from './shelf.ts';
import { createScratch } from './window.ts';

/** What is known of a complete log that is not compressed yet. */
export interface Sealed {
  bytes: number;
  sha256: string;
  lines: number;
  damaged: Range[];
}

/**
 * Ends running logs: compared and durable, in the file that they were written to. The SHA-256 was taken as the bytes were written; only of
 * a log that was found in its file, or of which something was lost, the file is read for it.
 */
export function createSealer(deps: {
  dir: string;
  handles: Handles;
  onDamage: (entry: Entry, range: Range) => void;
}) {
  const { dir, handles, onDamage } = deps;

  const hashOf = async (entry: Entry, running: Running): Promise<string> => {
    if (running.hash !== undefined) return running.hash.copy().digest('hex');
    const hash = createHash('sha256');
    const whole = { from: 0, to: running.size };
    await handles.use(entry.place.running, 'r+', async (handle) => {
      const pieces = readRunning(handle, running, whole, (range) => onDamage(entry, range), createScratch());
      for await (const { bytes } of pieces) hash.update(bytes);
    });
    return hash.digest('hex');
  };

  return {
    /** Call it in the log's line. `expected` is the SHA-256 in hex that the bytes must have. Errors: BBX-STO-LOG-HASH, and the system's. */
    async seal(entry: Entry, running: Running, expected: string | undefined): Promise<Sealed> {
      const sha256 = running.sealed?.sha256 ?? (await hashOf(entry, running));
      if (expected !== undefined && expected !== sha256 && running.damaged.length === 0) {
        throw codes['BBX-STO-LOG-HASH']({ logid: entry.logid, found: sha256, expected });
      }
      if (running.synced.size < running.size) {
        await handles.use(entry.place.running, 'r+', async (handle) => {
          try {
            await syncRunning(handle, running);
          } catch (error) {
            // Another flush may succeed without them.
            await cutToSynced(handle, running);
            throw error;
          }
        });
      }
      if (running.unnamed) await syncFolders(dir, entry.place);
      running.unnamed = false;
      if (running.sealed === undefined) {
        await handles.use(entry.place.running, 'r+', (handle) => writeEnd(handle, running));
      }
      running.sealed = { sha256 };
      // Some hundred bytes outside of V8's heap, for each log that waits to be compressed.
      running.hash = undefined;
      return { bytes: running.size, sha256, lines: running.lines, damaged: [...running.damaged] };
    },
  };
}
