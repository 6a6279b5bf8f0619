import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Identity } from './identity.ts';

/**
 * Two pipes for a command's output. Node itself hands children sockets, and then `echo text > /dev/stderr`, which scripts do, fails with
 * ENXIO; a FIFO whose name is gone is a real pipe.
 */
export interface OutputPipes {
  stdout: Readable;
  stderr: Readable;
  /** Ends to be given to the child. */
  ends: readonly [number, number];
  /** Closes our copies of the child's ends, once it has its own. */
  given(): void;
  /** The command is over: closes both streams. */
  over(): void;
}

/** Where pipes come from. */
export interface PipeSource extends Disposable {
  /**
   * Undefined where FIFOs cannot be made. `dir` is where their names stand for a moment; the user that commands run as may write there.
   */
  take(dir: string, identity: Identity | null): Promise<OutputPipes | undefined>;
}

/** Making FIFOs takes milliseconds. */
const MKFIFO_LIMIT_MS = 10_000;

/**
 * Pipes, made `atOnce` pairs at a time: the program that makes them costs as much as a small command. Those that are left are kept open
 * for the next command of the same user, and so are those whose command left nobody who could write into them. (A process of that user could open the
 * pipes of any other of its processes, new ones or not.)
 */
export function createPipeSource(atOnce: number): PipeSource {
  /** FIFOs without a name, by user; each is held by a reading end that nobody reads. */
  const ready = new Map<number, number[]>();
  let over = false;
  const making = new Map<number, Promise<number>>();
  const stockOf = (uid: number): number[] => {
    const stock = ready.get(uid) ?? [];
    ready.set(uid, stock);
    return stock;
  };
  /** Gives how many there are more. */
  const refill = (uid: number, dir: string, identity: Identity | null): Promise<number> => {
    const running = making.get(uid);
    if (running !== undefined) return running;
    const made = makeReaders(2 * atOnce, dir, identity)
      .then((readers) => {
        stockOf(uid).push(...readers);
        return readers.length;
      })
      .finally(() => making.delete(uid));
    making.set(uid, made);
    return made;
  };
  return {
    async take(dir, identity) {
      if (process.platform !== 'linux') return undefined;
      const uid = identity?.uid ?? -1;
      const stock = stockOf(uid);
      // Who waited beside this one may have taken all of them.
      while (stock.length < 2) if ((await refill(uid, dir, identity)) === 0) return undefined;
      const [out, err] = stock.splice(0, 2);
      if (out === undefined || err === undefined) return undefined;
      return openPipes([out, err], (unused) => {
        if (over || stock.length >= 2 * atOnce) closeAll(unused);
        else stock.push(...unused);
      });
    },
    [Symbol.dispose]() {
      over = true;
      for (const stock of ready.values()) closeAll(stock.splice(0));
    },
  };
}

/** A pair for one command alone. */
export async function makeOutputPipes(
  dir: string,
  identity: Identity | null,
): Promise<OutputPipes | undefined> {
  if (process.platform !== 'linux') return undefined;
  const [out, err] = await makeReaders(2, dir, identity);
  return out === undefined || err === undefined ? undefined : openPipes([out, err], closeAll);
}

/** Opens a command's ends of two FIFOs that are held open, and ours. `onUnused` gets the FIFOs back when nobody can write into them any more. */
function openPipes(
  held: readonly [number, number],
  onUnused: (held: readonly number[]) => void,
): OutputPipes {
  const opened: number[] = [...held];
  const open = (fd: number, flags: number) => keep(openSync(`/proc/self/fd/${fd}`, flags), opened);
  const [out, err] = held;
  try {
    // By descriptor, not by name: so it is the same FIFO, and has a reader, whatever happened to the name. Blocking, as the child expects.
    const ends = [open(out, constants.O_WRONLY), open(err, constants.O_WRONLY)] as const;
    const ours = constants.O_RDONLY | constants.O_NONBLOCK;
    const stdout = new Socket({ fd: open(out, ours), readable: true, writable: false });
    const stderr = new Socket({ fd: open(err, ours), readable: true, writable: false });
    return {
      stdout,
      stderr,
      ends,
      given: () => closeAll(ends),
      over() {
        stdout.destroy();
        stderr.destroy();
        if (stdout.readableEnded && stderr.readableEnded) onUnused(held);
        else closeAll(held);
      },
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) closeSync(fd);
}

/** Reading ends of new FIFOs whose names are gone; none where they cannot be made. */
async function makeReaders(count: number, dir: string, identity: Identity | null): Promise<number[]> {
  const stem = join(dir, `pipe-${randomBytes(8).toString('hex')}`);
  const paths = Array.from({ length: count }, (_, index) => `${stem}-${index}`);
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths], {
      timeout: MKFIFO_LIMIT_MS,
      ...(identity === null ? {} : { uid: identity.uid, gid: identity.gid }),
    });
  } catch {
    return [];
  }
  const opened: number[] = [];
  try {
    for (const path of paths) openReader(path, opened);
    return opened;
  } catch (error) {
    closeAll(opened);
    throw error;
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

function openReader(path: string, opened: number[]): void {
  const fd = keep(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW), opened);
  if (!fstatSync(fd).isFIFO()) throw new Error(`"${path}" was exchanged while it was opened`);
}

function keep(fd: number, opened: number[]): number {
  opened.push(fd);
  return fd;
}
