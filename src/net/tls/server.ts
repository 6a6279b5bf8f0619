import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Connection } from '../hops/connection.ts';
import { endsOf, guard } from '../peer.ts';
import { securedOf } from './secured.ts';

/** A handshake is two round trips; a peer that takes longer holds a place that others want. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** Connections at one time that are in their handshake, or not yet let in. */
const PLACES = 256;
/** More wait, unread, in the order in which they came and as long as a handshake may take: a thousand workers that come back at once would be cut off otherwise, and try again seconds later. */
const MOST_WAITING = 1_024;

export interface TlsServerOptions {
  /** PEM. */
  key: string;
  cert: string;
  /** Default TLS 1.3: every bbx speaks it. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  alpn?: readonly string[];
  handshakeMs?: number;
  /** Default 256. */
  places?: number;
}

export interface TlsServer {
  /** Runs a handshake as the server, when there is a place. A peer that fails it, or takes too long, is cut off; nobody else notices. */
  secure(stream: Duplex, ends?: { peer: string; local: string }): void;
}

/**
 * TLS for streams that are there already, from a listener or out of a tunnel. Peers show no certificate: workers prove their key in
 * the protocol, over the exporter of this session. A connection keeps its place until what `onConnection` gives is settled.
 */
export function createTlsServer(
  options: TlsServerOptions,
  onConnection: (connection: Connection) => unknown,
): TlsServer {
  const { key, cert, minVersion = 'TLSv1.3', alpn, handshakeMs = HANDSHAKE_LIMIT_MS } = options;
  const { places = PLACES } = options;
  const secureContext = createSecureContext({ key, cert, minVersion });
  let taken = 0;
  const waiting = new Set<() => void>();

  function leave(): void {
    taken -= 1;
    for (const begin of waiting) {
      if (taken >= places) return;
      begin();
    }
  }

  function begin(stream: Duplex, ends: { peer: string; local: string }): void {
    taken += 1;
    const socket = guard(
      new TLSSocket(stream, {
        isServer: true,
        secureContext,
        ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      }),
    );
    const settle = () => {
      clearTimeout(timer);
      socket.off('close', onFailed).off('secure', onSecure);
      stream.off('close', onStreamClosed);
    };
    const onFailed = () => {
      settle();
      stream.destroy();
      leave();
    };
    // After the handshake the TLS socket sees the end by itself, and may have bytes that nobody has read yet.
    const onStreamClosed = () => socket.destroy();
    const onSecure = () => {
      settle();
      closeTogether(socket, stream);
      const letIn = onConnection({
        stream: socket,
        ...ends,
        secured: securedOf(socket, undefined),
        evidence: [],
      });
      if (!(letIn instanceof Promise)) leave();
      else letIn.then(leave, leave);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      stream.destroy();
    }, handshakeMs);
    socket.on('close', onFailed).on('secure', onSecure);
    stream.on('close', onStreamClosed);
  }

  return {
    secure(stream, ends = stream instanceof Socket ? endsOf(stream) : { peer: 'unknown', local: 'unknown' }) {
      if (taken < places) return begin(stream, ends);
      if (waiting.size >= MOST_WAITING) return void stream.destroy();
      const gone = () => {
        clearTimeout(limit);
        waiting.delete(mayBegin);
      };
      const mayBegin = () => {
        gone();
        stream.off('close', gone);
        if (!stream.destroyed) begin(stream, ends);
      };
      // Nobody who dials waits longer, and the end of one that has gone is not seen: it is not read.
      const limit = setTimeout(() => stream.destroy(), handshakeMs);
      waiting.add(mayBegin);
      stream.once('close', gone);
    },
  };
}

/** In a function of its own: nothing of the handshake stays with a connection that lives for days. */
function closeTogether(socket: TLSSocket, stream: Duplex): void {
  socket.on('close', () => stream.destroy());
}
