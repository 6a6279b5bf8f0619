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
 * for the next command of the same user, and new ones are made before they run out.
 */
export function createPipeSource(atOnce: number): PipeSource {
  /** Reading ends of FIFOs without a name, by user. */
  const ready = new Map<number, number[]>();
  const making = new Map<number, Promise<void>>();
  const stockOf = (uid: number): number[] => {
    const stock = ready.get(uid) ?? [];
    ready.set(uid, stock);
    return stock;
  };
  const refill = (uid: number, dir: string, identity: Identity | null): Promise<void> => {
    const running = making.get(uid);
    if (running !== undefined) return running;
    const made = makeReaders(2 * atOnce, dir, identity)
      .then((readers) => void stockOf(uid).push(...readers))
      .finally(() => making.delete(uid));
    making.set(uid, made);
    return made;
  };
  return {
    async take(dir, identity) {
      if (process.platform !== 'linux') return undefined;
      const uid = identity?.uid ?? -1;
      const stock = stockOf(uid);
      while (stock.length < 2) {
        const before = stock.length;
        await refill(uid, dir, identity);
        if (stock.length === before) return undefined;
      }
      const [out, err] = stock.splice(0, 2);
      // Beside the command, which takes at least as long.
      if (stock.length < 2) refill(uid, dir, identity).catch(() => undefined);
      return out === undefined || err === undefined ? undefined : openPipes(out, err);
    },
    [Symbol.dispose]() {
      for (const stock of ready.values()) for (const fd of stock.splice(0)) closeSync(fd);
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
  return out === undefined || err === undefined ? undefined : openPipes(out, err);
}

function openPipes(out: number, err: number): OutputPipes {
  const opened = [out, err];
  try {
    // By descriptor, not by name: so it is the same FIFO, and has a reader, whatever happened to the name. Blocking, as the child expects.
    const outEnd = keep(openSync(`/proc/self/fd/${out}`, constants.O_WRONLY), opened);
    const errEnd = keep(openSync(`/proc/self/fd/${err}`, constants.O_WRONLY), opened);
    return {
      stdout: new Socket({ fd: out, readable: true, writable: false }),
      stderr: new Socket({ fd: err, readable: true, writable: false }),
      ends: [outEnd, errEnd],
      given() {
        for (const fd of [outEnd, errEnd]) closeSync(fd);
      },
    };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
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
    for (const fd of opened) closeSync(fd);
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
