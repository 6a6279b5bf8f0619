import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Secured } from '../hops/connection.ts';
import { pinOf } from './pin.ts';

/**
 * What a TLS socket proved, after its handshake. The peer's certificate is handed in, because Node 24 gives it out once: a second
 * `getPeerX509Certificate` of the same socket is undefined.
 */
export function securedOf(socket: TLSSocket, certificate: X509Certificate | undefined): Secured {
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
