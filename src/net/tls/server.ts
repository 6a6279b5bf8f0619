import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Connection } from '../hops/connection.ts';
import { endsOf, guard } from '../peer.ts';
import { securedOf } from './secured.ts';

/** A handshake is two round trips; a peer that takes longer holds a place that others want. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** Handshakes at one time. */
const HANDSHAKES = 256;

export interface TlsServerOptions {
  /** PEM. */
  key: string;
  cert: string;
  /** Default TLS 1.3: every bbx speaks it. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  alpn?: readonly string[];
  handshakeMs?: number;
}

export interface TlsServer {
  /** Runs a handshake as the server. A peer that fails it, or takes too long, is cut off; nobody else notices. */
  secure(stream: Duplex, ends?: { peer: string; local: string }): void;
}

/**
 * TLS for streams that are there already, from a listener or out of a tunnel. Peers show no certificate: workers prove their key in
 * the protocol, over the exporter of this session.
 */
export function createTlsServer(
  options: TlsServerOptions,
  onConnection: (connection: Connection) => void,
): TlsServer {
  const { key, cert, minVersion = 'TLSv1.3', alpn, handshakeMs = HANDSHAKE_LIMIT_MS } = options;
  const secureContext = createSecureContext({ key, cert, minVersion });
  let pending = 0;
  return {
    secure(stream, ends = stream instanceof Socket ? endsOf(stream) : { peer: 'unknown', local: 'unknown' }) {
      if (pending >= HANDSHAKES) {
        stream.destroy();
        return;
      }
      pending += 1;
      const socket = guard(
        new TLSSocket(stream, {
          isServer: true,
          secureContext,
          ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
        }),
      );
      const settle = () => {
        pending -= 1;
        clearTimeout(timer);
        socket.off('close', onFailed).off('secure', onSecure);
        stream.off('close', onStreamClosed);
      };
      const onFailed = () => {
        settle();
        stream.destroy();
      };
      // After the handshake the TLS socket sees the end by itself, and may have bytes that nobody has read yet.
      const onStreamClosed = () => socket.destroy();
      const onSecure = () => {
        settle();
        closeTogether(socket, stream);
        onConnection({ stream: socket, ...ends, secured: securedOf(socket, undefined), evidence: [] });
      };
      const timer = setTimeout(() => {
        socket.destroy();
        stream.destroy();
      }, handshakeMs);
      socket.on('close', onFailed).on('secure', onSecure);
      stream.on('close', onStreamClosed);
    },
  };
}

/** In a function of its own: nothing of the handshake stays with a connection that lives for days. */
function closeTogether(socket: TLSSocket, stream: Duplex): void {
  socket.on('close', () => stream.destroy());
}
