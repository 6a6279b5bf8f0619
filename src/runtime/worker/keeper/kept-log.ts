import { recoverSpoolLog, type SpoolLog } from '../spool-log.ts';
import { findSegments, type LogPlace, type SpoolDeps } from '../spool-segment.ts';
import { createLogReader } from './log-reader.ts';
import { KeeperLost, type KeeperCalls, type LogEnd, type LogState } from './messages.ts';
import { writeBehind } from './write-behind.ts';

/** A log that the keeper writes, as the worker has it. */
export interface KeptLog extends SpoolLog {
  /** The keeper says how far it is. */
  told(state: LogState): void;
  /** The keeper has written its last words: so much it is. */
  ended(whole: LogEnd): void;
  /** Leaves what a former worker wrote as it is and goes on behind it; otherwise its writes are taken to be said again. */
  goOnBehind(): void;
}

/**
 * A log of a build that the keeper holds. Its bytes are read from the files. When the keeper is lost, the log is taken over: what is in
 * the files up to the last record that is whole.
 */
export function createKeptLog(
  key: string,
  place: LogPlace,
  deps: SpoolDeps,
  keeper: KeeperCalls & { readonly lost: boolean },
  state?: LogState,
): KeptLog {
  const { id, step, name } = place;
  const log = { id, name };
  let size = state?.size ?? 0;
  let base = state?.base ?? 0;
  let files: number[] = [...(state?.files ?? [])];
  let formerTurns = state?.turns ?? 0;
  let turn = 0;
  let own: Promise<SpoolLog> | undefined;
  let local: SpoolLog | undefined;
  let whole: LogEnd | undefined;
  const read = createLogReader(place.dir, log, {
    get size() {
      return size;
    },
    get files() {
      return files;
    },
  });

  /** The log as this process has it alone, after the keeper was lost. */
  const takeOver = (): Promise<SpoolLog> => {
    own ??= (async () => {
      const bases = await findSegments(place.dir);
      local = await recoverSpoolLog(place, bases.get(id) ?? [], deps);
      return local;
    })();
    return own;
  };
  /** Asks the keeper, or does it alone when there is none any more. */
  const either = async <Result>(
    ask: () => Promise<Result>,
    alone: (log: SpoolLog) => Promise<Result>,
  ): Promise<Result> => {
    if (!keeper.lost) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof KeeperLost)) throw error;
      }
    }
    return alone(await takeOver());
  };
  const put = (channel: 'stdout' | 'stderr' | 'header', bytes: Uint8Array, force: boolean) => {
    turn += 1;
    // More is said than the keeper knew of: the end is asked for anew.
    whole = undefined;
    const ask = { key, step, log, turn, channel, bytes, force };
    return either<unknown>(
      () => keeper.call('write', ask),
      (alone) => (force ? alone.say(Buffer.from(bytes).toString()) : alone.write(channel, bytes)),
    );
  };
  const finish = async () => {
    const [end] = await Promise.all([
      either(
        async () => whole ?? keeper.call('finish', { key, step, log }),
        (alone) => alone.finish(),
      ),
      // Of a build that was given up a line of ours may be missing: its log has an end all the same.
      behind.settle().catch((error: unknown) => {
        if (!place.gone.aborted) throw error;
      }),
    ]);
    return end;
  };
  // The keeper does things in the order in which it is told: a step's last line needs no answer before the log's end is asked for.
  const behind = writeBehind({
    write: async (channel, bytes) => void (await put(channel, bytes, false)),
    finish,
  });

  return {
    id,
    step,
    name,
    get base() {
      return local?.base ?? base;
    },
    get size() {
      return local?.size ?? size;
    },
    // What the keeper writes is counted by the keeper.
    get fileBytes() {
      return local?.fileBytes ?? 0;
    },
    get files() {
      return local?.files ?? files;
    },
    told(now) {
      size = Math.max(size, now.size);
      base = Math.max(base, now.base);
      formerTurns = Math.max(formerTurns, now.turns);
      files = [...new Set([...files, ...now.files])].filter((file) => file >= base);
      place.changed?.();
    },
    ended(end) {
      whole = end;
    },
    goOnBehind() {
      turn = Math.max(turn, formerTurns);
    },
    async write(channel, bytes) {
      await behind.write(channel, bytes);
    },
    async say(words) {
      await put('header', Buffer.from(words), true);
    },
    finish,
    async *read(offset) {
      yield* local === undefined ? read(offset) : local.read(offset);
    },
    async free(offset) {
      await either<unknown>(
        () => keeper.call('free', { key, log: id, offset }),
        (alone) => alone.free(offset),
      );
    },
    async close() {
      await local?.close();
    },
  };
}
