import type { Duplex } from 'node:stream';
import type { Evidence } from '../evidence.ts';

/** What TLS proved about a connection; the protocol signs the exporter value and so binds itself to this very session. */
export interface Secured {
  /** Pin of the peer's key, `sha256:…`; undefined where the peer showed no certificate. */
  peerPin: string | undefined;
  /** `TLSv1.3` … */
  version: string;
  alpn: string | undefined;
  /** Keying material (RFC 8446 section 7.5, RFC 5705): the same bytes at both ends, and on no other connection. */
  exporter(label: string, bytes: number, context?: Uint8Array): Buffer;
}

/** A byte stream to a peer, however it came about. */
export interface Connection {
  stream: Duplex;
  /** The peer's address as the innermost socket sees it, printed; `unix:` for a local socket. */
  peer: string;
  local: string;
  /** Undefined on a plain connection. */
  secured: Secured | undefined;
  evidence: readonly Evidence[];
}
