import { connect, type Socket } from 'node:net';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';
import { guard } from '../peer.ts';

/**
 * Connects to a socket in the file system.
 * @throws BbxError BBX-NET-UNIX
 */
export function connectUnix(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = guard(connect({ path }));
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(socket);
    });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(codes['BBX-NET-UNIX']({ path, errno: errnoOf(error) ?? error.message }, { cause: error }));
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
