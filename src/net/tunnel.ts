import { Duplex } from 'node:stream';
import type { MessageSocket } from './message-socket.ts';

/** Subprotocol of a byte stream in binary messages. */
export const TUNNEL_PROTOCOL = 'bbx.tunnel.v1';
/** One message: large enough that its frame costs nothing, small enough that a ping is not held up. */
const CHUNK_BYTES = 64 * 1024;
/** What may wait in the WebSocket before the writer is held up. */
const UNSENT_BYTES = 256 * 1024;
/** Closing codes of RFC 6455 section 7.4.1. */
const NORMAL = 1000;
const WRONG_KIND = 1003;

/**
 * A byte stream inside a WebSocket: what is written travels in binary messages, whose borders mean nothing. Back-pressure is real in
 * both directions: a full WebSocket holds the writer up, an unread stream stops the reading of the WebSocket. An empty message says
 * that the sender has written all (half-close), the WebSocket's closing that it is gone.
 */
export function createTunnel(socket: MessageSocket): Duplex {
  let waiting: (() => void) | undefined;
  let gone = false;
  let peerEnded = false;

  const proceed = () => {
    if (waiting === undefined || (!gone && socket.unsent > UNSENT_BYTES)) return;
    const callback = waiting;
    waiting = undefined;
    callback();
  };

  const stream = new Duplex({
    read() {
      socket.resume();
    },
    write(chunk: Buffer, _encoding, callback) {
      for (let start = 0; start < chunk.length; start += CHUNK_BYTES) {
        // A copy: the bytes belong to the WebSocket from now on, and the writer's buffer does not.
        socket.sendBinary(Buffer.from(chunk.subarray(start, start + CHUNK_BYTES)));
      }
      waiting = callback;
      proceed();
    },
    final(callback) {
      socket.sendBinary(new Uint8Array(0));
      if (peerEnded) socket.close(NORMAL, '');
      callback();
    },
    destroy(error, callback) {
      if (!gone) {
        if (error === null) socket.close(NORMAL, '');
        else socket.destroy();
      }
      proceed();
      callback(error);
    },
  });
  stream.on('error', () => undefined);

  socket.limit(CHUNK_BYTES);
  socket.on({
    text() {
      socket.close(WRONG_KIND, 'only bytes travel here');
    },
    binary(bytes) {
      if (bytes.byteLength === 0) {
        peerEnded = true;
        stream.push(null);
        return;
      }
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (!peerEnded && !stream.destroyed && !stream.push(buffer)) socket.pause();
    },
    alive() {},
    drained: proceed,
    closed(code, reason, error) {
      gone = true;
      proceed();
      if (peerEnded || code === NORMAL) {
        if (!peerEnded) stream.push(null);
        if (stream.writableFinished) stream.destroy();
        else stream.end(() => stream.destroy());
        return;
      }
      stream.destroy(
        error ?? new Error(`the tunnel was closed with ${code}${reason === '' ? '' : ` (${reason})`}`),
      );
    },
  });
  return stream;
}
