import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { guard } from '../peer.ts';

/** A socket as a stream that remembers the first bytes of the peer: what TLS cannot read, it does not tell. */
export function tapped(socket: Socket, bytes: number): { stream: Duplex; firstBytes(): Buffer } {
  let first: Buffer = Buffer.alloc(0);
  const stream = guard(
    new Duplex({
      read() {
        socket.resume();
      },
      write(chunk: Buffer, _encoding, callback) {
        socket.write(chunk, (error) => callback(error ?? null));
      },
      final(callback) {
        socket.end(callback);
      },
      destroy(error, callback) {
        socket.destroy();
        callback(error);
      },
    }),
  );
  socket.on('data', (chunk: Buffer) => {
    if (first.length < bytes) first = Buffer.concat([first, chunk.subarray(0, bytes - first.length)]);
    if (!stream.push(chunk)) socket.pause();
  });
  socket.once('end', () => stream.push(null));
  socket.once('error', (error) => stream.destroy(error));
  socket.once('close', () => stream.destroy());
  return { stream, firstBytes: () => first };
}
