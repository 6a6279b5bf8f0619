import type { TLSSocket } from 'node:tls';
import type { Secured } from '../hops/connection.ts';
import { pinOf } from './pin.ts';

/** What a TLS socket proved, after its handshake. */
export function securedOf(socket: TLSSocket): Secured {
  const certificate = socket.getPeerX509Certificate();
  const alpn = socket.alpnProtocol;
  return {
    peerPin: certificate === undefined ? undefined : pinOf(certificate),
    version: socket.getProtocol() ?? 'unknown',
    alpn: typeof alpn === 'string' && alpn !== '' ? alpn : undefined,
    exporter: (label, bytes, context) =>
      socket.exportKeyingMaterial(
        bytes,
        label,
        context === undefined ? Buffer.alloc(0) : Buffer.from(context),
      ),
  };
}
