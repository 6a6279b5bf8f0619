import { open, rename, rm } from 'node:fs/promises';
import { codes } from '../codes.ts';
import { writeFinished } from './finished.ts';
import type { Handles } from './handles.ts';
import type { Range } from './recover.ts';
import { readRunning, type Running } from './running.ts';
import { syncFolders, type Entry } from './shelf.ts';
import { createSlots } from './slots.ts';
import type { Table } from './table.ts';
import { createScratch } from './window.ts';

/** Logs compressed at once: what is not compressed yet is in nobody's way. They use the same memory, one after the other. */
const FINISHING = 1;

/** Turns running logs into finished ones: whole beside the old file first, then renamed, so that a crash leaves one of the two. */
export function createFinisher(deps: {
  dir: string;
  handles: Handles;
  onDamage: (entry: Entry, range: Range) => void;
}) {
  const { dir, handles, onDamage } = deps;
  const slots = createSlots(FINISHING);
  const [window, block] = [createScratch(), createScratch()];

  const write = async (
    entry: Entry,
    running: Running,
    sha256: string | undefined,
    rest: (tookMs: number) => Promise<void> | undefined,
  ): Promise<Table> => {
    const { logid, place } = entry;
    const whole = { from: 0, to: running.size };
    let handle;
    try {
      handle = await open(place.unfinished, 'w', 0o600);
      const output = handle;
      const table = await handles.use(place.running, 'r+', (source) =>
        writeFinished(
          output,
          running.size,
          readRunning(source, running, whole, (range) => onDamage(entry, range), window),
          () => running.damaged,
          rest,
          block,
        ),
      );
      if (sha256 !== undefined && sha256 !== table.sha256 && table.damaged.length === 0) {
        throw codes['BBX-STO-LOG-HASH']({ logid, found: table.sha256, expected: sha256 });
      }
      await handle.close();
      await rename(place.unfinished, place.finished);
      await syncFolders(dir, place);
      entry.state = { kind: 'finished', table };
      await handles.drop(place.running);
      await rm(place.running, { force: true });
      return table;
    } catch (error) {
      // The first failure is the one to tell; what is left of the file goes when the log is next loaded.
      await handle?.close().catch(() => undefined);
      await rm(place.unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
  };

  return {
    /** Call it in the log's line. `sha256` (hex) is what the bytes must have. Errors: BBX-STO-LOG-HASH, and the system's. */
    finish(
      entry: Entry,
      running: Running,
      sha256: string | undefined,
      rest: (tookMs: number) => Promise<void> | undefined = () => undefined,
    ): Promise<Table> {
      return slots.run(() => write(entry, running, sha256, rest));
    },
  };
}
