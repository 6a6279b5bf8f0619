import type { Duplex } from 'node:stream';
import type { WebSocketAddress } from '../endpoint/address.ts';
import { printHostPort } from '../endpoint/host.ts';
import { createTunnel, TUNNEL_PROTOCOL } from '../tunnel.ts';
import { openWebSocket } from '../web-socket.ts';
import type { OnEvidence } from '../evidence.ts';
import { observe } from '../evidence.ts';

/**
 * Enters the worker path of a web port: the stream that comes out carries the same pinned TLS as a worker port.
 * @throws BbxError BBX-NET-UPGRADE or BBX-NET-TIME
 */
export async function openWebSocketTunnel(
  stream: Duplex,
  to: WebSocketAddress,
  options: { signal: AbortSignal; limitMs: number; onEvidence: OnEvidence },
): Promise<Duplex> {
  const target = printHostPort(to.host.split('%')[0] ?? to.host, to.port);
  const socket = await openWebSocket(stream, {
    target,
    path: to.path,
    protocol: TUNNEL_PROTOCOL,
    signal: options.signal,
    limitMs: options.limitMs,
  });
  options.onEvidence(observe('peer', `WebSocket ${target}${to.path}`, TUNNEL_PROTOCOL));
  return createTunnel(socket);
}
