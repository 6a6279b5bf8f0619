import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';

/** Longest path of a unix socket on Linux (`sun_path` less its final zero). */
const SOCKET_PATH_BYTES = 107;

/** Where a worker directory's keeper stands; all of it in `.bbx`, which only the worker's user may enter. */
export function keeperPlaces(dir: string) {
  const home = join(dir, '.bbx');
  return {
    home,
    socket: join(home, 'keeper.sock'),
    lock: join(home, 'keeper.lock'),
    /** What a keeper has to say before it dies of a fault. */
    log: join(home, 'keeper.log'),
  } as const;
}

/**
 * A name of the socket that is short enough to be used now; a long one leads over an open descriptor of its directory. Undefined where
 * there is no such way.
 */
export function openSocketPath(dir: string): ({ path: string } & Disposable) | undefined {
  const { home, socket } = keeperPlaces(dir);
  if (Buffer.byteLength(socket) <= SOCKET_PATH_BYTES) return { path: socket, [Symbol.dispose]() {} };
  if (process.platform !== 'linux') return undefined;
  const fd = openSync(home, 'r');
  return { path: `/proc/self/fd/${fd}/keeper.sock`, [Symbol.dispose]: () => closeSync(fd) };
}
