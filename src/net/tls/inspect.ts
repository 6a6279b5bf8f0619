import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { errnoOf, sentences } from '../../base/error.ts';
import { familyOf } from '../endpoint/host.ts';
import { connectLiteral } from '../hops/tcp.ts';
import { guard } from '../peer.ts';
import { tapped } from './tap.ts';

/** What to offer, and what to trust. Nothing is refused here: the caller judges. */
export interface InspectOptions {
  /** Name for SNI; undefined or an address: none. */
  servername?: string;
  /** PEM of the authorities to trust instead of the usual ones. */
  ca?: string;
  alpn?: readonly string[];
  /** Also versions and ciphers that are out of use, to learn what a server has. */
  lenient?: boolean;
  /** What must be said in plain words before TLS begins (STARTTLS); gives why it does not. */
  before?: (socket: Socket, signal: AbortSignal) => Promise<string | undefined>;
  /** Said after the handshake to who does not speak first. */
  speak?: string;
  /** The first word is not waited for. */
  handshakeOnly?: boolean;
  /** From the connection to the end of the handshake. */
  limitMs: number;
  signal: AbortSignal;
}

/** What followed the handshake: with TLS 1.3 a server refuses a client only after the client believes that all is well. */
export interface FirstWord {
  kind: 'data' | 'alert' | 'closed' | 'quiet';
  /** OpenSSL's code of the alert. */
  code: string | null;
  /** The first bytes, at most some KiB. */
  bytes: Buffer;
  /** Epoch ms of asking (or of the handshake's end) and of the answer. */
  askedAt: number;
  answeredAt: number;
}

export interface TlsInspection {
  /** `unreachable`: no connection at all. `plain`: what came back is not TLS. */
  outcome: 'secured' | 'refused' | 'plain' | 'closed' | 'silent' | 'unreachable';
  /** OpenSSL's or the system's code, where it failed. */
  code: string | null;
  /** The first bytes of the peer, at most 32, whatever they are. */
  firstBytes: Buffer;
  version: string | null;
  cipher: string | null;
  alpn: string | null;
  /** As the peer sent it, its own first. */
  chain: readonly X509Certificate[];
  /** OpenSSL's verdict on the chain; null where it is trusted. */
  distrust: string | null;
  first: FirstWord | null;
  ms: number;
}

/** Longer chains are no chains. */
const CHAIN = 10;
/** Servers that speak first do so at once. */
const BANNER_MS = 500;
/** An answer to a question, an alert to a missing client certificate. */
const ANSWER_MS = 2_000;
const FIRST_BYTES = 32;
const FIRST_WORD_BYTES = 4 * 1024;
/** A TLS record begins with its type (alert, handshake) and the major version. */
const isTls = (bytes: Buffer) =>
  (bytes[0] === 0x15 || bytes[0] === 0x16) && (bytes.length < 2 || bytes[1] === 3);

/**
 * Runs a TLS handshake with one literal address and looks at all that the peer shows, its certificate unjudged, up to its first word after
 * the handshake. Then it closes. Rejects only with the signal's reason.
 */
export async function inspectTls(
  address: string,
  port: number,
  options: InspectOptions,
): Promise<TlsInspection> {
  const started = performance.now();
  const limit = AbortSignal.timeout(options.limitMs);
  const signal = AbortSignal.any([options.signal, limit]);
  const result: TlsInspection = {
    outcome: 'unreachable',
    code: null,
    firstBytes: Buffer.alloc(0),
    version: null,
    cipher: null,
    alpn: null,
    chain: [],
    distrust: null,
    first: null,
    ms: 0,
  };
  const done = (part: Partial<TlsInspection>): TlsInspection => ({
    ...result,
    ms: Math.round(performance.now() - started),
    ...part,
  });
  let socket: Socket;
  try {
    socket = await connectLiteral(address, port, signal);
  } catch (error) {
    options.signal.throwIfAborted();
    return done({ code: limit.aborted ? 'ETIMEDOUT' : (errnoOf(error) ?? null) });
  }
  try {
    const hindered = await options.before?.(socket, signal);
    if (hindered !== undefined) {
      socket.destroy();
      return done({ outcome: 'refused', code: hindered });
    }
  } catch {
    socket.destroy();
    options.signal.throwIfAborted();
    return done({ outcome: 'silent' });
  }
  const tap = tapped(socket, FIRST_BYTES);
  const tls = guard(connect({ socket: tap.stream, ...connectOptions(options) }));
  try {
    const failure = await handshake(tls, signal);
    options.signal.throwIfAborted();
    const firstBytes = tap.firstBytes();
    if (failure !== undefined) return done(failedWith(failure, firstBytes, limit.aborted));
    const { cipher, version, alpn, chain, distrust } = shownBy(tls);
    const ms = Math.round(performance.now() - started);
    const first = options.handshakeOnly === true ? null : await firstWord(tls, options.speak, options.signal);
    return done({ outcome: 'secured', firstBytes, version, cipher, alpn, chain, distrust, first, ms });
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

function connectOptions({ servername, ca, alpn, lenient = false }: InspectOptions) {
  const name = servername?.replace(/\.$/, '') ?? '';
  return {
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: lenient ? ('TLSv1' as const) : ('TLSv1.2' as const),
    // OpenSSL has versions below 1.2 only at its lowest level of security.
    ...(lenient ? { ciphers: 'ALL:@SECLEVEL=0' } : {}),
    ...(name === '' || familyOf(name) !== 0 ? {} : { servername: name }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Resolves with why it failed, or undefined. */
function handshake(tls: TLSSocket, signal: AbortSignal): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const end = (failure?: Error) => {
      signal.removeEventListener('abort', onAbort);
      resolve(failure);
    };
    const onAbort = () => end(new Error('no answer in time'));
    tls.once('secureConnect', () => end());
    tls.once('error', end);
    tls.once('close', () => end(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function failedWith(failure: Error, firstBytes: Buffer, late: boolean): Partial<TlsInspection> {
  const code = errnoOf(failure) ?? sentences(failure)[0] ?? null;
  if (firstBytes.length > 0 && !isTls(firstBytes)) return { outcome: 'plain', code, firstBytes };
  if (late) return { outcome: 'silent', code: null, firstBytes };
  if (firstBytes.length === 0) return { outcome: 'closed', code, firstBytes };
  return { outcome: 'refused', code, firstBytes };
}

function shownBy(tls: TLSSocket): Pick<TlsInspection, 'version' | 'cipher' | 'alpn' | 'chain' | 'distrust'> {
  const chain: X509Certificate[] = [];
  for (
    let one: ReturnType<TLSSocket['getPeerCertificate']> | undefined = tls.getPeerCertificate(true);
    one !== undefined && chain.length < CHAIN;
    one = (one as { issuerCertificate?: typeof one }).issuerCertificate
  ) {
    // A peer without certificate gives an empty object.
    if ((one as { raw?: Buffer }).raw === undefined) break;
    const certificate = new X509Certificate(one.raw);
    // The root names itself its issuer.
    if (chain.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256)) break;
    chain.push(certificate);
  }
  // Node gives a code where its types promise an Error.
  const verdict = tls.authorizationError as unknown;
  return {
    version: tls.getProtocol(),
    cipher: tls.getCipher()?.name ?? null,
    alpn: typeof tls.alpnProtocol === 'string' ? tls.alpnProtocol : null,
    chain,
    distrust:
      tls.authorized || verdict == null
        ? null
        : verdict instanceof Error
          ? (errnoOf(verdict) ?? verdict.message)
          : String(verdict),
  };
}

/** Waits for a banner, then says `speak`, and gives what comes first. */
function firstWord(tls: TLSSocket, speak: string | undefined, signal: AbortSignal): Promise<FirstWord> {
  return new Promise((resolve, reject) => {
    let askedAt = Date.now();
    let got: Buffer = Buffer.alloc(0);
    const end = (kind: FirstWord['kind'], code: string | null = null) => {
      clearTimeout(ask);
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      resolve({ kind, code, bytes: got.subarray(0, FIRST_WORD_BYTES), askedAt, answeredAt: Date.now() });
    };
    const onAbort = () => {
      clearTimeout(ask);
      clearTimeout(limit);
      reject(signal.reason as Error);
    };
    const ask = setTimeout(() => {
      askedAt = Date.now();
      if (speak !== undefined) tls.write(speak);
    }, BANNER_MS);
    const limit = setTimeout(() => end('quiet'), BANNER_MS + ANSWER_MS);
    tls.once('data', (bytes: Buffer) => {
      got = bytes;
      end('data');
    });
    tls.once('error', (error) => {
      const code = errnoOf(error) ?? error.message;
      end(/ALERT/.test(code) ? 'alert' : 'closed', code);
    });
    tls.once('end', () => end('closed')).once('close', () => end('closed'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
