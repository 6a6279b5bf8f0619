import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { errnoOf, sentences } from '../../base/error.ts';
import { codes } from '../codes.ts';
import { familyOf } from '../endpoint/host.ts';
import type { OnEvidence } from '../evidence.ts';
import { observe } from '../evidence.ts';
import { guard } from '../peer.ts';
import { pinOf } from '../tls/pin.ts';
import { securedOf } from '../tls/secured.ts';
import type { Secured } from './connection.ts';

/** How the peer has to prove who it is. Without pins and first contact: by a certificate of a trusted authority for this name. */
export interface TlsRoute {
  /** The peer's key is one of these; its certificate may be self-signed and carry any name. TLS 1.3 only. */
  pins?: readonly string[];
  /** Any key is taken, and told in `Connection.secured.peerPin`, for the caller to pin. TLS 1.3 only. */
  firstContact?: boolean;
  /** Name for SNI and for the certificate, where it is not the host that is dialled. */
  servername?: string;
  /** PEM of the authorities to trust instead of the usual ones. */
  ca?: string;
  /** Offer X25519 and no other key exchange: the first message then fits into any packet, where the usual one of 1.5 kB does not. */
  smallHello?: boolean;
  alpn?: readonly string[];
}

export interface TlsOptions {
  /** What errors name. */
  target: string;
  /** The host that was dialled. */
  host: string;
  signal: AbortSignal;
  limitMs: number;
  onEvidence: OnEvidence;
}

let byKeyContext: SecureContext | undefined;

/**
 * For peers that are judged by their key. Made once, since that takes a quarter of a millisecond; without authorities, which nobody would ask. No
 * session is resumed in it: each handshake shows the key anew.
 */
function contextByKey(): SecureContext {
  return (byKeyContext ??= createSecureContext({ minVersion: 'TLSv1.3', ca: [] }));
}

/**
 * Runs TLS as a client inside `stream`, and judges the peer before anything is sent. On every failure `stream` is destroyed.
 * @throws BbxError BBX-NET-TLS, BBX-NET-PIN, BBX-NET-CERTIFICATE or BBX-NET-TIME
 */
export async function secureClient(
  stream: Duplex,
  route: TlsRoute,
  options: TlsOptions,
): Promise<{ stream: TLSSocket; secured: Secured }> {
  const { target, onEvidence } = options;
  // RFC 6066 section 3: a name in SNI has no closing dot.
  const name = (route.servername ?? options.host).replace(/\.$/, '');
  const byKey = route.pins !== undefined || route.firstContact === true;
  const socket = guard(
    connect({
      socket: stream,
      // Judged below, by pin or by our own rule that wants a subjectAltName.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      minVersion: byKey ? 'TLSv1.3' : 'TLSv1.2',
      ...(familyOf(name) === 0 ? { servername: name } : {}),
      ...(route.alpn === undefined ? {} : { ALPNProtocols: [...route.alpn] }),
      ...(route.smallHello === true ? { ecdhCurve: 'X25519' } : {}),
      ...(route.ca === undefined ? {} : { ca: route.ca }),
      ...(byKey && route.smallHello !== true ? { secureContext: contextByKey() } : {}),
    } satisfies ConnectionOptions),
  );
  try {
    await handshake(socket, options);
    const certificate = socket.getPeerX509Certificate();
    const secured = securedOf(socket, certificate);
    onEvidence(observe('tls', target, `${secured.version} ${secured.peerPin ?? 'no certificate'}`));
    if (byKey) judgeKey(certificate, route, target);
    else judgeCertificate(socket, certificate, name, target);
    return { stream: socket, secured };
  } catch (error) {
    socket.destroy();
    stream.destroy();
    throw error;
  }
}

function handshake(socket: TLSSocket, { target, signal, limitMs }: TlsOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('secureConnect', onSecure).off('error', onError).off('close', onClose);
    };
    const fail = (error: Error) => {
      end();
      reject(error);
    };
    const onAbort = () => fail(signal.reason as Error);
    const onSecure = () => {
      end();
      resolve();
    };
    const onError = (error: Error) =>
      fail(codes['BBX-NET-TLS']({ target, problem: describeTlsError(error) }, { cause: error }));
    const onClose = () =>
      fail(codes['BBX-NET-TLS']({ target, problem: 'the peer closed the connection in the handshake' }));
    const timer = setTimeout(
      () => fail(codes['BBX-NET-TIME']({ target, phase: 'the TLS handshake', ms: limitMs })),
      limitMs,
    );
    socket.once('secureConnect', onSecure).once('error', onError).once('close', onClose);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function describeTlsError(error: Error): string {
  const code = errnoOf(error) ?? '';
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/.test(code)) {
    return 'the peer does not speak TLS there';
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) return 'no TLS version in common';
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return 'no application protocol (ALPN) in common';
  if (code === 'ECONNRESET') return 'the peer closed the connection in the handshake';
  return [code, ...sentences(error)].filter(Boolean).slice(0, 2).join(': ');
}

function judgeKey(certificate: X509Certificate | undefined, route: TlsRoute, target: string): void {
  if (certificate === undefined) {
    throw codes['BBX-NET-CERTIFICATE']({ target, problem: 'it showed none' });
  }
  if (route.pins === undefined) return;
  const got = pinOf(certificate);
  if (!route.pins.includes(got)) throw codes['BBX-NET-PIN']({ target, got, pins: route.pins });
}

function judgeCertificate(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
  name: string,
  target: string,
): void {
  const refuse = (problem: string) => codes['BBX-NET-CERTIFICATE']({ target, problem });
  if (certificate === undefined) throw refuse('it showed none');
  // Node gives a code where its types promise an Error.
  const untrusted = socket.authorizationError as unknown;
  if (!socket.authorized && untrusted != null) throw refuse(describeVerdict(String(untrusted)));
  const plain = name.split('%')[0] ?? '';
  const fits =
    familyOf(plain) === 0 ? certificate.checkHost(name, { subject: 'never' }) : certificate.checkIP(plain);
  if (fits === undefined) {
    const names = certificate.subjectAltName ?? 'no subjectAltName at all';
    throw refuse(`it is not for ${name} (it is for ${names.slice(0, 200)})`);
  }
}

const VERDICTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed, and no pin says that this is right',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its authority is not trusted here, or an intermediate certificate is missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its authority is not trusted here, or an intermediate certificate is missing',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; is the clock right?',
};

function describeVerdict(code: string): string {
  const text = VERDICTS[code];
  return text === undefined ? code : `${text} (${code})`;
}
