import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
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

/** Making two FIFOs takes milliseconds. */
const MKFIFO_LIMIT_MS = 10_000;

/** Undefined where FIFOs cannot be made. `dir` is where their names stand for a moment; the user that commands run as may write there. */
export async function makeOutputPipes(
  dir: string,
  identity: Identity | null,
): Promise<OutputPipes | undefined> {
  if (process.platform !== 'linux') return undefined;
  const stem = join(dir, `pipe-${randomBytes(8).toString('hex')}`);
  const paths = [`${stem}-out`, `${stem}-err`];
  const made = await execa('mkfifo', ['-m', '600', '--', ...paths], {
    reject: false,
    stdin: 'ignore',
    timeout: MKFIFO_LIMIT_MS,
    ...(identity === null ? {} : { uid: identity.uid, gid: identity.gid }),
  });
  if (made.failed) return undefined;
  const opened: number[] = [];
  try {
    const readers = paths.map((path) => openReader(path, opened));
    // By descriptor, not by name: so it is the same FIFO, and has a reader, whatever happened to the name. Blocking, as the child expects.
    const writers = readers.map((fd) => keep(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY), opened));
    const [out, err] = readers;
    const [outEnd, errEnd] = writers;
    if (out === undefined || err === undefined || outEnd === undefined || errEnd === undefined)
      return undefined;
    return {
      stdout: new Socket({ fd: out, readable: true, writable: false }),
      stderr: new Socket({ fd: err, readable: true, writable: false }),
      ends: [outEnd, errEnd],
      given() {
        for (const fd of writers) closeSync(fd);
      },
    };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

function openReader(path: string, opened: number[]): number {
  const fd = keep(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW), opened);
  if (!fstatSync(fd).isFIFO()) throw new Error(`"${path}" was exchanged while it was opened`);
  return fd;
}

function keep(fd: number, opened: number[]): number {
  opened.push(fd);
  return fd;
}
